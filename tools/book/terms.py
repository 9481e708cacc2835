"""Sphinx extension: a glossary, English and Korean, from the lines "In Korean." at the end of the chapters.

```{terms}
```
"""

import re

from docutils import nodes
from sphinx.util import logging
from tables import found, link, register, table

LEAD = "In Korean."
HANGUL = re.compile(r"[\uac00-\ud7a3]")
log = logging.getLogger(__name__)


def collect(app, doctree):
    """Remember the terms of one chapter: English to Korean."""
    terms = {}
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
            terms[term[:cut].strip()] = term[cut:].strip()
    return terms


def fill(app, docname, flags):
    """The table: a row for each term, with links to the chapters that list it."""
    pages = {}
    for page, terms in sorted(found(app.env, "terms").items()):
        for english, korean in terms.items():
            pages.setdefault((english.lower(), english, korean), []).append(page)
    rows = []
    for (_, english, korean), chapters in sorted(pages.items()):
        links = nodes.inline()
        for page in chapters:
            links += [link(app, docname, page), nodes.Text("; ")]
        links.pop()
        rows.append((english, nodes.inline("", korean, classes=["language-ko"]), links))
    return table("terms", {"English": 35, "Korean": 30, "chapters": 35}, rows)


def setup(app):
    """Called by Sphinx."""
    register(app, "terms", collect, fill)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False}
