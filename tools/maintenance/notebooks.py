"""Normalise the notebooks, so that a change to one shows as that change and nothing else.

    python tools/maintenance/notebooks.py            rewrite what is not normal
    python tools/maintenance/notebooks.py --check    say what is not normal and exit 1

A normal notebook has no outputs, no execution counts, no metadata but the kernel's name, `tags` and `mystnb` (and
nbgrader's, in the sources of problem sets), and as its first code cell the one that installs aelib on Colab, with the
repository's address from `_config.yml`. `tools/assignments/versions.py` writes the student versions of problem sets.
"""

import sys
import tomllib
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[2]
KEPT_CELL_METADATA = ("tags", "mystnb", "nbgrader")
NOTEBOOKS = ("notebooks/*.ipynb", "notebooks/assignments/source/*/*.ipynb")
NORMAL_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
COLAB_CELL = """\
# From "Autoencoders, tested": {address}
# lists all chapters in their order. On Colab, this cell installs the course's library
# beside Colab's own TensorFlow. For a GPU, first: Runtime > Change runtime type.
import sys

if "google.colab" in sys.modules:
    %pip install -q --no-deps "aelib @ git+{address}@v{version}"\
"""
# Modules that Colab lacks (`tests/colab.txt`), and what brings them without replacing anything.
NOT_ON_COLAB = {"distributed": "dask[distributed]"}


def repository_address(root=ROOT):
    """The one place where the repository's address is written."""
    return yaml.safe_load((root / "_config.yml").read_text("utf-8"))["repository"]["url"].rstrip("/")


def colab_cell(root=ROOT):
    """The source of every notebook's first code cell."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return COLAB_CELL.format(address=repository_address(root), version=version)


def normalised(text, first_cell):
    """The normal form of a notebook's JSON text."""
    notebook = nbformat.reads(text, as_version=4)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = dict(NORMAL_METADATA)
    seen = set()
    for i, cell in enumerate(notebook.cells):
        cell.metadata = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)}
        cell.source = cell.source.strip("\n")
        if not cell.get("id") or cell.id in seen:
            cell.id = f"cell-{i}"
        seen.add(cell.id)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if "colab" not in cell.source.lower():
                raise ValueError("the first code cell must be the one that installs aelib on Colab")
            lacking = [brings for module, brings in NOT_ON_COLAB.items() if f"from {module} import" in text]
            cell.source = "\n".join([first_cell, *(f'    %pip install -q "{brings}"' for brings in lacking)])
            cell.metadata |= {"tags": ["remove-cell"]}
            break
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def main(arguments):
    check, first_cell, changed = "--check" in arguments, colab_cell(), []
    for path in sorted(path for pattern in NOTEBOOKS for path in ROOT.glob(pattern)):
        before = path.read_text("utf-8")
        try:
            after = normalised(before, first_cell)
        except ValueError as error:
            sys.exit(f"{path.relative_to(ROOT)}: {error}")
        if after != before:
            changed.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(after, "utf-8")
    if changed:
        print("not normal:" if check else "normalised:", *changed, sep="\n  ")
        if check:
            sys.exit("Run `make format`.")


if __name__ == "__main__":
    main(sys.argv[1:])
