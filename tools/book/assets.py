"""Sphinx extension: a page loads what it needs.

- sphinx-thebe's scripts go: the book has no live code, and loading them twice is a console error.
- The theme's icons come as a script of 1.5 MB with all of Font Awesome (icons under CC BY 4.0). The few that the pages
  show become a style sheet of some kilobytes, which also works without JavaScript.
- Maps of the theme's scripts, for its developers, and fonts that no page uses go as well.
"""

import re
from pathlib import Path
from urllib.parse import quote

ICON = re.compile(r'"?([a-z0-9-]+)"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]')
RULES = """\
/* Icons by Fonticons, Inc. (https://fontawesome.com), CC BY 4.0: those that this site shows. */
.fa-solid, .fa-regular, .fa-brands, .fas, .far, .fab { display: inline-block; width: 1em; height: 1em;
  vertical-align: -0.125em; background: currentColor; mask: var(--icon) center / contain no-repeat;
  -webkit-mask: var(--icon) center / contain no-repeat; }
.fa-lg { font-size: 1.25em; } .fa-fw { width: 1.25em; }
@media (forced-colors: active) { .fa-solid, .fa-regular, .fa-brands, .fas, .far, .fab { background: CanvasText; } }
"""


def drop_thebe(app, pagename, templatename, context, doctree):
    context["script_files"] = [
        script for script in context["script_files"] if "thebe" not in f"{script} {vars(script)}".lower()
    ]


def few_icons(app, error):
    """Write the style sheet of icons, and let all pages use it in place of the script."""
    static = Path(app.outdir) / "_static"
    everything = static / "scripts" / "fontawesome.js"
    if error or not everything.exists():
        return
    pages = list(Path(app.outdir).rglob("*.html"))
    scripts = [file for file in static.rglob("*.js") if file != everything]
    seen = {name for file in pages + scripts for name in re.findall(r"\bfa-([a-z0-9-]+)", file.read_text("utf-8"))}
    rules = [RULES]
    for name, width, height, path in ICON.findall(everything.read_text("utf-8")):
        if name in seen:
            image = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><path d="{path}"/></svg>'
            rules.append(f'.fa-{name} {{ --icon: url("data:image/svg+xml,{quote(image)}"); }}\n')
    (static / "icons.css").write_text("".join(rules), "utf-8")
    for page in pages:
        html = page.read_text("utf-8")
        html = re.sub(
            r'<script defer src="([^"]*_static/)scripts/fontawesome\.js[^"]*"></script>',
            r'<link rel="stylesheet" href="\1icons.css" />',
            html,
        )
        page.write_text(html, "utf-8")
    for unused in [everything, *static.rglob("*.map"), *(static / "vendor" / "fontawesome").rglob("*.*")]:
        unused.unlink()


def setup(app):
    """Called by Sphinx."""
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", few_icons)
    return {"version": "1", "parallel_read_safe": True}
