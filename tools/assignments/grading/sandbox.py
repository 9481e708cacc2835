"""Where a submission runs: a process in a box of its own, made by bubblewrap.

In the box there is Python with its packages and `aelib`, all read-only, and an empty scratch folder in memory. There is
no network, no other process, no home folder, no other submission, no solution and no test. The process talks to the
grader through one pair of sockets, in plain data.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[3]
BOOT = Path(__file__).with_name("student.py")
WIRE = Path(__file__).with_name("wire.py")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg"}
SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/nix")


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    cell_seconds: float = 30.0  # of the processor, a cell or a test
    seconds: float = 240.0
    memory: int = 4 * 2**30  # bytes, of all its processes together
    processes: int = 40
    scratch: int = 128 * 2**20  # bytes of files
    output: int = 200_000  # characters a cell


class NoIsolationError(RuntimeError):
    """This system has no bubblewrap, or does not let it work."""


def check_isolation():
    """Raise `NoIsolationError` with what to do, unless a box can be made here."""
    advice = (
        "Submissions are programs of other people: without a box they could read or delete your files.\n"
        "Install bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap); on macOS and "
        "Windows grade inside a Linux container, a virtual machine or WSL 2.\n"
        "If you trust every submission as you trust your own code: make grade ISOLATION=none ..."
    )
    if shutil.which("bwrap") is None:
        raise NoIsolationError(f"bubblewrap (bwrap) was not found.\n{advice}")
    tried = subprocess.run([*_box(), "true"], capture_output=True, text=True)
    if tried.returncode:
        ubuntu = "Ubuntu from 24.04 on must be told to allow it: see 'The box' on the book's page for instructors.\n"
        raise NoIsolationError(f"bubblewrap does not work here: {tried.stderr.strip()}\n{ubuntu}{advice}")


def _box():
    box = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for path in SYSTEM:
        box += ["--ro-bind-try", path, path]
    return [*box, "--proc", "/proc", "--dev", "/dev"]


def environment(folder):
    """The few variables that a submission gets: none of the grader's own."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "IPYTHONDIR": str(folder / "home" / "ipython"),
        "NBGRADER_EXECUTION": "autograde",
        **ONE_THREAD,
        **QUIET,
    }


def command(folder, limits, channel, isolated=True):
    """How to start a submission's process that talks through the open file `channel`."""
    python = [sys.executable, "-u", str(BOOT), str(limits.memory * 3 // 4), str(limits.scratch), str(folder)]
    python += [str(channel), str(limits.output)]
    if not isolated:
        return python
    # In this order, since a later one hides what an earlier one put in the same place.
    box = [*_box(), "--size", str(limits.scratch), "--tmpfs", "/tmp", "--dir", "/tmp/scratch"]
    for path in dict.fromkeys([sys.base_prefix, sys.prefix, str(ROOT / "aelib"), str(BOOT), str(WIRE)]):
        box += ["--ro-bind", path, path]
    # What is left writable in memory is bounded too: the box's root and /dev otherwise hold half of the machine's.
    box += ["--bind", str(folder), str(folder), "--size", str(limits.scratch), "--tmpfs", "/dev/shm"]
    return [*box, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp/scratch", "--", *python]


def furnish(folder, data):
    """Put what every submission needs into its folder. Matplotlib's list of fonts takes seconds to make."""
    for name in ("home", "matplotlib"):
        (folder / name).mkdir()
    for fonts in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copy(fonts, folder / "matplotlib")
    np.savez(folder / "digits.npz", **data)


class Watchdog(threading.Thread):
    """Kill a process and all below it when together they take too much. `reason` then says what.

    `answer_by` is the time until which the next reply must be there, None while none is awaited.
    """

    def __init__(self, pid, folder, limits):
        super().__init__(daemon=True)
        self.process, self.folder, self.limits = psutil.Process(pid), folder, limits
        self.reason, self.deadline, self.answer_by = "", time.monotonic() + limits.seconds, None
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.wait(0.2):
            try:
                self.reason = self._excess()
                if self.reason:
                    self.kill()
                    return
            except psutil.Error:
                continue  # a process that ended while being looked at

    def stop(self):
        """Look no longer."""
        self._stopped.set()

    def kill(self):
        """End the whole box at once: its first process takes all others along."""
        for process in [self.process, *self._below()]:
            try:
                process.kill()
            except psutil.Error:
                continue

    def _below(self):
        try:
            return self.process.children(recursive=True)
        except psutil.Error:
            return []

    def _excess(self):
        below = [self.process, *self._below()]  # without a box the first is the submission itself
        if time.monotonic() > self.deadline:
            return f"it took more than {self.limits.seconds:.0f} seconds in all"
        if self.answer_by and time.monotonic() > self.answer_by:
            return "it could not be interrupted"
        if len(below) > self.limits.processes:
            return f"it started more than {self.limits.processes} processes"
        if sum(process.memory_info().rss for process in below) > self.limits.memory:
            return f"it took more than {self.limits.memory / 2**30:.0f} GB of memory"
        if _size(self.folder) > self.limits.scratch:
            return f"it wrote more than {self.limits.scratch / 2**20:.0f} MB of files"
        return ""


def _size(folder):
    total = 0
    for place, folders, names in os.walk(folder):
        total += 4096 * len(folders)
        for name in names:
            try:
                total += 4096 + os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118, many files in a short time
            except OSError:
                continue
    return total
