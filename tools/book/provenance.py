"""Sphinx extension: each executed page says on which data, when, how long and with which versions it ran."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector

EMBEDDED = (
    "This page was built without MNIST. Its images are digits drawn by aelib.make_digits, so its numbers differ from "
    "those of the published book; its verdicts should not."
)


def add_provenance(app, doctree):
    """Insert the line below the title, and above it a note if the page used the drawn digits in place of MNIST."""
    executed = NbMetadataCollector.get_exec_data(app.env, app.env.docname)
    section = next(doctree.findall(nodes.section), None)
    if not executed or section is None:
        return
    parts = []
    if "load_images(" in Path(app.env.doc2path(app.env.docname)).read_text("utf-8"):
        data = os.environ.get("AELIB_BOOK_DATA", "the images that load_images() found")
        parts.append(f"Run on {data}")
        if os.environ.get("AELIB_BOOK_ORIGIN") == "embedded":
            section.insert(1, nodes.note("", nodes.paragraph("", EMBEDDED), classes=["embedded-data"]))
    day = datetime.fromtimestamp(executed["mtime"], UTC)
    parts.append(f"{day:%Y-%m-%d}, in {executed['runtime'] or 0:.0f} seconds")
    packages = ", ".join(
        f"{name} {version(package)}"
        for name, package in (
            ("TensorFlow", "tensorflow"),
            ("Keras", "keras"),
            ("numpy", "numpy"),
            ("scikit-learn", "scikit-learn"),
        )
    )
    parts.append(f"Python {platform.python_version()}, {packages}")
    section.insert(1, nodes.paragraph("", " · ".join(parts), classes=["provenance"]))


def setup(app):
    """Called by Sphinx."""
    app.connect("doctree-read", add_provenance)
    return {"version": "1", "parallel_read_safe": False}
