"""Sphinx extension: the search shows excerpts also where pages are read from the disk, and chapters before the API.

Sphinx's search asks for each page that it found, to show some of its words; browsers refuse that for files. So the page
of the search, and it alone, also loads the text of all pages.
"""

import json
from pathlib import Path

from bs4 import BeautifulSoup

SCRIPT = """\
/* What the search shows of the pages, where they are read from the disk. */
"use strict";
if (location.protocol === "file:") {
  const texts = %s;
  window.fetch = async (url) => {
    const name = Object.keys(texts).find((name) => String(url).includes(name));
    const main = document.createElement("main");
    main.setAttribute("role", "main");
    main.textContent = texts[name] ?? "";
    return new Response(main.outerHTML);
  };
}
"""


def write_texts(app, error):
    search = Path(app.outdir) / "search.html"
    if error or not search.exists():
        return
    texts = {}
    for docname in sorted(app.env.found_docs):
        page = Path(app.builder.get_outfilename(docname))
        article = BeautifulSoup(page.read_text("utf-8"), "html.parser").find("article")
        for unread in article(["script", "style", "pre", "math"]):
            unread.decompose()
        texts[app.builder.get_target_uri(docname)] = " ".join(article.get_text(" ").split())
    script = SCRIPT % json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")
    (Path(app.outdir) / "_static" / "texts.js").write_text(script, "utf-8")
    html = search.read_text("utf-8")
    before = '<script src="_static/searchtools.js"></script>'
    search.write_text(html.replace(before, f'<script src="_static/texts.js"></script>\n  {before}'), "utf-8")


def setup(app):
    """Called by Sphinx."""
    app.connect("build-finished", write_texts)
    return {"version": "1", "parallel_read_safe": True}
