"""Run every notebook of the book, or take its result from an earlier run: `make test-notebooks`.

`make book` and this share what they ran. So that a kept result deserves trust, nbval runs the first notebook anew, and
what it prints must be what is kept, word for word, but for seconds. (Pictures are drawn, not compared.)
"""

import copy
import os
import subprocess
import sys
from pathlib import Path

import nbformat
from build import execute_notebooks
from execution import ROOT, code, share


def compare(name, kept):
    """Run this notebook again and compare. Returns pytest's exit status."""
    folder = ROOT / "_build" / "again"
    folder.mkdir(parents=True, exist_ok=True)
    kept = copy.deepcopy(kept)
    for cell in code(kept):
        if any("data" in output for output in cell.outputs):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "nbval-ignore-output"]
    nbformat.write(kept, folder / name)
    seconds = Path(__file__).with_name("nbval.cfg")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:python", "--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", seconds, folder / name]
    return subprocess.run(command, cwd=ROOT, env=os.environ | share(1)).returncode


def main():
    _, _, executed = execute_notebooks()
    print(f"{len(executed)} notebooks passed.", flush=True)
    first = min(executed)
    sys.exit(compare(first.name, executed[first]))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Finished notebooks are kept; run the same command to go on.")
