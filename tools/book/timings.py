"""Where the time goes: `make profile NB=notebooks/05_embedding_dimension.ipynb`.

It prints the slowest cells, and how many cores a notebook kept busy.

    python tools/book/timings.py NOTEBOOK ...    run them, one after another, and list their slowest cells
    python tools/book/timings.py                 list the slowest cells of the book, from when each notebook last ran
"""

import asyncio
import sys
from pathlib import Path

import nbformat
from execution import execute, read, store

SHOWN = 10


def slowest(notebooks):
    """Lines of a table: seconds, share of all, notebook and number of the cell, its first line."""
    timed = [
        (cell.metadata.seconds, name, number, cell.source.splitlines()[0])
        for name, notebook in notebooks.items()
        for number, cell in enumerate(notebook.cells, 1)
        if cell.metadata.get("seconds")
    ]
    total = sum(seconds for seconds, *_ in timed) or 1
    for seconds, name, number, line in sorted(timed, reverse=True)[:SHOWN]:
        yield f"{seconds:7.1f} s {seconds / total:5.0%}  {name}, cell {number}: {line[:60]}"


def profile(paths):
    """Run notebooks, each with all cores, and say what they cost."""
    notebooks = {}
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        failed = asyncio.run(execute(path.resolve(), notebook))
        if failed:
            sys.exit(f"FAILED {path}, cell {failed[0]}: {failed[1]}")
        run = notebook.metadata.run
        print(f"{run.seconds:7.1f} s, {run.cpu_seconds / run.seconds:.2f} cores busy on average: {path}", flush=True)
        notebooks[path.stem] = notebook
    return notebooks


def last_runs():
    """The newest result of each notebook in the store."""
    files = sorted(store().glob("*.ipynb"), key=lambda file: file.stat().st_mtime)
    newest = {file.stem.rpartition("-")[0]: file for file in files}
    kept = {name: read(file) for name, file in newest.items()}
    return {name: notebook for name, notebook in kept.items() if notebook}


if __name__ == "__main__":
    paths = [Path(name) for name in sys.argv[1:]]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        sys.exit(f"NB: expected notebooks, got {', '.join(missing)}")
    print(*slowest(profile(paths) if paths else last_runs()), sep="\n")
