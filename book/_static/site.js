/* What all pages share. The pages read well without it. */
"use strict";
addEventListener("DOMContentLoaded", () => {
  /* The page of claims: show one kind of verdict. */
  const table = document.querySelector("table.claims");
  if (!table) return;
  const kinds = [["all", ""], ["● holds", ".holds"], ["◐ when, or in part", ".holds-when, .holds-in-part"],
                 ["○ does not hold", ".does-not-hold"]];
  const rows = [...table.tBodies[0].rows], group = document.createElement("fieldset"), status = document.createElement("p");
  group.className = "claims-filter";
  group.innerHTML = '<legend class="visually-hidden">Show verdicts</legend>';
  status.setAttribute("role", "status");
  status.className = "visually-hidden";
  for (const [name, selector] of kinds) {
    const label = document.createElement("label"), input = document.createElement("input");
    input.type = "radio";
    input.name = "verdicts";
    input.checked = !selector;
    input.addEventListener("change", () => {
      for (const row of rows) row.hidden = Boolean(selector) && !row.querySelector(`.verdict:is(${selector})`);
      status.textContent = `${rows.filter((row) => !row.hidden).length} rows shown`;
    });
    label.append(input, ` ${name}`);
    group.append(label);
  }
  (table.closest(".pst-scrollable-table-container") ?? table).before(group, status);
});
addEventListener("load", () => {
  /* What scrolls sideways can be reached and scrolled with the keyboard. */
  const wide = () => {
    for (const box of document.querySelectorAll("main pre, main div.math, .pst-scrollable-table-container")) {
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0;
        if (!box.getAttribute("role")) { box.setAttribute("role", "region"); box.setAttribute("aria-label", "scrolls sideways"); }
      } else box.removeAttribute("tabindex");
    }
  };
  wide();
  addEventListener("resize", wide);
});
