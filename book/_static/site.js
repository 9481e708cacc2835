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
  /* What scrolls sideways can be reached and scrolled with the keyboard; also what a fold hid. */
  const watch = new ResizeObserver((seen) => {
    for (const { target } of seen) {
      if (target.scrollWidth > target.clientWidth + 1) {
        target.tabIndex = 0;
        target.role ??= "group";
        target.ariaLabel ??= "scrolls sideways";
      } else target.removeAttribute("tabindex");
    }
  });
  document.querySelectorAll("main pre, main div.math, .pst-scrollable-table-container").forEach((box) => watch.observe(box));
});
