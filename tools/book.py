"""Build the book by running it: `make book`.

1. Find the data. Where MNIST cannot be had, every notebook is told to use the drawn digits, and every page says so.
2. Repair what an interrupted run may have left.
3. Run Jupyter Book so that a failing cell or a warning stops it, on the first run and on every later one.
4. Say where to look, or which cell of which notebook failed.
"""

import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import warnings
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
KEPT_CACHES = 4  # one for each recent combination of library, packages and data
# What the kernels and the log tell a developer of TensorFlow or Jupyter, but no author of a book.
NOISE = re.compile(
    r"All log messages before absl|^[IWE]0000 00:00|rebuild TensorFlow|^\[IPKernelApp\]|over TCP without encryption"
    r"|^\s*$|^(reading sources|writing output|copying|preparing|checking|looking for|loading|updating|pickling)"
    r"|(Md|Nb)ParserConfig|\.\.\. ?(done|none found)$|^=+$"
)
SHOWN = re.compile(r"(WARNING|ERROR): (?!All log messages before absl)")  # also behind what is noise otherwise


@contextlib.contextmanager
def quiet_terminal():
    """Send what is written to file descriptor 2, past Python's own stderr, nowhere."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def find_data():
    """Decide once which images all notebooks use. Returns their name and where they came from."""
    with quiet_terminal():  # TensorFlow's greetings go past Python
        from aelib.datasets import DataUnavailableError, fetch_mnist

    if os.environ.get("AELIB_DATA") not in (None, "", "embedded"):
        os.environ["AELIB_DATA"] = str(Path(os.environ["AELIB_DATA"]).expanduser().resolve())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm's, about a widget that a terminal does not have
            mnist = fetch_mnist()
    except DataUnavailableError as error:
        if os.environ.get("AELIB_DATA") != "embedded":
            print(f"{error}\nGoing on with the embedded data: digits drawn by aelib.make_digits.")
        os.environ["AELIB_DATA"] = "embedded"
        return "drawn digits", "embedded"
    return mnist.name, mnist.origin


def cache_key(data):
    """Executed notebooks may be used again only with the same library, packages, Python and data."""
    digest = hashlib.sha256(f"{sys.version}{data}".encode())
    for path in [*sorted((ROOT / "aelib").rglob("*.py")), ROOT / "requirements.lock"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def is_sound(cache):
    """Whether every notebook that the cache's database lists can be read."""
    try:
        with sqlite3.connect(cache / "global.db") as database:
            if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                return False
            listed = {row[0] for row in database.execute("SELECT hashkey FROM nbcache")}
        stored = {path.parent.name for path in (cache / "executed").glob("*/base.ipynb")}
        for key in listed:
            nbformat.read(cache / "executed" / key / "base.ipynb", as_version=4)
    except (sqlite3.Error, OSError, ValueError):
        return False
    return listed == stored


def prepare(build, key):
    """Throw away what an earlier run may have left half-done; keep sound results. Returns the cache's folder."""
    caches = build / ".jupyter_cache"
    cache = caches / key
    if cache.exists() and not is_sound(cache):
        print("The execution cache is damaged, probably by an interrupted run: starting it afresh.")
        shutil.rmtree(cache)
    cache.mkdir(parents=True, exist_ok=True)
    os.utime(cache)
    for old in sorted(caches.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT_CACHES]:
        shutil.rmtree(old)
    # With the old page tree, Sphinx would not read an unchanged page again, nor see again that it fails.
    for stale in (build / ".doctrees", build / "html"):
        shutil.rmtree(stale, ignore_errors=True)
    # What TensorFlow writes past Python goes to the terminal, not into the page.
    profile = build / ".ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.capture_fd_output = False\n", "utf-8")
    return cache


def run_jupyter_book(build, cache, data, origin):
    """Run it, showing what happens while it happens. Returns its exit status."""
    environment = os.environ | {
        "AELIB_BOOK_CACHE": str(cache),
        "AELIB_BOOK_DATA": data,
        "AELIB_BOOK_ORIGIN": origin,
        "IPYTHONDIR": str(build / ".ipython"),
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [shutil.which("jupyter-book", path=str(Path(sys.executable).parent)) or "jupyter-book"]
    command += ["build", str(ROOT), "-W", "--keep-going"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        try:
            for line in process.stdout:
                for part in strip_colours(line).split("\r"):
                    if SHOWN.search(part) or not NOISE.search(part):
                        print(part.rstrip().replace(f"{ROOT}{os.sep}", ""), flush=True)
        except KeyboardInterrupt:
            process.communicate()  # it got the same signal; do not let it wait for a full pipe
            raise
    return process.returncode


def strip_colours(text):
    """Without the terminal's colour codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def failed_cells(build):
    """`(notebook, cell number, error)` for each notebook whose execution failed, from Jupyter Book's reports."""
    for report in sorted((build / "html" / "reports").rglob("*.err.log")):
        text = strip_colours(report.read_text("utf-8"))
        path = ROOT / report.relative_to(build / "html" / "reports").with_suffix("").with_suffix(".ipynb")
        lines = [line.strip() for line in text.splitlines() if line.strip()] or ["unknown error"]
        error = " ".join(
            [lines[-1], *[re.sub(r"^-+> \d+ ", "at: ", line) for line in lines if line.startswith("--")][-1:]]
        )
        cells = nbformat.read(path, as_version=4).cells if path.exists() else []
        named = [(len(cell.source), i) for i, cell in enumerate(cells, 1) if cell.source and cell.source in text]
        number = max(named)[1] if named else "?"
        yield path.relative_to(ROOT), number, error


def main():
    started, build = time.monotonic(), ROOT / "_build"
    data, origin = find_data()
    cache = prepare(build, cache_key(data))
    status = run_jupyter_book(build, cache, data, origin)
    index = build / "html" / "index.html"
    if status or not index.exists():
        for notebook, number, error in failed_cells(build):
            print(f"FAILED {notebook}, cell {number}: {error}")
        sys.exit("The book was not built. Mend what is named above and run `make book` again.")
    print(f"Open {index.relative_to(ROOT)}: built in {time.monotonic() - started:.0f} s on {data} ({origin}).")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Finished chapters are kept; run `make book` to go on.")
