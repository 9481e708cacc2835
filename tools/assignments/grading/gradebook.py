"""nbgrader's course folder and database, filled with graded submissions, so that the rest can be marked by hand.

    GRADES/course/gradebook.db                              points, marks by hand, comments
    GRADES/course/autograded/STUDENT/NAME/NAME.ipynb        the submission as it was run, harmless outputs only
    GRADES/course/marks.json                                every mark ever given, by the text that it was given for

`make mark` opens them in nbgrader's formgrader. What is marked there comes back into the table and the feedback pages
with the next `make grade`, which grades nothing twice. A mark belongs to the text of an answer: whatever else changes,
it stays while that text stays, and is there again when the text comes back.
"""

import hashlib
import html
import json
import logging
import shutil
import warnings
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import SaveAutoGrades

from grading.problem_set import grade_id, is_marked_by_hand
from grading.reports import write

COURSE = "autoencoders"


def _shown(cells, problem_set):
    """The cells as the formgrader may show them, and below each answer that is marked by hand what to compare it with.

    What a student wrote in Markdown is shown as text: the formgrader would run the scripts in it with your rights.
    """
    for cell in cells:
        if cell.cell_type == "markdown" and (is_marked_by_hand(cell) or cell.metadata.pop("extra", False)):
            cell.source = f'<pre style="white-space: pre-wrap">{html.escape(cell.source)}</pre>'
        yield cell
        if is_marked_by_hand(cell):
            ours = problem_set.cells[grade_id(cell)].source
            ours = f"```python\n{ours}\n```" if cell.cell_type == "code" else ours
            yield nbformat.v4.new_markdown_cell(f"---\n*For the instructor:*\n\n{ours}\n\n---")


class Course:
    """A folder for nbgrader.

    Args:
        folder: where it lies; made if it is not there.
        source: the instructor's `source/`, from which nbgrader learns questions and points.
    """

    def __init__(self, folder, source):
        self.folder, self.source = Path(folder), Path(source)
        self.url = f"sqlite:///{self.folder / 'gradebook.db'}"

    def prepare(self, problem_sets):
        """Tell nbgrader about these problem sets, once for each version of their sources."""
        from versions import generate

        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.source.parent / "nbgrader_config.py"
        if settings.exists():
            shutil.copy(settings, self.folder)
        for problem_set in problem_sets:
            copy = self.folder / "source" / problem_set.name / problem_set.source_path.name
            known, source = copy.with_suffix(".known"), problem_set.source_path.read_bytes()
            if known.exists() and known.read_bytes() == source:
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source)
            try:
                generate(self.folder / "source", self.folder, [problem_set.name])
            except ValueError as error:
                if "Cannot add or remove cells" in str(error):
                    message = "questions came or went since this class was graded: name another folder, GRADES=..."
                    raise ValueError(f"{problem_set.name}: {message}") from error
                raise
            known.write_bytes(source)  # last, so that an interrupted run does it again

    def holds(self, student, name, key):
        """Whether this very submission is stored under that student's name."""
        return self._stored(student, name).get("submission") == key

    def _stored(self, student, name):
        """What `save` wrote into the metadata of a student's notebook."""
        path = self.path(student, name)
        return nbformat.read(path, as_version=4).metadata if path.exists() else {}

    def path(self, student, name, step="autograded"):
        """Where nbgrader expects a student's notebook."""
        return self.folder / step / student / name / f"{name}.ipynb"

    def save(self, student, problem_set, notebook, key):
        """Store a graded submission, unless this very one is stored already, and give its answers their marks back.

        Returns the questions that were marked by hand before, with another answer.
        """
        name = problem_set.name
        if self.holds(student, name, key):
            return []
        kept, texts = self._keep(student, name), _texts(notebook, problem_set)
        notebook.metadata |= {"submission": key, "texts": texts}
        with warnings.catch_warnings(), Gradebook(self.url, COURSE) as book:
            warnings.simplefilter("ignore")  # nbgrader's, about SQLAlchemy's sessions
            book.update_or_create_student(student)
            book.update_or_create_submission(name, student)
        resources = {"nbgrader": {"notebook": name, "assignment": name, "student": student, "db_url": self.url}}
        recorder = SaveAutoGrades()
        recorder.log.setLevel(logging.ERROR)
        recorder.preprocess(notebook, resources)
        self._give_back(student, name, {cell: kept.get(cell, {}).get(text) for cell, text in texts.items()})
        notebook.cells = list(_shown(notebook.cells, problem_set))
        for step in ("submitted", "autograded"):  # last what says that it is complete
            write(self.path(student, name, step), nbformat.writes(notebook))
        judges = {question.judge: question.name for question in problem_set.questions}
        return [judges[cell] for cell in judges if kept.get(cell) and texts[cell] not in kept[cell]]

    def _keep(self, student, name):
        """Write down the marks that the gradebook holds. Returns all of this student's: cell to text to mark."""
        path = self.folder / "marks.json"
        everything = json.loads(path.read_text("utf-8")) if path.exists() else {}
        kept, texts = everything.setdefault(f"{student}/{name}", {}), self._stored(student, name).get("texts", {})
        for cell, mark in self._marks(student, name).items():
            given = mark["comment"] or mark["extra"] or mark["points"] is not None
            if cell in texts and given:
                kept.setdefault(cell, {})[texts[cell]] = mark
        write(path, json.dumps(everything, ensure_ascii=False, indent=1))
        return kept

    def _give_back(self, student, name, marks):
        """Put marks that were given before into the gradebook, and take away those that belong to another text."""
        with Gradebook(self.url, COURSE) as book:
            submission = book.find_submission_notebook(name, name, student)
            for grade in submission.grades:
                mark = marks.get(grade.name) or {"points": None, "extra": None, "comment": ""}
                grade.manual_score, grade.extra_credit = mark["points"], mark["extra"]
                grade.needs_manual_grade = grade.auto_score is None and mark["points"] is None
            for comment in submission.comments:
                comment.manual_comment = (marks.get(comment.name) or {}).get("comment") or None
            book.db.commit()

    def _marks(self, student, name):
        """What the gradebook holds: cell to `points`, `extra` and `comment`."""
        found = {}
        with Gradebook(self.url, COURSE) as book:
            try:
                submission = book.find_submission_notebook(name, name, student)
            except MissingEntry:
                return found
            for grade in submission.grades:
                marked = grade.manual_score is not None and not grade.needs_manual_grade
                points = grade.manual_score if marked else None
                found[grade.name] = {"points": points, "extra": grade.extra_credit or None, "comment": ""}
                found[grade.name]["auto"] = grade.auto_score
            for comment in submission.comments:
                found.setdefault(comment.name, {"points": None, "extra": None, "auto": None})
                found[comment.name]["comment"] = comment.manual_comment or ""
        return found

    def marks(self, student, name):
        """What an instructor gave by hand: question's cell to `(points or None, comment)`."""
        given = {}
        for cell, mark in self._marks(student, name).items():
            points, extra = mark["points"], mark["extra"] or 0
            if points is None and extra:
                points = mark["auto"] or 0
            given[cell] = (None if points is None else points + extra, mark["comment"])
        return given


def _texts(notebook, problem_set):
    """A short name for the text of each answer, with the cells of one's own that belong to it: cell to name."""
    found, answers = {}, {question.answer: question for question in problem_set.questions}
    last = None
    for cell in notebook.cells:
        if grade_id(cell):
            last = answers.get(grade_id(cell))
        if last and (grade_id(cell) == last.answer or cell.metadata.get("extra")):
            found.setdefault(last, []).append(cell.source.strip())
    digests = {q: hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16] for q, parts in found.items()}
    return {cell: digest for q, digest in digests.items() for cell in (q.answer, q.judge)}
