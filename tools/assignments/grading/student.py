"""A submission's process: `python student.py MEMORY FILES FOLDER CHANNEL OUTPUT`. Runs inside the box.

It runs cells and calls functions when the grader asks for it, and gives back plain data. Nothing of a test is ever in
here, so whatever a submission does to this process, it can only give back other answers.

The limit on memory is per process and makes a greedy cell fail with a MemoryError, so that the next cell still runs;
the watchdog outside ends what gets round it.
"""

import base64
import contextlib
import importlib
import io
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
import types
from multiprocessing.connection import Connection

import numpy as np
import wire
from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


def limit(name, value):
    """Lower a limit for good, where the system has it."""
    if hasattr(resource, name):
        resource.setrlimit(getattr(resource, name), (value, value))


def end_with_grader():
    """Wait for the end of standard input, which the grader holds open as long as it lives. A killed one lets go too.

    bubblewrap's own `--die-with-parent` misses a grader that is killed in the moment in which the box is made.
    """
    while os.read(0, 1):
        pass
    os._exit(1)


class Later(types.ModuleType):
    """A module that is imported when something of it is first used: Keras starts TensorFlow, and few answers need it.

    Args:
        given: names that are there without the import, and instead of the module's own.
    """

    def __init__(self, name, **given):
        super().__init__(name)
        vars(self).update(given)
        vars(self)["_given"] = given

    def __getattr__(self, name):
        if sys.modules.get(self.__name__) is self:
            left = set_clocks()  # the import takes nothing of the answer's time
            del sys.modules[self.__name__]
            vars(importlib.import_module(self.__name__)).update(self._given)
            set_clocks(*left)
        return getattr(importlib.import_module(self.__name__), name)


class Data(dict):
    """A dictionary whose entries are attributes too, like scikit-learn's `Bunch`, which takes a second to import."""

    __getattr__ = dict.__getitem__


def small_data(path):
    """What stands for `aelib.load_images` while grading: some drawn digits, in a moment and without a network."""

    def load_images():
        with np.load(path) as arrays:
            return Data({name: found if found.ndim else found.item() for name, found in arrays.items()})

    return load_images


class OutOfTimeError(BaseException):
    """The time for a cell or a call is over."""


def set_clocks(processor=0.0, wall=0.0):
    """Set what sends a signal when so many seconds have passed, 0 for never. Returns what was left of both.

    The processor's time is what counts, so that nobody loses points because the machine is busy. An answer that waits
    uses none.
    """
    return signal.setitimer(signal.ITIMER_PROF, processor)[0], signal.setitimer(signal.ITIMER_REAL, wall)[0]


class Bounded(io.StringIO):
    """Text that is kept up to a length."""

    def __init__(self, longest):
        super().__init__()
        self.longest = longest

    def write(self, text):
        return super().write(text[: max(0, self.longest - self.tell())]) and len(text)


class Session:
    """Answers the grader's requests, one after the other, until the grader ends.

    A request is `{"run": source}`, `{"get": name}` or `{"call": name, "arguments": ..., "named": ...}`, each with the
    `seconds` of the processor that it may take. While a function runs, it may call one of the grader's:
    `{"callback": number}`.
    """

    def __init__(self, channel, output):
        self.channel, self.output, self.talking, self.late = Connection(channel), output, False, False
        config = Config()
        config.HistoryManager.enabled = False
        self.shell = InteractiveShell.instance(config=config, colors="nocolor")
        self.shell._showtraceback = lambda *_: None
        for kind in (signal.SIGALRM, signal.SIGPROF):
            signal.signal(kind, self._alarm)

    def serve(self):
        """Answer requests for ever."""
        kinds = {"run": self._run, "get": self._get, "call": self._call}
        while True:
            request = self._receive()
            kind = next((kind for kind in kinds if kind in request), None)
            if kind is None:  # the end of a conversation that was broken off
                continue
            self.late, started = False, time.process_time()
            try:
                set_clocks(request["seconds"], wire.WAITING * request["seconds"])
                reply = kinds[kind](request)
            except BaseException as error:  # whatever an answer raises
                reply = {"error": self._described(error)}
            finally:
                set_clocks()
            self._send(reply | {"spent": time.process_time() - started})

    def _alarm(self, *_):
        if self.talking:  # a message is sent and read whole
            set_clocks(wall=0.05)
        elif self.late:  # and caught what told it to stop
            os._exit(wire.NOT_INTERRUPTED)
        else:
            self.late = True
            set_clocks(wall=5.0)
            raise OutOfTimeError

    def _send(self, message):
        self.talking = True
        self.channel.send_bytes(wire.text(message))
        self.talking = False

    def _receive(self):
        self.talking = True
        received = json.loads(self.channel.recv_bytes())
        self.talking = False
        return received

    def _run(self, request):
        shown, printed = CapturingDisplayPublisher(), Bounded(self.output)
        self.shell.display_pub = shown
        self.shell.display_trap.hook = CapturingDisplayHook(shell=self.shell, outputs=shown.outputs)
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            result = self.shell.run_cell(request["run"], store_history=True)
        error = result.error_before_exec or result.error_in_exec
        return {
            "text": printed.getvalue(),
            "shown": [self._picture(output["data"]) for output in shown.outputs[:50]],
            "error": self._described(error) if error else None,
        }

    def _picture(self, data):
        image = data.get("image/png", "")
        image = base64.b64encode(image).decode() if isinstance(image, bytes) else image
        return {kind: value for kind, value in [("text/plain", data.get("text/plain")), ("image/png", image)] if value}

    def _get(self, request):
        value = self.shell.user_ns[request["get"]]
        return {"function": True} if callable(value) else {"value": wire.pack(value)}

    def _call(self, request):
        shared = []
        arguments = wire.unpack(request["arguments"], shared, self._theirs)
        named = wire.unpack(request["named"], shared, self._theirs)
        before = [None if callable(value) else wire.pack(value) for value in shared]
        with contextlib.redirect_stdout(Bounded(0)), contextlib.redirect_stderr(Bounded(0)):
            result = self.shell.user_ns[request["call"]](*arguments, **named)
        return {"value": wire.pack(result), "changes": wire.changes(shared, before)}

    def _theirs(self, number):
        """A function of the grader's."""

        def function(*arguments, **named):
            self._send({"callback": number, "arguments": wire.pack(arguments), "named": wire.pack(named)})
            reply = self._receive()
            if "error" in reply:
                raise ValueError(reply["error"])
            return wire.unpack(reply["value"])

        return function

    def _described(self, error):
        """An exception's name, its text for the instructor, and the line of the cell that it came from."""
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if "ipython-input" in frame.filename]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        return {"name": type(error).__name__, "text": str(error)[:2000], "line": line}


def main(memory, files, folder, channel, output):
    threading.Thread(target=end_with_grader, daemon=True).start()
    limit("RLIMIT_DATA", int(memory))
    limit("RLIMIT_FSIZE", int(files))
    limit("RLIMIT_CORE", 0)
    if os.getcwd() != "/tmp/scratch":  # noqa: PTH109, without a box
        os.chdir(os.path.join(folder, "home"))  # noqa: PTH118
    sys.path.insert(0, "")
    sys.stdin = io.StringIO()
    sys.modules["keras"] = Later("keras")
    sys.modules["aelib"] = Later("aelib", load_images=small_data(os.path.join(folder, "digits.npz")))  # noqa: PTH118
    Session(int(channel), int(output)).serve()


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file
    main(*sys.argv[1:])
