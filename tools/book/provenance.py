"""Sphinx extension: each executed page says on which data, when, how long and with which versions it ran.

And each page says at its foot of which edition it is: version, day, data and, where git knows it, commit.
"""

import os
import platform
import subprocess
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


def add_edition(app, config):
    command = ["git", "-C", app.srcdir, "describe", "--always", "--dirty"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # not a clone
        commit = ""
    parts = [f"Version {version('aelib')}", f"built on {datetime.now(UTC):%Y-%m-%d}"]
    parts += [f"data: {os.environ['AELIB_BOOK_DATA']}"] if os.environ.get("AELIB_BOOK_DATA") else []
    parts += [f"commit {commit}"] if commit else []
    options = config.html_theme_options
    options["extra_footer"] = f'{options.get("extra_footer", "")}<p class="edition">{" · ".join(parts)}</p>'


def setup(app):
    """Called by Sphinx."""
    app.connect("config-inited", add_edition)
    app.connect("doctree-read", add_provenance)
    return {"version": "1", "parallel_read_safe": False}
