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
from sphinx.util.docutils import SphinxDirective

TITLE = "Place your bet"
OUTCOME = re.compile(r'<div class="bet-outcome" data-answer="(\d+)"')
log = logging.getLogger(__name__)


class BetsTable(nodes.General, nodes.Element):
    """The place of the table, which can be filled only when all notebooks have been read."""


class Bets(SphinxDirective):
    """```{bets}```"""

    def run(self):
        return [BetsTable()]


def collect(app, doctree):
    """Name the box of one page, and remember question, answers and result."""
    page = app.env.docname
    boxes = [box for box in doctree.findall(nodes.admonition) if box[0].astext() == TITLE]
    won = [int(number) for raw in doctree.findall(nodes.raw) for number in OUTCOME.findall(raw.astext())]
    if not hasattr(app.env, "bets"):
        app.env.bets = {}
    if not boxes and not won:
        return
    answers = next((list(found) for box in boxes for found in box.findall(nodes.enumerated_list)), [])
    if len(boxes) != 1 or len(won) != 1 or not 1 <= won[0] <= len(answers):
        log.warning(
            "%s: expected one box %r with numbered answers and one aelib.bet, got %d boxes, %d answers, won: %s",
            *(page, TITLE, len(boxes), len(answers), won or "none"),
        )
        return
    (box,) = boxes
    box["classes"].append("bet")
    box["ids"].append(f"bet-{page.split('/')[-1]}")
    app.env.bets[page] = {"answers": [answer.astext() for answer in answers], "won": won[0]}


def forget(app, env, docname):
    """A page that is read again, or gone, has no bet yet."""
    getattr(env, "bets", {}).pop(docname, None)


def fill(app, doctree, docname):
    """Put the table in its place."""
    for place in list(doctree.findall(BetsTable)):
        place.replace_self(table(app, docname))


def table(app, docname):
    group = nodes.tgroup(cols=3)
    for width in (30, 25, 45):
        group += nodes.colspec(colwidth=width)
    group += nodes.thead("", row("chapter", "your bet", "what came out"))
    body = nodes.tbody()
    for page in (page for page in in_order(app.env) if page in app.env.bets):
        bet = app.env.bets[page]
        target = f"{app.builder.get_relative_uri(docname, page)}#bet-{page.split('/')[-1]}"
        link = nodes.reference("", app.env.titles[page].astext(), refuri=target, internal=True)
        text = nodes.Text(f"Answer {bet['won']}: {bet['answers'][bet['won'] - 1]}")
        yours = nodes.inline("", "–", classes=["bet-yours"], ids=[f"yours-{page.split('/')[-1]}"])
        result = nodes.inline("", "", text, classes=["bet-result", f"of-{len(bet['answers'])}", f"won-{bet['won']}"])
        body += row(link, yours, result)
    group += body
    return nodes.table("", group, classes=["bets"])


def row(*cells):
    cells = [nodes.Text(cell) if isinstance(cell, str) else cell for cell in cells]
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def in_order(env):
    """The pages, as the table of contents has them."""

    def below(page):
        yield page
        for child in env.toctree_includes.get(page, []):
            yield from below(child)

    return dict.fromkeys(below(env.config.root_doc))


def setup(app):
    """Called by Sphinx."""
    app.add_node(BetsTable)
    app.add_directive("bets", Bets)
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", fill)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False}
