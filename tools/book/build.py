"""Build the book by running it: `make book`.

1. Find the data. Where MNIST cannot be had, every notebook is told to use the drawn digits, and every page says so.
2. Execute the notebooks, several at once, or take their results from an earlier run. A failing cell is named.
3. Train the small models of the live pages, or take them from an earlier run.
4. Run Jupyter Book on the results, so that a warning stops it, on the first run and on every later one.
5. Say where to look.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import datetime
from pathlib import Path, PurePosixPath

import nbformat
import yaml
from execution import ROOT, cache_folder, code, execute_all, fingerprint
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.db import NbCacheRecord, session_context
from sphinx_external_toc.parsing import parse_toc_yaml

# After `execution`, which sees to it that this does not import Keras.
from aelib.datasets import DataUnavailableError, fetch_mnist

# What Sphinx and the kernels tell a developer, but no author of a book.
NOISE = re.compile(
    r"All log messages before absl|^[IWE]0000 00:00|rebuild TensorFlow|Using cached notebook|^\s*$"
    r"|^(reading sources|writing output|copying|preparing|checking|looking for|loading|updating|pickling)"
    r"|(Md|Nb)ParserConfig|\.\.\. ?(done|none found)$|^=+$"
)
SHOWN = re.compile(r"(WARNING|ERROR): (?!All log messages before absl)")  # also behind what is noise otherwise


def find_data():
    """Decide once which images all notebooks use. Returns their name and where they came from."""
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


def notebooks():
    """The notebooks of the table of contents that are to be executed, and the seconds that a cell may take."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["execute"]
    paths = [ROOT / f"{page}.ipynb" for page in parse_toc_yaml(ROOT / "_toc.yml")]
    excluded = settings.get("exclude_patterns", [])
    relative = {path: PurePosixPath(path.relative_to(ROOT).as_posix()) for path in paths if path.exists()}
    due = [path for path, name in relative.items() if not any(name.match(pattern) for pattern in excluded)]
    return due, settings["timeout"]


def fill_cache(folder, executed):
    """Put results into Jupyter Book's execution cache, as if it had run the notebooks itself, on the day they ran."""
    cache = get_cache(folder)
    for path, kept in executed.items():
        notebook = nbformat.read(path, as_version=4)  # its text and its metadata may be newer than the results
        for cell, ran in zip(code(notebook), code(kept), strict=True):
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
        notebook.metadata |= {key: kept.metadata[key] for key in ("language_info", "widgets") if key in kept.metadata}
        bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": kept.metadata.run.seconds})
        record = cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        with session_context(cache.db) as session:
            date = datetime.fromisoformat(kept.metadata.run.date)
            session.get(NbCacheRecord, record.pk).created = date.astimezone().replace(tzinfo=None)
            session.commit()


def live_models(data):
    """The folder with the models of the live pages, trained now unless it is kept; None where no page is alive."""
    pages = [ROOT / page for page in parse_toc_yaml(ROOT / "_toc.yml")]
    files = [page.with_suffix(suffix) for page in pages for suffix in (".md", ".ipynb")]
    if not any(re.search(r'class=\\?"live\\?"', file.read_text("utf-8")) for file in files if file.exists()):
        return None
    program = Path(__file__).with_name("live_models.py")
    digest = fingerprint([program.read_text("utf-8"), data])
    folder = cache_folder() / "live" / digest[:20]
    if (folder / "reference.json").exists():  # written last
        os.utime(folder)
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    print("live pages: training their models", flush=True)
    started, part = time.monotonic(), folder.with_suffix(f".{os.getpid()}.part")
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, program, part]
    try:
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace")
        if done.returncode:
            sys.exit(f"{done.stderr}\nThe models of the live pages could not be trained; the message above says why.")
        if not (folder / "reference.json").exists():  # or another build was faster
            part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    print(f"live pages: done in {time.monotonic() - started:.0f} s", flush=True)
    return folder


def run_jupyter_book(data, origin, live, builder="html"):
    """Run it, showing what happens while it happens. Returns its exit status."""
    environment = os.environ | {
        "AELIB_BOOK_DATA": data,
        "AELIB_BOOK_LIVE": str(live or ""),
        "AELIB_BOOK_ORIGIN": origin,
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [shutil.which("jupyter-book", path=str(Path(sys.executable).parent)) or "jupyter-book"]
    command += ["build", str(ROOT), "-W", "--keep-going", "--builder", builder]
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


def zip_site(html):
    """Put the whole site into one file beside its pages, for reading without internet: unpack it, open index.html."""
    with tempfile.TemporaryDirectory() as folder:
        archive = shutil.make_archive(str(Path(folder) / "book"), "zip", html.parent, html.name)
        shutil.move(archive, html / "autoencoders-tested.zip")


def strip_colours(text):
    """Without the terminal's colour codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def execute_notebooks():
    """Execute what is not kept. Returns the data's name, where they came from, and `{path: executed notebook}`."""
    sys.stdout.reconfigure(line_buffering=True)
    data, origin = find_data()
    os.environ["AELIB_CACHE"] = str(cache_folder().resolve())
    executed, failed = execute_all(*notebooks(), data)
    for path, (number, error) in sorted(failed.items()):
        print(f"FAILED {path.relative_to(ROOT)}, cell {number}: {error}")
    if failed:
        sys.exit("Mend what is named above and run `make book` or `make test` again. What passed is kept.")
    return data, origin, executed


def main():
    started, build = time.monotonic(), ROOT / "_build"
    data, origin, executed = execute_notebooks()
    live = live_models(data)
    # With the old page tree, Sphinx would not read an unchanged page again, nor warn again.
    for stale in (".doctrees", "html", ".jupyter_cache"):
        shutil.rmtree(build / stale, ignore_errors=True)
    fill_cache(build / ".jupyter_cache", executed)
    status, index = run_jupyter_book(data, origin, live), build / "html" / "index.html"
    if status or not index.exists():
        sys.exit("The book was not built. Mend what is named above and run `make book` again.")
    zip_site(build / "html")
    print(f"Open {index.relative_to(ROOT)}: built in {time.monotonic() - started:.0f} s on {data} ({origin}).")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Finished chapters are kept; run `make book` to go on.")
