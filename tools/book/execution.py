"""Execute notebooks, several at once, and keep what came out where the next build, also of another clone, finds it.

The store is the folder `executed` in `aelib.datasets.cache_folder()`, one executed notebook a file. A file's name holds
a hash of everything that its outputs depend on: the code cells, the library, the packages, Python and the data. Text
does not count. A file that cannot be read is no file; one that nobody used for two months is removed.
"""

import asyncio
import atexit
import datetime
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL

import joblib
import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from threads import share
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 3e9  # bytes that a chapter takes, at most
KEPT_DAYS = 60
TAGS = {"raises-exception", "skip-execution"}  # those that change what is executed

# The modules of aelib that need no Keras, without waiting for it and TensorFlow to be imported.
sys.modules.setdefault("aelib", types.ModuleType("aelib")).__path__ = [str(ROOT / "aelib")]
from aelib.datasets import cache_folder  # noqa: E402


def store():
    """The folder of executed notebooks."""
    return cache_folder() / "executed"


def code(notebook):
    """The code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def fingerprint(inputs):
    """A hash of these inputs and of all else that a result depends on: library, packages, Python, system."""
    system = (platform.python_version(), sys.platform, platform.machine(), os.environ.get("KERAS_BACKEND"))
    digest = hashlib.sha256(json.dumps([inputs, system]).encode())
    for source in [*sorted((ROOT / "aelib").rglob("*.py")), ROOT / "requirements.lock"]:
        digest.update(f"\n{source.relative_to(ROOT)}\n".encode() + source.read_bytes())
    return digest.hexdigest()


def file_of(path, notebook, data):
    """Where the results of this notebook on this data are kept, if they are."""
    inputs = [(cell.source, sorted(TAGS & set(cell.metadata.get("tags", [])))) for cell in code(notebook)]
    return store() / f"{path.stem}-{fingerprint([inputs, data])[:20]}.ipynb"


def read(file):
    """A notebook from the store, or None if it is not there or damaged; its `metadata.run` has `seconds` and `date`."""
    try:
        kept = nbformat.read(file, as_version=4)
        nbformat.validate(kept)
        datetime.datetime.fromisoformat(kept.metadata.run.date)
        os.utime(file)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError):
        return None
    return kept


def write(file, notebook):
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, suffix=".part", delete=False) as part:
        part.write(nbformat.writes(notebook))
    Path(part.name).replace(file)


def remove_old():
    """Remove what nobody used for long, and what an interrupted run left half-written."""
    for file in [*store().glob("*"), *(cache_folder() / "live").glob("*")]:
        days = (time.time() - file.stat().st_mtime) / 86400
        if days > KEPT_DAYS or (file.suffix == ".part" and days > 1):
            shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)


def seconds_before(path):
    """How long an earlier version of this notebook took; unknown ones come first, as the longest."""
    versions = sorted(store().glob(f"{path.stem}-*.ipynb"), key=lambda file: file.stat().st_mtime)
    kept = read(versions[-1]) if versions else None
    return kept.metadata.run.seconds if kept else float("inf")


def workers(notebooks):
    """How many notebooks at once: as many as there are cores and memory for, or $AELIB_JOBS."""
    asked = os.environ.get("AELIB_JOBS")
    if asked and not (asked.isdecimal() and int(asked)):
        sys.exit(f"AELIB_JOBS: expected how many notebooks may run at once, at least 1, got {asked!r}")
    most = int(asked) if asked else min(joblib.cpu_count(), int(psutil.virtual_memory().available / MEMORY))
    return max(1, min(most, notebooks))


class Client(NotebookClient):
    """nbclient's, which notes how long each cell took, and how busy the processor was."""

    number, cpu_seconds = 0, 0.0

    async def async_execute_cell(self, cell, cell_index, **options):
        self.number, started = cell_index + 1, time.monotonic()
        await super().async_execute_cell(cell, cell_index, **options)
        if cell.cell_type == "code":
            cell.metadata["seconds"] = round(time.monotonic() - started, 2)
            self.cpu_seconds = max(self.cpu_seconds, cpu_seconds(self.km.provisioner.pid))
        return cell


def cpu_seconds(pid):
    """Processor time of a process and its children, so far."""
    try:
        process = psutil.Process(pid)
        return sum(sum(p.cpu_times()[:4]) for p in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0.0


async def execute(path, notebook, timeout=300, programs=1, after_cell=None):
    """Execute one notebook in place, as one of so many programs. Returns None, or the failing cell and its error."""
    # What TensorFlow writes past Python goes nowhere, instead of into the page.
    quiet = ["--IPKernelApp.capture_fd_output=False"]
    environment = os.environ | share(programs)
    environment |= {"IPYTHONDIR": str(ROOT / "_build" / ".ipython"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    place = {"metadata": {"path": str(path.parent)}}
    client = Client(notebook, timeout=timeout, resources=place, kernel_name="python3", extra_arguments=quiet)
    client.on_cell_executed = after_cell
    started = time.monotonic()
    try:
        await client.async_execute(env=environment, stdout=DEVNULL, stderr=DEVNULL)
    except asyncio.CancelledError:  # before nbclient has begun to look after its kernel
        atexit.unregister(client._cleanup_kernel)
        if client.km is not None and client.km.has_kernel:
            await client.km.shutdown_kernel(now=True)
        raise
    except (CellExecutionError, TimeoutError, RuntimeError) as error:
        if asyncio.current_task().cancelling():  # nbclient says that the kernel died
            raise asyncio.CancelledError from None
        return client.number, message(error)
    notebook.metadata["run"] = {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(client.cpu_seconds, 1),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    return None


def message(error):
    """An error in one line, with the line of the notebook that raised it."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    if not isinstance(error, CellExecutionError):
        return f"{type(error).__name__}: {lines[0]}"
    places = [re.sub(r"^-+> \d+ ", "at: ", line) for line in lines if re.match(r"-+> \d", line)]
    return " ".join([lines[-1], *places[-1:]])


def run_beside(coroutine):
    """Run it in another thread. In this one nbclient would take over Ctrl-C, to stop one kernel of several."""
    running = []

    async def main():
        running.extend((asyncio.get_running_loop(), asyncio.current_task()))
        await coroutine

    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(asyncio.run, main())
        try:
            future.result()
        except KeyboardInterrupt:
            loop, task = running
            loop.call_soon_threadsafe(task.cancel)
            raise


def execute_all(paths, timeout, data, again=False):
    """Results for these notebooks: from the store, or by running them.

    Args:
        paths: of notebooks.
        timeout: seconds for a cell.
        data: name of the images that they load.
        again: run also what is in the store.

    Returns:
        `({path: executed notebook}, {path: (cell number, error)})`
    """
    remove_old()
    done, failed, files, due = {}, {}, {}, []
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        files[path] = file_of(path, notebook, data)
        kept = None if again else read(files[path])
        if kept:
            done[path] = kept
            print(f"{shown(path)}: kept from an earlier run", flush=True)
        else:
            due.append((path, notebook))
    due.sort(key=lambda item: (seconds_before(item[0]), item[0].stat().st_size), reverse=True)
    programs = workers(len(due))

    async def one(path, notebook, gate, bar):
        async with gate:
            tqdm.write(f"{shown(path)}: running")
            failure = await execute(path, notebook, timeout, programs, lambda **cell: bar.update())
        if failure:
            failed[path] = failure
            tqdm.write(f"{shown(path)}: failed")
            return
        done[path] = notebook
        if file_of(path, notebook, data) == files[path]:  # unless the library was edited meanwhile
            write(files[path], notebook)
        tqdm.write(f"{shown(path)}: done in {notebook.metadata.run.seconds:.0f} s")

    async def everything():
        gate = asyncio.Semaphore(programs)
        cells = sum(len(code(notebook)) for _, notebook in due)
        with tqdm(total=cells, unit="cell", disable=None, leave=False) as bar:  # on a terminal only
            async with asyncio.TaskGroup() as group:
                for path, notebook in due:
                    group.create_task(one(path, notebook, gate, bar))

    if due:
        run_beside(everything())
    return done, failed


def shown(path):
    """As the reader knows it."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
