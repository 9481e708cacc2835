/* Bets: an answer is clicked, kept in this browser, and compared with what the notebook measured. Nothing is sent.
   Questions to check yourself: a click on an answer says whether it is right, and why. Nothing is kept. */
"use strict";
addEventListener("DOMContentLoaded", () => {
  const KEY = "aelib-bets";
  /* What was kept, or nothing where there is no storage or no sense in it. */
  const kept = () => {
    try {
      const bets = JSON.parse(localStorage.getItem(KEY));
      return bets && typeof bets === "object" && !Array.isArray(bets) ? bets : {};
    } catch { return {}; }
  };
  let bets = kept(), stored = true;
  const keep = () => { try { localStorage.setItem(KEY, JSON.stringify(bets)); } catch { stored = false; /* for this page only, then */ } };
  /* Another tab, or a page that the browser kept, may know less or more. */
  const shows = [], refresh = () => { bets = kept(); shows.forEach((show) => show()); };
  addEventListener("storage", refresh);
  addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
  const yours = (page, answers) => {
    const answer = Object.hasOwn(bets, page) ? bets[page] : 0;
    return Number.isInteger(answer) && answer >= 1 && answer <= answers ? answer : 0;
  };
  const element = (name, properties) => Object.assign(document.createElement(name), properties);

  /* On a chapter: the box with the answers, and the line with the result. */
  const box = document.querySelector(".admonition.bet"), list = box?.querySelector("ol");
  if (list) {
    const page = box.id.slice("bet-".length), answers = [...list.children];
    const outcome = document.querySelector(".bet-outcome"), said = element("p", { className: "bet-said" });
    const note = element("p", { className: "bet-note" });
    note.setAttribute("role", "status");
    const group = element("fieldset");
    group.append(element("legend", { textContent: "Your bet", className: "visually-hidden" }));
    list.replaceWith(group);
    group.append(list);
    const show = () => {
      const answer = yours(page, answers.length), won = Number(outcome?.dataset.answer);
      answers.forEach((item, i) => { item.querySelector("input").checked = answer === i + 1; });
      note.textContent = !answer ? "Click an answer. It is kept in this browser, and nowhere else. "
        : stored ? `Answer ${answer}: noted in this browser, and nowhere else. `
        : `Answer ${answer}. This browser keeps nothing, so it is noted on this page alone. `;
      if (answer && outcome) note.append(element("a", { href: "#bet-outcome", textContent: "What came out" }));
      said.textContent = !answer ? "You have not bet." : answer === won ? `You bet on answer ${answer}, and won.`
                                                             : `You bet on answer ${answer}, and lost.`;
    };
    answers.forEach((item, i) => {
      const text = item.firstElementChild ?? item, label = element("label"), input = element("input", { type: "radio", name: "bet" });
      input.addEventListener("change", () => { bets = { ...kept(), ...(stored ? {} : bets), [page]: i + 1 }; keep(); show(); });
      label.append(input, " ", ...text.childNodes);
      text.append(label);
    });
    group.after(note);
    if (outcome) { outcome.id = "bet-outcome"; outcome.append(said); }
    shows.push(show);
    show();
  }

  /* Questions: in each list of answers the right one begins with a tick, and each ends with its reason in italics. */
  for (const answer of document.querySelectorAll(".admonition.check > ol > li > ul > li")) {
    const text = answer.querySelector("p") ?? answer, why = [...text.querySelectorAll("em")].at(-1);
    const right = text.textContent.trimStart().startsWith("✓"), told = element("span", { className: "check-told" });
    told.setAttribute("role", "status");
    if (!why) continue;
    why.remove();
    const button = element("button", { type: "button", className: "check-answer" });
    button.append(...text.childNodes);
    if (right) button.firstChild.textContent = button.firstChild.textContent.replace("✓", "").trimStart();
    button.addEventListener("click", () => {
      answer.classList.add(right ? "right" : "wrong");
      told.replaceChildren(right ? " ✓ Right. " : " ✗ No. ", why);
    });
    text.append(button, told);
  }

  /* On the page of bets: one row a chapter, the score, and a button that forgets everything. */
  const table = document.querySelector("table.bets");
  if (table) {
    const score = element("p", { className: "bet-score" });
    const button = element("button", { type: "button", className: "bet-forget", textContent: "Forget my bets" });
    const show = () => {
      let placed = 0, won = 0, chance = 0;
      for (const cell of table.querySelectorAll(".bet-yours")) {
        const result = cell.closest("tr").querySelector(".bet-result");
        const number = (prefix) => Number([...result.classList].find((name) => name.startsWith(prefix)).slice(prefix.length));
        const answer = yours(cell.id.slice("yours-".length), number("of-"));
        cell.textContent = !answer ? "not yet" : answer === number("won-") ? `${answer} ✓ won` : `${answer} ✗ lost`;
        result.hidden = !answer;
        if (answer) { placed += 1; chance += 1 / number("of-"); won += answer === number("won-"); }
      }
      score.textContent = placed ? `You placed ${placed} ${placed === 1 ? "bet" : "bets"} and won ${won}. Blind guesses would `
        + `have won ${chance.toFixed(1)} on average.` : "You have not placed a bet yet. Open a chapter and click an answer.";
      button.hidden = !placed;
    };
    button.addEventListener("click", () => { bets = {}; keep(); show(); });
    (table.closest(".pst-scrollable-table-container") ?? table).before(score, button);
    shows.push(show);
    show();
  }
});
