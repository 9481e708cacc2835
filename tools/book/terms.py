"""Sphinx extension: a glossary, English and Korean, from the lines "In Korean." at the end of the chapters.

```{terms}
```

Where a chapter first uses a term of its list, in running text, the word leads to the glossary.
"""

import re

from docutils import nodes
from sphinx.addnodes import document
from sphinx.util import logging
from tables import found, link, register, table

LEAD = "In Korean."
RUNNING_TEXT = (
    document,
    nodes.section,
    nodes.paragraph,
    nodes.emphasis,
    nodes.strong,
    nodes.bullet_list,
    nodes.enumerated_list,
    nodes.list_item,
)
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
        name = nodes.inline("", english, ids=[nodes.make_id(f"term {english}")])
        rows.append((name, nodes.inline("", korean, classes=["language-ko"]), links))
    return table("terms", {"English": 35, "Korean": 30, "chapters": 35}, rows)


def running_texts(doctree):
    """Texts that are neither titles, links, code, bets nor the list of terms itself."""
    for text in doctree.findall(nodes.Text):
        above, place = [], text.parent
        while place is not None:
            above.append(place)
            place = place.parent
        lists = any(isinstance(node, nodes.paragraph) and node.astext().startswith(LEAD) for node in above)
        if not lists and all(type(node) in RUNNING_TEXT for node in above):
            yield text


def first_use(doctree, english):
    """The text of a page that first uses a term, and where in it; None if none does."""
    ways = "|".join(r"\s+".join(map(re.escape, way.split())) for way in english.split(", "))
    plural = "(e?s)?" if len(english) > 4 else ""  # "means" is seldom more than one mean
    term = re.compile(rf"(?<![\w-])({ways}){plural}(?![\w-])", re.IGNORECASE)
    for text in running_texts(doctree):
        match = term.search(text.astext())
        if match:
            return text, match
    return None


def link_first_uses(app, doctree, docname):
    """Longer terms first: "denoising autoencoder" is not a use of "autoencoder"."""
    terms = found(app.env, "terms").get(docname, {})
    glossary = found(app.env, "pages").get("terms")
    for english in sorted(terms, key=len, reverse=True) if glossary else ():
        use = first_use(doctree, english)
        if use:
            text, match = use
            before, after = nodes.Text(match.string[: match.start()]), nodes.Text(match.string[match.end() :])
            uri = f"{app.builder.get_relative_uri(docname, glossary)}#{nodes.make_id(f'term {english}')}"
            leads = nodes.reference("", match[0], refuri=uri, internal=True, classes=["term"], reftitle=terms[english])
            text.parent.replace(text, [before, leads, after])


def setup(app):
    """Called by Sphinx."""
    app.connect("doctree-resolved", link_first_uses)
    register(app, "terms", collect, fill)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False}
