"""Grade the graders: `python tools/assignments/answers.py` runs right, untouched and wrong answers to every question.

`answers/NAME.py` of a course holds them in cells, `# %% QUESTION | alternative` and `# %% QUESTION | wrong | MESSAGE`.
The reference solution and the alternatives must get full marks, the stub none, and each wrong answer none, with a
message that holds MESSAGE. Where the points of a question have parts, a wrong answer may keep some: `# %% QUESTION |
wrong | MESSAGE | 2 points`. All questions of a problem set are answered wrongly at once: a mistake in one must not cost
another. An alternative may say behind a second bar why it is right. `# %% QUESTION | inputs` is for `mutants.py`.

    python tools/assignments/answers.py [--course FOLDER] [NAME ...]
"""

import argparse
import copy
import functools
import multiprocessing
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parent))
from grading import execution, sandbox, submission, workers
from grading.problem_set import ASSIGNMENTS, ProblemSet, grade_id, problem_sets

CELL = re.compile(
    r"^# %% (?P<question>[\w-]+) \| (?P<kind>alternative|wrong|inputs)"
    r"(?: \| (?P<message>.+?))?(?: \| (?P<points>\d+) points?)?\n",
    re.M,
)
FEWEST_WRONG = 3


@dataclass(frozen=True)
class Answer:
    """One answer to one question, and what must become of it."""

    question: str
    kind: str
    source: str
    message: str = ""
    points: float = 0.0

    def judge(self, verdict):
        """What is wrong with a verdict on this answer, `""` if nothing is."""
        right = self.kind in ("reference", "alternative")
        if right and verdict["points"] != verdict["out_of"]:
            return f"expected full marks, got {verdict['points']:g}: {verdict['message']}"
        if not right and verdict["points"] != self.points:
            return f"expected {self.points:g} points, got {verdict['points']:g}: {verdict['message']}"
        if not right and self.message not in verdict["message"]:
            return f"expected a message with {self.message!r}, got {verdict['message']!r}"
        return ""


def together(result, problem_set, name):
    """The verdict on an answer, all its parts in one."""
    parts = [result["questions"][q.name] for q in problem_set.questions if q.answer == name]
    sums = {key: sum(part[key] for part in parts) for key in ("points", "out_of")}
    return sums | {"message": "\n".join(dict.fromkeys(part["message"] for part in parts if part["message"]))}


def answers(problem_set, path):
    """The answers to each autograded question: reference, alternative, stub, then the wrong ones."""
    text = path.read_text("utf-8")
    listed = {name: [] for name in problem_set.judges}
    heads = list(CELL.finditer(text))
    for name, given in listed.items():
        given.append(Answer(name, "reference", problem_set.cells[name].source))
        mine = [head for head in heads if head["question"] == name]
        ends = {head.start(): end.start() for head, end in pairwise(heads)}
        found = [
            Answer(
                name,
                head["kind"],
                text[head.end() : ends.get(head.start())].strip("\n"),
                head["message"] or "",
                float(head["points"] or 0),
            )
            for head in mine
        ]
        others = [answer for answer in found if answer.kind == "alternative"]
        wrong = [answer for answer in found if answer.kind == "wrong"]
        if not others or len(wrong) < FEWEST_WRONG or not all(answer.message for answer in wrong):
            raise ValueError(
                f"{path.name}: {name}: expected an alternative and {FEWEST_WRONG} wrong answers with messages"
            )
        given += [*others, Answer(name, "stub", problem_set.stubs[name].source, execution.NO_ANSWER), *wrong]
    unknown = {head["question"] for head in heads} - set(listed)
    if unknown:
        raise ValueError(f"{path.name}: no autograded question is called {sorted(unknown)}")
    return listed


def inputs(path):
    """Question to the source of its `inputs(rng)`, which yields arguments that the question allows."""
    text = path.read_text("utf-8")
    heads = list(CELL.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {h["question"]: text[h.end() : end] for h, end in zip(heads, ends, strict=True) if h["kind"] == "inputs"}


def notebook(problem_set, chosen):
    """A student's notebook with the chosen answers, name to source."""
    filled = copy.deepcopy(problem_set.release)
    for cell in filled.cells:
        if grade_id(cell) in chosen:
            cell.source = chosen[grade_id(cell)]
    return filled


def check(problem_set, path, jobs=2, isolated=True):
    """Run all answers. Yields `(answer, verdict, complaint)`."""
    listed = answers(problem_set, path)
    rounds = [
        {name: given[i] if i < len(given) else given[0] for name, given in listed.items()}
        for i in range(max(map(len, listed.values())))
    ]

    spawn, memory = multiprocessing.get_context("spawn"), 2 * sandbox.Limits.memory
    with ProcessPoolExecutor(jobs, spawn, workers.start, (memory,)) as pool:
        results = pool.map(functools.partial(_graded, problem_set.source_path, isolated), rounds)
        for chosen, result in zip(rounds, results, strict=True):
            for name, answer in chosen.items():
                verdict = together(result, problem_set, name)
                complaint = answer.judge(verdict)
                if answer.kind in ("reference", "alternative") and not complaint:
                    odd = [flag for flag in result["flags"] if flag.startswith(f"{name}:")]
                    complaint = f"flagged: {odd[0]}" if odd else ""
                yield answer, verdict, complaint


def _graded(source, isolated, chosen):
    """The verdicts on a notebook with the chosen answers."""
    problem_set = ProblemSet(source)
    submitted = nbformat.from_dict(notebook(problem_set, {name: answer.source for name, answer in chosen.items()}))
    return execution.run(submission.rebuild(submitted, problem_set), problem_set, isolated=isolated)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="problem sets, all by default")
    parser.add_argument("--course", type=Path, default=ASSIGNMENTS, help="the folder that holds source/ and answers/")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args(arguments)
    isolated, failed = True, 0
    try:
        sandbox.check_isolation()
    except sandbox.NoIsolationError:
        isolated = False
        print("No bubblewrap here: these answers, which are the course's own, run without a box.")
    for name, problem_set in problem_sets(chosen.course.expanduser().resolve()).items():
        if chosen.names and name not in chosen.names:
            continue
        print(f"\n{problem_set.title}", flush=True)
        rows = {}
        for answer, verdict, complaint in check(
            problem_set, chosen.course / "answers" / f"{name}.py", chosen.jobs, isolated
        ):
            rows.setdefault(answer.question, []).append((answer, verdict, complaint))
        for question, row in rows.items():
            seen, marks = set(), []
            for answer, verdict, complaint in row:
                if answer not in seen:
                    seen.add(answer)
                    failed += bool(complaint)
                    marks.append(f"{answer.kind} {verdict['points']:g}{' <-- ' + complaint if complaint else ''}")
            print(f"  {question:14s} of {row[0][1]['out_of']:g}: {', '.join(marks)}", flush=True)
    if failed:
        sys.exit(f"{failed} answers were not graded as they should.")


if __name__ == "__main__":
    main()
