"""Run every notebook of the book, or take its result from an earlier run: `make test-notebooks`.

`make book` and this share what they ran. So that a kept result deserves trust, nbval runs the first notebook anew, and
its output must be what is kept, word for word.
"""

import os
import subprocess
import sys

import nbformat
from build import execute_notebooks
from execution import ROOT, share


def compare(name, kept):
    """Run this notebook again and compare. Returns pytest's exit status."""
    folder = ROOT / "_build" / "again"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(kept, folder / name)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:python", "--nbval", "--nbval-current-env", folder / name]
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
