"""nbgrader's course folder and database, filled with graded submissions, so that the rest can be marked by hand.

    GRADES/course/gradebook.db                              points, marks by hand, comments
    GRADES/course/autograded/STUDENT/NAME/NAME.ipynb        the submission as it was run, harmless outputs only

`make mark` opens them in nbgrader's formgrader. What is marked there comes back into the table and the feedback pages
with the next `make grade`, which grades nothing twice.
"""

import html
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
        path = self.path(student, name)
        return path.exists() and nbformat.read(path, as_version=4).metadata.get("submission") == key

    def path(self, student, name, step="autograded"):
        """Where nbgrader expects a student's notebook."""
        return self.folder / step / student / name / f"{name}.ipynb"

    def save(self, student, problem_set, notebook, key):
        """Store a graded submission, unless this very one is stored already."""
        name = problem_set.name
        if self.holds(student, name, key):
            return
        notebook.metadata["submission"] = key
        with warnings.catch_warnings(), Gradebook(self.url, COURSE) as book:
            warnings.simplefilter("ignore")  # nbgrader's, about SQLAlchemy's sessions
            book.update_or_create_student(student)
            book.update_or_create_submission(name, student)
        resources = {"nbgrader": {"notebook": name, "assignment": name, "student": student, "db_url": self.url}}
        recorder = SaveAutoGrades()
        recorder.log.setLevel(logging.ERROR)
        recorder.preprocess(notebook, resources)
        notebook.cells = list(_shown(notebook.cells, problem_set))
        for step in ("submitted", "autograded"):  # last what says that it is complete
            write(self.path(student, name, step), nbformat.writes(notebook))

    def marks(self, student, name):
        """What an instructor gave by hand: question's cell to `(points or None, comment)`."""
        given = {}
        with Gradebook(self.url, COURSE) as book:
            try:
                submission = book.find_submission_notebook(name, name, student)
            except MissingEntry:
                return given
            comments = {comment.name: comment.manual_comment or "" for comment in submission.comments}
            for grade in submission.grades:
                extra = grade.extra_credit or 0
                stale = grade.manual_score is None or grade.needs_manual_grade  # of an earlier version of the answer
                points = None if stale else grade.manual_score + extra
                if points is None and extra:
                    points = (grade.auto_score or 0) + extra
                given[grade.name] = (points, comments.get(grade.name, ""))
            for name_, comment in comments.items():
                given.setdefault(name_, (None, comment))
        return given
