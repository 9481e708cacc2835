"""Sphinx extension: a page loads what it needs.

- sphinx-thebe's files go: the book has no live code, and loading them twice is a console error.
- The theme draws its icons twice: by a script of 1.5 MB, and, where that is absent, as letters of a font. The script
  goes. Of the fonts (Font Awesome, under the SIL OFL 1.1) and of their style rules, what the pages show stays.
- Maps of the theme's scripts, for its developers, go as well.

It also mends what the theme writes and axe-core complains about, and loads pictures when they come into view.
"""

import re
from pathlib import Path

from fontTools import subset

# What the theme writes, and what it should: a label that hides the words one sees, a sidebar that is no landmark.
MENDED = {
    ' role="doc-biblioentry"': ' role="listitem"',
    '<summary><span class="toctree-toggle"': '<summary aria-label="sub-pages"><span class="toctree-toggle"',
    '<summary aria-label="Toggle hidden content">': "<summary>",
    ' title="Search" aria-label="Search"': ' title="Search"',
    '<div id="pst-primary-sidebar"': '<div id="pst-primary-sidebar" role="region" aria-label="Chapters"',
}
ICON_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"[^"]*"\}')


def drop_thebe(app, pagename, templatename, context, doctree):
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context[kind] if "thebe" not in f"{file} {vars(file)}".lower()]


def print_as_html(app):
    """For one long page, which `make pdf` prints, draw every kind of node as on the pages of the site."""
    handlers = app.registry.translation_handlers
    if app.builder.name == "singlehtml":
        handlers["singlehtml"] = {**handlers["html"], **handlers.get("singlehtml", {})}


def tidy(app, error):
    """Leave the icons that some page or script shows, and mend what the theme writes."""
    static = Path(app.outdir) / "_static"
    everything = static / "scripts" / "fontawesome.js"
    if error or not everything.exists():
        return
    everything.unlink()
    pages = list(Path(app.outdir).rglob("*.html"))
    for page in pages:
        html = re.sub(r'<script defer src="[^"]*scripts/fontawesome\.js[^"]*"></script>', "", page.read_text("utf-8"))
        for written, meant in MENDED.items():
            html = html.replace(written, meant)
        html = re.sub(r'<img(?![^>]* loading=)(?=[^>]*src="[^"]*_images/)', '<img loading="lazy"', html)
        page.write_text(html, "utf-8")
    files = pages + list(static.rglob("*.js"))
    shown = {name for file in files for name in re.findall(r"\bfa-[a-z0-9-]+", file.read_text("utf-8"))}

    def keep(rule):
        return rule[0] if shown & set(re.findall(r"fa-[a-z0-9-]+", rule[1])) else ""

    letters = set()
    for sheet in static.rglob("*.css"):
        css = ICON_RULE.sub(keep, sheet.read_text("utf-8"))
        css = re.sub(r"url\([^)]*\.woff2\) format\(\"woff2\"\),\s*", "", css)
        letters |= {int(code, 16) for code in re.findall(r'"\\([ef][0-9a-f]{3})"', css)}
        letters |= {ord(letter) for letter in css if "\ue000" <= letter <= "\uf8ff"}  # written as they are
        sheet.write_text(css, "utf-8")
    fonts = static / "vendor" / "fontawesome"
    for font in fonts.rglob("*.ttf"):
        few_letters(font, letters)
    for unused in [*static.rglob("*.map"), *fonts.rglob("*.woff2")]:
        unused.unlink()


def few_letters(font, letters):
    """Keep these letters of a font, in place."""
    options = subset.Options(notdef_outline=True, layout_features=[])
    opened = subset.load_font(font, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=letters)
    subsetter.subset(opened)
    subset.save_font(opened, font, options)


def setup(app):
    """Called by Sphinx."""
    app.connect("builder-inited", print_as_html)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", tidy)
    return {"version": "1", "parallel_read_safe": True}
