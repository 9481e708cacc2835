"""Sphinx extension: the bets. A chapter opens with a box "Place your bet", and `aelib.bet(...)` says which answer won.

This gives both boxes names, under which `bets.js` finds them: it makes the answers clickable, and keeps yours in your
browser.
A page gets a table of all bets where it has

    ```{bets}
    ```

A chapter that has the box and no result, or the other way round, is a warning, which fails the build.
"""

import re

from docutils import nodes
from sphinx.util import logging
from tables import found, link, register, table

TITLE = "Place your bet"
OUTCOME = re.compile(r'<div class="bet-outcome" data-answer="(\d+)" data-of="(\d+)"')
log = logging.getLogger(__name__)


def collect(app, doctree):
    """Name the box of one page, and remember question, answers and result."""
    page = app.env.docname
    boxes = [box for box in doctree.findall(nodes.admonition) if box[0].astext() == TITLE]
    won = [tuple(map(int, hit)) for raw in doctree.findall(nodes.raw) for hit in OUTCOME.findall(raw.astext())]
    if not boxes and not won:
        return None
    answers = next((list(items) for box in boxes for items in box.findall(nodes.enumerated_list)), [])
    if len(boxes) != 1 or len(won) != 1 or won[0][1] != len(answers):
        log.warning(
            "%s: expected one box %r with numbered answers, and one aelib.bet with an outcome for each, "
            "got %d boxes, %d answers, won (of so many): %s",
            *(page, TITLE, len(boxes), len(answers), won or "none"),
        )
        return None
    (box,), ((number, _),) = boxes, won
    box["classes"].append("bet")
    box["ids"].append(f"bet-{page.split('/')[-1]}")
    return {"answers": [answer.astext() for answer in answers], "won": number}


def fill(app, docname, flags):
    """The table: a row for each bet, which `bets.js` completes."""
    rows = []
    for page in (page for page in in_order(app.env) if page in found(app.env, "bets")):
        bet, name = found(app.env, "bets")[page], page.split("/")[-1]
        text = nodes.Text(f"Answer {bet['won']}: {bet['answers'][bet['won'] - 1]}")
        yours = nodes.inline("", "–", classes=["bet-yours"], ids=[f"yours-{name}"])
        result = nodes.inline("", "", text, classes=["bet-result", f"of-{len(bet['answers'])}", f"won-{bet['won']}"])
        rows.append((link(app, docname, page, f"bet-{name}"), yours, result))
    return table("bets", {"chapter": 30, "your bet": 25, "what came out": 45}, rows)


def in_order(env):
    """The pages, as the table of contents has them."""

    def below(page):
        yield page
        for child in env.toctree_includes.get(page, []):
            yield from below(child)

    return dict.fromkeys(below(env.config.root_doc))


def setup(app):
    """Called by Sphinx."""
    register(app, "bets", collect, fill)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False}
