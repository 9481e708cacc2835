"""Processes that grade: Keras is started once in each, and what one submission does to its grader is no other's."""

import functools
import json
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from grading import sandbox

TASKS = 100  # after so many a process is replaced by a fresh one, since Keras forgets nothing


class Workers:
    """A process for each thread that calls `grade`."""

    def __init__(self, limits, isolated):
        self.limits, self.isolated, self.mine, self.all = limits, isolated, threading.local(), []
        os.environ.update(sandbox.ONE_THREAD | sandbox.QUIET)  # before the processes import anything that reads them

    def grade(self, notebook, problem_set, path):
        """Run a submitted notebook and write the verdict to a file."""
        arguments = (notebook, problem_set.source_path, self.limits, self.isolated, path)
        try:
            return self._process().submit(_grade, *arguments).result()
        except BrokenProcessPool:  # once more, in a new one
            self.mine.process = None
            return self._process().submit(_grade, *arguments).result()

    def _process(self):
        if getattr(self.mine, "process", None) is None:
            spawn = multiprocessing.get_context("spawn")
            self.mine.process = ProcessPoolExecutor(
                1, spawn, start, (2 * self.limits.memory,), max_tasks_per_child=TASKS
            )
            self.all.append(self.mine.process)
        return self.mine.process

    def close(self):
        """End the processes."""
        for process in self.all:
            process.shutdown()


def start(memory):
    """Begin a process: it leaves Ctrl-C to its parent and ends with it, however that ends.

    What a submission gives back could be made to fill the machine, such as a model of a billion units: a limit on
    `memory` in bytes makes that an error of this one submission.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # TensorFlow's greetings; exceptions come back in another way
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


@functools.cache
def _problem_set(source):
    from grading.problem_set import ProblemSet

    return ProblemSet(source)


def _grade(notebook, source, limits, isolated, path):
    from grading import execution, reports, submission

    problem_set = _problem_set(source)
    rebuilt = submission.rebuild(notebook, problem_set)
    result = execution.run(rebuilt, problem_set, limits, isolated)
    result["answers"] = rebuilt.answers
    reports.write(path, json.dumps(result, ensure_ascii=False))
