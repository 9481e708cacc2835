"""Marks given by hand, all that were ever given.

    GRADES/marks/SET/WHO.json          question to the text of an answer to its marks, the newest last
    GRADES/look_again.csv              what students asked to be looked at again; yours to fill

A mark belongs to the text of an answer: whatever else changes, it stays while that text stays, and is there again when
the text comes back. A question that is marked by tests can be given another mark, too. WHO is a person of the roster,
or what a file is called without one; several files of one person share their marks, and who is renamed keeps them.
"""

import csv
import hashlib
import io
import json
import threading
from collections import namedtuple
from datetime import datetime

from grading.problem_set import grade_id
from grading.reports import write

REQUESTS = ("student", "problem_set", "question", "reason")
WRITING = threading.Lock()
Request = namedtuple("Request", REQUESTS)


class RequestError(ValueError):
    """A line of `look_again.csv` that cannot be used; the message names line and column."""


def cells_of(notebook, problem_set):
    """The cells of each answer, those of one's own that belong to it among them, by the answer's name."""
    found, answers, last = {}, {question.answer for question in problem_set.questions}, None
    for cell in notebook.cells:
        if grade_id(cell):
            last = grade_id(cell)
        if last in answers and (grade_id(cell) == last or cell.metadata.get("extra")):
            found.setdefault(last, []).append(cell)
    return found


def texts(notebook, problem_set):
    """A short name for the text of each answer, by the answer's name."""
    joined = {
        name: "\0".join(cell.source.strip() for cell in cells)
        for name, cells in cells_of(notebook, problem_set).items()
    }
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in joined.items()}


class Marks:
    """What was marked by hand.

    Args:
        grades: the folder that `make grade` writes.
    """

    def __init__(self, grades):
        self.grades, self.folder = grades, grades / "marks"

    def history(self, who, name):
        """Question to text to marks: `points` (None: taken back) of `out_of`, `criteria` (their numbers), `comment`,
        `when`, `about` (a request)."""
        path = self._path(who, name)
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    def give(self, who, name, question, text, points, out_of, criteria=(), comment="", about=""):
        """Add a mark. It is written before this returns."""
        when = datetime.now().astimezone().isoformat(timespec="seconds")
        mark = {"points": points, "out_of": out_of, "criteria": list(criteria), "comment": comment}
        with WRITING:
            history = self.history(who, name)
            history.setdefault(question, {}).setdefault(text, []).append(mark | {"when": when, "about": about})
            write(self._path(who, name), json.dumps(history, ensure_ascii=False, indent=1))

    def adopt(self, before, who, name, move):
        """Give somebody the marks that stand under another name, since a roster came or was mended.

        Args:
            move: whether nobody is called `before` any more; otherwise that name keeps its marks, too.
        """
        theirs = self.history(before, name)
        if not theirs:
            return
        with WRITING:
            history = self.history(who, name)
            for question, by_text in theirs.items():
                for text, marks in by_text.items():
                    mine = history.setdefault(question, {}).setdefault(text, [])
                    mine += [mark for mark in marks if mark not in mine]
                    mine.sort(key=lambda mark: mark["when"])
            write(self._path(who, name), json.dumps(history, ensure_ascii=False, indent=1))
            if move:
                self._path(before, name).unlink()

    def _path(self, who, name):
        return self.folder / name / f"{who}.json"

    def requests(self, rows, sets):
        """What is asked for in `look_again.csv`, which is made if it is not there.

        Args:
            rows: of the grading, with `student`, `who` and `problem_set`.
            sets: the problem sets by name.

        Raises:
            RequestError: a line that names nobody, no problem set, or no question of it.
        """
        path = self.grades / "look_again.csv"
        if not path.exists():
            write(path, ",".join(REQUESTS) + "\n")
        try:
            lines = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""), strict=True)
            numbered = [(lines.line_num, [cell.strip() for cell in line]) for line in lines if any(line)]
        except (csv.Error, UnicodeDecodeError) as error:
            raise RequestError(f"{path}: {error}") from None
        if not numbered or tuple(numbered[0][1]) != REQUESTS:
            raise RequestError(f"{path}: line 1: expected the columns {', '.join(REQUESTS)}")
        sent = {(row[name], row["problem_set"]) for row in rows for name in ("student", "who")}
        people = {student for student, _ in sent}
        for number, line in numbered[1:]:
            if len(line) != len(REQUESTS):
                raise RequestError(f"{path}: line {number}: expected {len(REQUESTS)} columns, got {len(line)}")
            asked = Request(*line)
            known = (
                [question.name for question in sets[asked.problem_set].questions] if asked.problem_set in sets else []
            )
            for column, wrong in (
                ("student", asked.student not in people),
                ("problem_set", (asked.student, asked.problem_set) not in sent),
                ("question", asked.question not in known),
                ("reason", not asked.reason),
            ):
                if wrong:
                    raise RequestError(
                        f"{path}: line {number}, column {column}: {getattr(asked, column)!r} is not known"
                    )
            yield asked

    def open_requests(self, rows, sets):
        """Those of the requests that no mark has answered yet."""
        names = {row["student"]: row["who"] for row in rows}
        found = [asked._replace(student=names.get(asked.student, asked.student)) for asked in self.requests(rows, sets)]
        return [asked for asked in found if not self._answered(asked)]

    def _answered(self, asked):
        given = self.history(asked.student, asked.problem_set).get(asked.question, {}).values()
        return any(mark["about"] == asked.reason for marks in given for mark in marks)

    def everything(self):
        """Every mark in the order in which they were given: when, student, problem set, question, points and so on."""
        found = []
        for path in sorted(self.folder.glob("*/*.json")):
            for question, by_text in json.loads(path.read_text("utf-8")).items():
                for text, marks in by_text.items():
                    for before, mark in zip([None, *marks], marks, strict=False):
                        found.append({
                            "when": mark["when"], "student": path.stem, "problem_set": path.parent.name,
                            "question": question, "points": mark["points"],
                            "before": before and before["points"], "comment": mark["comment"],
                            "asked": mark["about"], "answer": text,
                        })  # fmt: skip
        return sorted(found, key=lambda mark: mark["when"])
