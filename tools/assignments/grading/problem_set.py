"""What was asked: the cells of a problem set's source, and its questions with their points."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

ASSIGNMENTS = Path(__file__).resolve().parents[3] / "notebooks" / "assignments"
SOLUTION = re.compile(r"^[^\n]*BEGIN SOLUTION.*?END SOLUTION[^\n]*\n?", re.S | re.M)
HIDDEN = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS.*?END HIDDEN TESTS[^\n]*\n?", re.S | re.M)
TESTS = re.compile(r"(?P<answer>[\w-]+?)-tests(-(?P<part>\w+))?")
CRITERION = re.compile(r"(\d+(?:\.\d+)?) points?:\s")


def role(cell):
    """nbgrader's settings of a cell, `{}` where it has none."""
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, dict) else {}


def grade_id(cell):
    """The cell's name in nbgrader, None where it has none."""
    name = role(cell).get("grade_id")
    return name if isinstance(name, str) else None


def is_answer(cell):
    """Whether students write into it."""
    return bool(role(cell).get("solution"))


def is_test(cell):
    """Whether it judges an answer by running."""
    return bool(role(cell).get("grade")) and not is_answer(cell)


def is_marked_by_hand(cell):
    """Whether an instructor reads it and gives the points."""
    return bool(role(cell).get("grade")) and is_answer(cell)


def answer_of(name):
    """The name of the answer that a cell of tests judges; another cell's own name."""
    match = TESTS.fullmatch(name)
    return match["answer"] if match else name


def criteria(source):
    """The rubric of an answer that is marked by hand, `(points, what for)` each: what it says after `N points:`."""
    words = re.sub(r"^#+ ?", "", source, flags=re.M).partition("Rubric")[2].partition("END SOLUTION")[0]
    _, *found = CRITERION.split(words)
    texts = [" ".join(text.split()).rstrip(" -*") for text in found[1::2]]
    return [(float(points), text) for points, text in zip(found[::2], texts, strict=True)]


def model_answer(cell):
    """What an answer should be like, without the rubric and the marks around it."""
    words = re.split(r"^(?:# |\*\*)Rubric", cell.source, flags=re.M)[0]
    words = re.sub(r"^.*(?:BEGIN|END) SOLUTION.*\n?", "", words, flags=re.M)
    if cell.cell_type == "markdown":  # lines that were only broken to be short
        words = re.sub(r"(?<!\n)\n(?!\n)", " ", words.strip()).removeprefix("**Model answer.** ")
    return words.strip()


def hidden_lines(source):
    """The lines of a test cell that students never see."""
    return [line for part in HIDDEN.findall(source) for line in part.splitlines()[1:-1]]


def names_defined(source):
    """Functions, classes and variables that a cell defines at its top level; empty where it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assigned = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return names | {target.id for target in assigned if isinstance(target, ast.Name)}


@dataclass(frozen=True)
class Question:
    """Something with points. `answer` and `judge` are cells' names, the same one where it is marked by hand.

    A question whose points have parts has a cell of tests for each part: `NAME-tests-PART`.
    """

    name: str
    points: float
    answer: str
    judge: str

    @property
    def by_hand(self):
        return self.answer == self.judge


class ProblemSet:
    """A source notebook and the student version of it.

    Args:
        source: path of the instructor's notebook, `.../source/NAME/NAME.ipynb`.
        release: path of the student version, by default the one beside `source/`.
    """

    def __init__(self, source, release=None):
        self.source_path, self.name = Path(source), Path(source).stem
        release = release or self.source_path.parents[2] / "release" / self.name / f"{self.name}.ipynb"
        self.source = nbformat.read(self.source_path, as_version=4)
        self.release = nbformat.read(release, as_version=4)
        self.cells = {grade_id(cell): cell for cell in self.source.cells if grade_id(cell)}
        self.stubs = {grade_id(cell): cell for cell in self.release.cells if grade_id(cell)}
        self.questions = list(self._questions())

    def _questions(self):
        for name, cell in self.cells.items():
            if role(cell).get("task"):
                raise ValueError(f"{self.name}: {name}: expected a manually graded answer, got a task")
            if is_marked_by_hand(cell):
                yield Question(name, float(role(cell)["points"]), name, name)
            elif is_test(cell):
                answer, part = answer_of(name), TESTS.fullmatch(name) and TESTS.fullmatch(name)["part"]
                if answer == name or not is_answer(self.cells.get(answer, {})):
                    raise ValueError(
                        f"{self.name}: {name}: expected NAME-tests or NAME-tests-PART after an answer cell called NAME"
                    )
                last = ast.parse(cell.source).body[-1]
                if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call):
                    raise ValueError(f"{self.name}: {name}: expected a test, got points in its last line")
                shown = f"{answer} ({part})" if part else answer
                yield Question(shown, float(role(cell)["points"]), answer, name)

    @property
    def judges(self):
        """The names of the cells whose tests judge an answer, in order, by the answer's name."""
        found = {}
        for question in self.questions:
            if not question.by_hand:
                found.setdefault(question.answer, []).append(question.judge)
        return found

    @property
    def asked(self):
        """All that a verdict depends on, as text: not the model answers and rubrics of what is marked by hand."""
        cells = [
            (grade_id(cell), role(cell).get("points"), cell.metadata.get("tags"), cell.source)
            for cell in [*(cell for cell in self.source.cells if not is_marked_by_hand(cell)), *self.release.cells]
        ]
        return str(cells)

    @property
    def title(self):
        """The notebook's first heading."""
        return next(line.lstrip("# ") for line in self.release.cells[0].source.splitlines() if line.startswith("#"))

    @property
    def points(self):
        """What full marks are."""
        return sum(question.points for question in self.questions)


def problem_sets(folder=ASSIGNMENTS):
    """All problem sets below `folder/source`, by name."""
    paths = sorted(path for path in (folder / "source").glob("*/*.ipynb") if path.stem == path.parent.name)
    return {path.stem: ProblemSet(path) for path in paths}
