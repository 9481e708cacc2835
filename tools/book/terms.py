"""Sphinx extension: a glossary, English and Korean, from the lines "In Korean." at the end of the chapters.

```{terms}
```
"""

import re

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LEAD = "In Korean."
HANGUL = re.compile(r"[\uac00-\ud7a3]")
log = logging.getLogger(__name__)


class TermsTable(nodes.General, nodes.Element):
    """The place of the table, which can be filled only when all chapters have been read."""


class Terms(SphinxDirective):
    """```{terms}```"""

    def run(self):
        return [TermsTable()]


def collect(app, doctree):
    """Remember the terms of one chapter: English to Korean."""
    found = {}
    for paragraph in doctree.findall(nodes.paragraph):
        text = paragraph.astext()
        if not text.startswith(LEAD):
            continue
        for term in " ".join(text.removeprefix(LEAD).split()).strip(" .").split(" · "):
            start = HANGUL.search(term)
            if not start or not start.start():
                log.warning("term %r: expected English, then Korean", term, location=paragraph)
                continue
            cut = term.rfind(" ", 0, start.start() + 1)
            found[term[:cut].strip()] = term[cut:].strip()
    if not hasattr(app.env, "terms"):
        app.env.terms = {}
    app.env.terms[app.env.docname] = found


def forget(app, env, docname):
    """A page that is read again, or gone, has no terms yet."""
    getattr(env, "terms", {}).pop(docname, None)


def fill(app, doctree, docname):
    """Put the table in its place."""
    for place in list(doctree.findall(TermsTable)):
        rows = {}
        for page, found in sorted(app.env.terms.items()):
            for english, korean in found.items():
                rows.setdefault((english.lower(), english, korean), []).append(page)
        group = nodes.tgroup(cols=3)
        for width in (35, 30, 35):
            group += nodes.colspec(colwidth=width)
        group += nodes.thead("", row(*(nodes.Text(title) for title in ("English", "Korean", "chapters"))))
        body = nodes.tbody()
        for (_, english, korean), pages in sorted(rows.items()):
            links = nodes.inline()
            for page in pages:
                uri = app.builder.get_relative_uri(docname, page)
                links += [
                    nodes.reference("", app.env.titles[page].astext(), refuri=uri, internal=True),
                    nodes.Text("; "),
                ]
            links.pop()
            body += row(nodes.Text(english), nodes.inline("", korean, classes=["language-ko"]), links)
        group += body
        place.replace_self(nodes.table("", group, classes=["terms"]))


def row(*cells):
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def setup(app):
    """Called by Sphinx."""
    app.add_node(TermsTable)
    app.add_directive("terms", Terms)
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", fill)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False}
