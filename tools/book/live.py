"""Sphinx extension: live pages. A page has `<div class="live" data-live="draw"></div>`, which Colab shows as nothing.

The folder $AELIB_BOOK_LIVE, which the build fills by `live_models.py`, holds the weights and a still picture for each;
they go to `_static/live`, and `live.js` to the pages that need it.
"""

import os
import re
import shutil
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.util import logging

PLACE = re.compile(r'<div class="live" data-live="(\w+)"></div>')
STILLS = {
    "explorer": "Twelve rows of twelve digits, decoded from a grid of codes in the plane. Neighbours look alike.",
    "draw": "Three rows of twelve digits: unseen images, redrawn from 3 numbers, and redrawn from 32 numbers.",
    "normal": "Three rows of twelve digits: unseen, as a network that knows threes redraws them, and the difference.",
    "numbers": "Seven rows of ten digits: unseen, then redrawn from 2, 8 and 32 numbers by an autoencoder and by PCA.",
}
log = logging.getLogger(__name__)


def collect(app, doctree):
    """Put into each place what is seen without JavaScript, or until the models are loaded."""
    static = "../" * app.env.docname.count("/") + "_static/live"

    def still(place):
        name = place[1]
        if name not in STILLS:
            log.warning("live page %r: expected one of %s", name, ", ".join(STILLS), location=app.env.docname)
            return place[0]
        size = ""
        picture = Path(os.environ.get("AELIB_BOOK_LIVE", "")) / f"{name}.png"
        if picture.is_file():  # so that nothing jumps when it comes
            with Image.open(picture) as still_picture:
                size = 'width="{}" height="{}" '.format(*still_picture.size)
        return (
            f'<div class="live" data-live="{name}">'
            "<noscript><p>This part of the page is alive where JavaScript is on. A still picture:</p></noscript>"
            f'<img class="live-still" src="{static}/{name}.png" alt="{STILLS[name]}" {size}loading="lazy" /></div>'
        )

    for raw in list(doctree.findall(nodes.raw)):
        text = PLACE.sub(still, raw.astext())
        if text != raw.astext():
            raw.replace_self(nodes.raw("", text, format="html"))


def add_script(app, pagename, templatename, context, doctree):
    if doctree is not None and any('class="live"' in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.add_js_file("live.js")


def copy_models(app, error):
    source = os.environ.get("AELIB_BOOK_LIVE")
    if source and not error:
        ignored = shutil.ignore_patterns("reference.json")
        shutil.copytree(source, Path(app.outdir) / "_static" / "live", dirs_exist_ok=True, ignore=ignored)
        beside = Path(app.outdir).parent / "live"  # not published
        beside.mkdir(exist_ok=True)
        shutil.copy(Path(source) / "reference.json", beside)


def setup(app):
    """Called by Sphinx."""
    app.connect("doctree-read", collect)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", copy_models)
    return {"version": "1", "parallel_read_safe": True}
