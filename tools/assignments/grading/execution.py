"""Run a rebuilt submission and judge each question.

The grader sends the cells one by one and keeps the clock; the kernel in the box only answers. A test has passed when it
ran to its last line, which prints a word that is drawn for this one run.
"""

import asyncio
import hashlib
import logging
import os
import re
import secrets
import shutil
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader.utils import determine_grade

from grading import sandbox
from grading.problem_set import grade_id, hidden_lines, is_marked_by_hand, is_test
from grading.submission import SKIP

FINISHED = "application/vnd.aelib.finished"
KEPT = ("text/plain", "image/png")  # of a student's output: neither HTML nor scripts reach an instructor's browser
LONGEST_MESSAGE = 600
NO_ANSWER = "There is no answer yet."
NOT_FINISHED = "The test did not run to its last line."


class Client(NotebookClient):
    """nbclient's, with a limit on what a cell may print."""

    limit = 200_000

    def process_message(self, msg, cell, cell_index):
        sizes = cell.setdefault("_size", [0])
        content = msg.get("content", {})
        sizes[0] += len(str(content.get("text") or content.get("data") or ""))
        wanted = msg.get("msg_type") in ("status", "error", "execute_reply") or FINISHED in content.get("data", {})
        if sizes[0] > self.limit and not wanted:
            return None
        return super().process_message(msg, cell, cell_index)


def run(submission, problem_set, limits=None, isolated=True):
    """Run a `Submission`. Returns a dictionary, ready for JSON.

    Keys: `questions`, name to `{points, out_of, status, message, by_hand}`; `flags`; `seconds`; `notebook`, as run.
    """
    limits = limits or sandbox.Limits()
    started, notebook, flags = time.monotonic(), submission.notebook, list(submission.flags)
    seed = int(hashlib.sha256("".join(map(str, submission.answers.items())).encode()).hexdigest()[:8], 16)
    with kernel_folder() as folder:
        stopped, silent = asyncio.run(_run(notebook, folder, limits, isolated, seed))
    if stopped:
        flags.append(stopped)
    cells, questions = {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}, {}
    for question in problem_set.questions:
        untouched = submission.answers[question.answer].strip() == problem_set.stubs[question.answer].source.strip()
        untouched = untouched and question.name not in submission.continued
        questions[question.name] = _judge(cells[question.judge], cells[question.answer], question, untouched, flags)
    slow = [grade_id(cell) or "a cell of their own" for cell in notebook.cells if cell.metadata.pop("took_too_long", 0)]
    flags += [f"{name}: stopped after its time limit" for name in slow]
    flags += [
        f"{name}: the test neither failed nor ran to its last line, look at what the answer does" for name in silent
    ]
    for cell in notebook.cells:
        cell.pop("_size", None)
        if cell.cell_type == "code":
            theirs = submission.outputs.get(grade_id(cell), []) if is_marked_by_hand(cell) else cell.outputs
            cell.outputs = _harmless(theirs, limits.output)
            cell.execution_count = None
    seconds = round(time.monotonic() - started, 2)
    return {"questions": questions, "flags": flags, "seconds": seconds, "notebook": notebook}


class kernel_folder:  # noqa: N801, used like a function
    """A folder for one kernel, named after the grader's process so that what a killed one left can be told and removed.

    In the system's own temporary folder, because the path of a socket must be short.
    """

    prefix = "aelib-grading-"

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix=f"{self.prefix}{os.getpid()}-"))
        sandbox.furnish(self.path)
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


async def _run(notebook, folder, limits, isolated, seed):
    """Run the cells in order. Returns what stopped the run before its end, `""` if nothing did, and silent tests."""
    specs = sandbox.Specs(sandbox.command(folder, limits, isolated))
    connection = {"transport": "ipc", "connection_file": str(folder / "kernel.json")}
    km = AsyncKernelManager(kernel_name="submission", kernel_spec_manager=specs, **connection)
    for name in ("traitlets", "asyncio"):  # a kernel that dies is the student's business, not the terminal's
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client = Client(
        notebook, km=km, timeout=limits.cell_seconds, allow_errors=True, startup_timeout=120, store_widget_state=False
    )
    client.limit, silent, watchdog, at = limits.output, [], None, "the start"
    log, (leash, held) = (folder / "log").open("wb"), os.pipe()  # the kernel ends when nobody holds the other end
    try:
        start = {"env": sandbox.environment(folder, seed), "stdin": leash, "stdout": log, "stderr": log}
        async with client.async_setup_kernel(cleanup_kc=True, **start):
            watchdog = sandbox.Watchdog(km.provisioner.process.pid, folder, limits)
            watchdog.start()
            for i, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    at = grade_id(cell) or "a cell of their own"
                    if not is_marked_by_hand(cell) and SKIP not in cell.metadata.get("tags", []):
                        await _run_cell(client, cell, i, silent)
    except (CellTimeoutError, DeadKernelError, RuntimeError, TimeoutError) as error:
        if at == "the start":  # nothing of the student's has run
            said = (folder / "log").read_text("utf-8", "replace")[-300:]
            raise RuntimeError(f"the kernel did not start: {error} {said}") from error
        reason = (watchdog and watchdog.reason) or (
            "it could not be interrupted" if isinstance(error, CellTimeoutError) else "the kernel died"
        )
        return f"stopped at {at}: {reason}; the questions after it were not run", silent
    finally:
        if watchdog:
            watchdog.stop()
            watchdog.kill()
        log.close()
        os.close(leash)
        os.close(held)
    return "", silent


async def _run_cell(client, cell, i, silent):
    """Run one cell. A cell that takes too long is interrupted; one that goes on regardless ends the whole run."""
    word, source, before = secrets.token_hex(8), cell.source, asyncio.all_tasks()
    if is_test(cell):
        cell.source += f"\n__import__('IPython').display.display({{'{FINISHED}': '{word}'}}, raw=True)"
    try:
        await client.async_execute_cell(cell, i, store_history=True)
    except CellTimeoutError:
        cell.outputs = [_error("TimeoutError", f"This took more than {client.timeout:.0f} seconds and was stopped.")]
        cell.metadata["took_too_long"] = True
        # nbclient leaves a listener behind that would swallow the next cell's output.
        for task in asyncio.all_tasks() - before:
            task.cancel()
        await client.km.interrupt_kernel()
        probe = nbformat.v4.new_code_cell("pass")
        client.nb.cells.append(probe)
        patience, client.timeout = client.timeout, 5
        try:
            await client.async_execute_cell(probe, len(client.nb.cells) - 1)
        finally:
            client.timeout = patience
            client.nb.cells.remove(probe)
    finally:
        cell.source = source
    if is_test(cell):
        said = [output.get("data", {}).get(FINISHED) for output in cell.outputs]
        failed = any(output.output_type == "error" for output in cell.outputs)
        cell.outputs = [output for output in cell.outputs if FINISHED not in output.get("data", {})]
        if not failed and word not in said:
            silent.append(grade_id(cell).removesuffix("-tests"))
            cell.outputs.append(_error("AssertionError", NOT_FINISHED))
        cell.metadata["ran"] = True


def _error(name, value):
    return nbformat.v4.new_output("error", ename=name, evalue=value, traceback=[])


def _judge(cell, answer, question, untouched, flags):
    """The verdict on one question, from the cell that judges and the cell that answers it, both run."""
    verdict = {"out_of": question.points, "by_hand": question.by_hand, "message": ""}
    if question.by_hand:
        return verdict | {"points": 0.0 if untouched else None, "status": "no answer" if untouched else "to be marked"}
    if not cell.metadata.pop("ran", False) and not any(output.output_type == "error" for output in cell.outputs):
        cell.outputs = [_error("RuntimeError", "This was not run, because the notebook stopped before it.")]
    judged = nbformat.from_dict(dict(cell))
    judged.outputs = [output for output in cell.outputs if output.output_type == "error"]
    points, _ = determine_grade(judged)
    message = next((_message(output) for output in judged.outputs if output.output_type == "error"), "")
    if any(line.strip() in message for line in hidden_lines(cell.source) if len(line.strip()) > 15):
        message = "(The message held a part of the tests and is not shown.)"
        flags.append(f"{question.name}: the error message repeats the text of a hidden test")
    status = "passed" if points == question.points else "failed"
    if untouched and not points:
        status, message = "no answer", NO_ANSWER
    elif not points:
        stopped = next((_message(output) for output in answer.outputs if output.output_type == "error"), "")
        message = f"Your answer stopped with: {stopped}\n{message}" if stopped else message
    return verdict | {"points": float(points), "status": status, "message": message}


def _message(output):
    """An error as a student should read it: what a check says, without the name of the exception."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", output.evalue or "").strip()
    if output.ename not in ("AssertionError", "TimeoutError", "RuntimeError") or not text:
        text = f"{output.ename}: {text}".rstrip(": ")
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} ..."


def _harmless(outputs, limit):
    """Texts and pictures among outputs, of bounded size: what may be shown in somebody's browser."""
    kept, left = [], limit * 10
    for output in outputs:
        kind = output.get("output_type") if isinstance(output, dict) else None
        if kind == "stream":
            text = output.get("text", "")
            new = nbformat.v4.new_output("stream", name="stdout", text=_text(text)[:limit])
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
