"""Run a rebuilt submission and judge each question.

The submission's cells run in a box. The tests run here, in the grader's own process, where no submission can reach
them: what they call is a stand-in that sends the arguments into the box and brings plain data back.
"""

import builtins
import contextlib
import functools
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from grading import sandbox, wire
from grading.problem_set import answer_of, grade_id, is_answer, is_marked_by_hand, is_test, names_defined
from grading.submission import SKIP

KEPT = ("text/plain", "image/png")  # of a student's output: neither HTML nor scripts reach an instructor's browser
LONGEST_MESSAGE = 600
NO_ANSWER = "There is no answer yet."
NOT_RUN = "This was not run, because the notebook stopped before it."
PATIENCE = 60.0  # seconds after which a reply is given up, beside those that the answer itself may wait
KNOWN_ERRORS = {name for name, found in vars(builtins).items() if isinstance(found, type)} | {
    "AxisError", "InvalidArgumentError", "LinAlgError", "UFuncTypeError", "UsageError"
}  # fmt: skip


class StoppedError(Exception):
    """The submission's process is no more; the message says why."""


class AnswerError(Exception):
    """What a student wrote stopped with an exception, or gave back what is no plain data."""


class OutOfTimeError(AnswerError):
    """What a student wrote took too long."""


def run(submission, problem_set, limits=None, isolated=True):
    """Run a `Submission`. Not for several threads at once.

    Returns a dictionary, ready for JSON. Keys: `questions`, name to `{points, out_of, status, message, by_hand}`;
    `flags`; `seconds`; `notebook`, as run.
    """
    limits = limits or sandbox.Limits()
    started, notebook, flags = time.monotonic(), submission.notebook, list(submission.flags)
    seed = int(hashlib.sha256("".join(map(str, submission.answers.items())).encode()).hexdigest()[:8], 16)
    outcomes, stopped = {}, ""
    with box_folder() as folder, Student(folder, limits, isolated) as student:
        for cell in notebook.cells:
            if cell.cell_type != "code" or is_marked_by_hand(cell) or SKIP in cell.metadata.get("tags", []):
                continue
            name = grade_id(cell) or "a cell of your own"
            student.question, student.left = answer_of(name), limits.cell_seconds
            try:
                if is_test(cell):
                    outcomes[name] = _tested(cell, problem_set, student, seed)
                else:
                    cell.outputs, error = student.run(cell.source)
                    if error:
                        outcomes.setdefault(name, error)
            except StoppedError as error:
                stopped = f"stopped at {name}: {error}; the questions after it were not run"
                flags.append(stopped)
                break
            if student.left <= 0:
                flags.append(f"{answer_of(name)}: stopped after its time limit")
    cells, questions = {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}, {}
    for question in problem_set.questions:
        untouched = submission.answers[question.answer].strip() == problem_set.stubs[question.answer].source.strip()
        untouched = untouched and question.answer not in submission.continued
        questions[question.name] = _verdict(question, outcomes, untouched)
        if not question.by_hand:  # where nbgrader reads the points
            message = outcomes.get(question.judge, NOT_RUN)
            cells[question.judge].outputs = [_error("AssertionError", message)] if message else []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            theirs = submission.outputs.get(grade_id(cell), []) if is_marked_by_hand(cell) else cell.outputs
            cell.outputs = _harmless(theirs, limits.output)
            cell.execution_count = None
    flags += [f"{name}: {odd}" for name, odd in student.odd.items()]
    seconds = round(time.monotonic() - started, 2)
    return {"questions": questions, "flags": list(dict.fromkeys(flags)), "seconds": seconds, "notebook": notebook}


class box_folder:  # noqa: N801, used like a function
    """A folder for one submission, named after the grader's process so that what a killed one left can be told."""

    prefix = "aelib-grading-"

    def __enter__(self):
        grader = multiprocessing.parent_process() or multiprocessing.current_process()
        self.path = Path(tempfile.mkdtemp(prefix=f"{self.prefix}{grader.pid}-"))
        sandbox.furnish(self.path, small_data())
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    @classmethod
    def tidy(cls):
        """Remove the folders of graders that are no longer alive."""
        for path in Path(tempfile.gettempdir()).glob(f"{cls.prefix}*"):
            pid = path.name.removeprefix(cls.prefix).split("-")[0]
            if pid.isdigit() and not sandbox.psutil.pid_exists(int(pid)):
                shutil.rmtree(path, ignore_errors=True)


@functools.cache
def small_data():
    """What `aelib.load_images` gives while grading."""
    import aelib

    train, test = aelib.make_digits(1500, random_state=0), aelib.make_digits(500, random_state=1)
    return {
        "x_train": train.images, "y_train": train.target, "x_test": test.images, "y_test": test.target,
        "name": "drawn digits", "origin": "aelib.make_digits", "description": "Drawn digits, a small set for grading.",
    }  # fmt: skip


class Student:
    """A submission's process, as the grader sees it.

    Attributes:
        question: what is being asked for.
        left: seconds that what is asked next may take, counted down.
        odd: what an instructor should look at, by question.
    """

    def __init__(self, folder, limits, isolated):
        self.folder, self.limits, self.isolated = folder, limits, isolated
        self.question, self.left, self.odd = "", limits.cell_seconds, {}

    def __enter__(self):
        ours, theirs = socket.socketpair()
        self.log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            sandbox.command(self.folder, self.limits, theirs.fileno(), self.isolated),
            env=sandbox.environment(self.folder), stdin=subprocess.PIPE, stdout=self.log, stderr=self.log,
            pass_fds=[theirs.fileno()],
        )  # fmt: skip
        theirs.close()
        self.channel = Connection(ours.detach())
        self.watchdog = sandbox.Watchdog(self.process.pid, self.folder, self.limits)
        self.watchdog.start()
        try:
            self.ask(run="")
        except StoppedError as error:  # nothing of the student's has run
            self.__exit__()
            said = (self.folder / "log").read_text("utf-8", "replace")[-300:]
            raise RuntimeError(f"the submission's process did not start: {error} {said}") from error
        return self

    def __exit__(self, *_):
        self.watchdog.stop()
        self.watchdog.kill()
        self.channel.close()
        self.process.stdin.close()
        self.process.wait()
        self.log.close()

    def ask(self, functions=(), **request):
        """Send a request and give its reply, a dictionary. Meanwhile the submission may call `functions`.

        Raises:
            StoppedError: the process is no more.
            OutOfTimeError: the time was over, and what ran was interrupted.
            AnswerError: what ran stopped with an exception.
        """
        started = time.monotonic()
        self.watchdog.answer_by = started + wire.WAITING * self.left + PATIENCE
        try:
            self.channel.send_bytes(wire.text(request | {"seconds": max(self.left, 0.1)}))
            while "callback" in (reply := self._reply()):
                self.channel.send_bytes(wire.text(_called_back(functions, reply)))
        except (OSError, EOFError) as error:
            self.process.stdin.close()
            reason = str(error) if isinstance(error, EOFError) else ""
            self.watchdog.join(0.5)  # which may be about to say why it killed the process
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self.process.wait(1) == wire.NOT_INTERRUPTED:
                    reason = "it could not be interrupted"
            raise StoppedError(reason or self.watchdog.reason or "the process died") from error
        finally:
            self.watchdog.answer_by = None
        error = reply.get("error")
        if error and error.get("name") == "OutOfTimeError":
            self.left = 0.0
            raise OutOfTimeError(f"This took more than {self.limits.cell_seconds:.0f} seconds and was stopped.")
        spent, passed = reply.get("spent"), time.monotonic() - started
        used = min(max(spent, 0.0), passed) if isinstance(spent, float) else passed
        self.left = max(self.left - used, 0.1)
        if error and "run" not in request:
            raise AnswerError(_described(error))
        return reply

    def _reply(self):
        """The next message: a dictionary. What is none ends the process, which is the submission's own doing."""
        try:
            received = json.loads(self.channel.recv_bytes(wire.LARGEST_MESSAGE))
            if isinstance(received, dict):
                return received
        except (ValueError, RecursionError):
            pass
        raise EOFError("it sent what is no reply")

    def run(self, source):
        """Run a cell. Returns its outputs, and what a student may read of an exception, `""` if there was none."""
        try:
            reply = self.ask(run=source)
        except OutOfTimeError as error:
            return [_error("TimeoutError", str(error))], str(error)
        outputs = [nbformat.v4.new_output("stream", name="stdout", text=str(reply.get("text", "")))]
        shown = reply.get("shown") if isinstance(reply.get("shown"), list) else []
        outputs += [{"output_type": "display_data", "data": data} for data in shown]
        error = reply.get("error")
        if not error:
            return outputs, ""
        outputs.append(_error(str(error.get("name")), str(error.get("text"))))
        return outputs, f"Your answer stopped with {_described(error)}."

    def value(self, name):
        """What the submission calls `name`: plain data, or a function that may be called as if it were here."""
        reply = self.ask(get=name)
        return functools.partial(self._call, name) if reply.get("function") is True else self._unpacked(reply)

    def _call(self, name, /, *arguments, **named):
        shared = []
        packed = {"arguments": wire.pack(arguments, shared), "named": wire.pack(named, shared)}
        reply = self.ask(shared, call=name, **packed)
        with self._reading():
            wire.apply(reply.get("changes", []), shared)
        return self._unpacked(reply)

    def _unpacked(self, reply):
        with self._reading():
            return wire.unpack(reply["value"])

    @contextlib.contextmanager
    def _reading(self):
        """Whatever a submission sends, reading it goes wrong in one way."""
        try:
            yield
        except AssertionError:
            raise
        except wire.ModelError as error:
            self.odd[self.question] = f"{error}: look at it"
            raise AnswerError(f"{error}. Your instructor will look at it.") from error
        except Exception as error:
            self.odd[self.question] = "gave back what could not be read: look at what the answer does"
            raise AnswerError("It gave back what could not be read.") from error


def _called_back(functions, request):
    """The reply to a submission that calls a function of a test's."""
    try:
        function = functions[int(request["callback"])]
        result = function(*wire.unpack(request["arguments"]), **wire.unpack(request["named"]))
        return {"value": wire.pack(result)}
    except Exception as error:
        return {"error": type(error).__name__}


def _described(error):
    """What a student may read of an exception: its type, if it is a common one, and the line. Not its text, in which
    an answer could carry out what a test gave it."""
    name, line = error.get("name"), error.get("line")
    said = name if isinstance(name, str) and name in KNOWN_ERRORS else "an exception"
    return f"{said} in line {line}" if isinstance(line, int) and 0 < line < 1000 else said


def _tested(cell, problem_set, student, seed):
    """What a test says about an answer, `""` if it passes."""
    name = answer_of(grade_id(cell))
    try:
        space = dict(given(problem_set))
        for wanted in names_defined(problem_set.cells[name].source):
            with contextlib.suppress(AnswerError):  # then the test says that the name is not defined
                space[wanted] = student.value(wanted)
        with grading(seed):
            exec(compile(_python(cell.source), f"<{grade_id(cell)}>", "exec"), space)
    except AssertionError as error:
        return _short(str(error) or "A test failed that says no more.")
    except OutOfTimeError as error:
        return str(error)
    except AnswerError as error:
        return f"{name}: {error}"
    except NameError as error:
        return f"NameError: name {error.name!r} is not defined"
    except StoppedError:
        raise
    except Exception as error:
        return f"{type(error).__name__}: the tests cannot do with what {name} gives back what they need to."
    return ""


@functools.cache
def given(problem_set):
    """The names that a problem set's given cells define: imports and data."""
    space = {"__name__": "__main__"}
    with grading(0), contextlib.redirect_stdout(None):
        for cell in problem_set.source.cells:
            ours = cell.cell_type == "code" and not is_answer(cell) and not is_test(cell)
            if ours and SKIP not in cell.metadata.get("tags", []):
                exec(_python(cell.source), space)
    return space


@contextlib.contextmanager
def grading(seed):
    """What is different while tests run: the data are small and the seed is the submission's own."""
    import aelib

    load_images, before = aelib.load_images, os.environ.get("GRADING_SEED")
    aelib.load_images = lambda: SimpleNamespace(**small_data())
    os.environ["GRADING_SEED"] = str(seed)
    try:
        yield
    finally:
        aelib.load_images = load_images
        os.environ.pop("GRADING_SEED")
        if before is not None:
            os.environ["GRADING_SEED"] = before


def _python(source):
    """A cell's text without IPython's own commands."""
    return TransformerManager().transform_cell(source)


def _error(name, value):
    return nbformat.v4.new_output("error", ename=name, evalue=value, traceback=[])


def _verdict(question, outcomes, untouched):
    """The verdict on one question."""
    verdict = {"out_of": question.points, "by_hand": question.by_hand, "message": ""}
    if question.by_hand:
        return verdict | {"points": 0.0 if untouched else None, "status": "no answer" if untouched else "to be marked"}
    message = outcomes.get(question.judge, NOT_RUN)
    if not message:
        return verdict | {"points": question.points, "status": "passed"}
    if untouched:
        return verdict | {"points": 0.0, "status": "no answer", "message": NO_ANSWER}
    message = "\n".join(filter(None, [outcomes.get(question.answer), message]))
    return verdict | {"points": 0.0, "status": "failed", "message": message}


def _short(text):
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} ..."


def _harmless(outputs, limit):
    """Texts and pictures among outputs, of bounded size: what may be shown in somebody's browser."""
    kept, left = [], limit * 10
    for output in outputs:
        kind = output.get("output_type") if isinstance(output, dict) else None
        if kind == "stream":
            text = _text(output.get("text", ""))
            if not text:
                continue
            new = nbformat.v4.new_output("stream", name="stdout", text=text[:limit])
        elif kind in ("display_data", "execute_result"):
            data = output.get("data") if isinstance(output.get("data"), dict) else {}
            data = {mime: _text(value) for mime, value in data.items() if mime in KEPT}
            if not re.fullmatch(r"[A-Za-z0-9+/=\s]*", data.get("image/png", "")):
                continue
            new = nbformat.v4.new_output("display_data", data=data)
        elif kind == "error":
            new = _error(_text(output.get("ename", ""))[:100], _text(output.get("evalue", ""))[:LONGEST_MESSAGE])
        else:
            continue
        left -= len(str(new))
        if left > 0:
            kept.append(new)
    return kept


def _text(value):
    text = "".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.encode("utf-8", "replace").decode()
