"""What comes out of grading: a table, a feedback page for each student, an overview, a picture of the class."""

import csv
import io
import os
import re
import threading
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grading.problem_set import grade_id

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
COLUMNS = (
    "student",
    "problem_set",
    "points",
    "out_of",
    "to_mark",
    "late_days",
    "deducted",
    "look_again",
    "flags",
    "seconds",
    "file",
)
MARKED = ("when", "student", "problem_set", "question", "points", "before", "comment", "asked", "answer")
BLUE, ORANGE = "#0072B2", "#D55E00"


def write(path, content):
    """Write text or bytes whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")  # nobody else's
    part.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    part.replace(path)


def safe(value):
    """A cell of the table that no spreadsheet takes for a formula."""
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    number = re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not number else text


def earned(row):
    """The points that count: what was earned, less what being late costs."""
    return row["points"] - row["deducted"]


def plain_table(rows, columns):
    """Dictionaries as CSV text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([columns, *([safe(row[column]) for column in columns] for row in rows)])
    return text.getvalue()


def table(rows):
    """The gradebook as CSV text: a row for each file, a column for each question."""
    questions = list(dict.fromkeys(f"{row['problem_set']}: {name}" for row in rows for name in row["questions"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *questions])
    for row in rows:
        fixed = ["; ".join(row[column]) if isinstance(row[column], list) else row[column] for column in COLUMNS]
        points = {f"{row['problem_set']}: {name}": given["points"] for name, given in row["questions"].items()}
        writer.writerow([safe(value) for value in [*fixed, *(points.get(question) for question in questions)]])
    return text.getvalue()


def headings(problem_set):
    """Each question's heading in the notebook, by the question's name."""
    found, last = {}, problem_set.title
    for cell in problem_set.release.cells:
        if cell.cell_type == "markdown" and not grade_id(cell):
            titles = re.findall(r"^#+ (.*Question.*)$", cell.source, re.M)
            last = titles[-1] if titles else last
        found |= {question.name: last for question in problem_set.questions if question.answer == grade_id(cell)}
    return found


def feedback(row, problem_set):
    """A student's page: points, what the tests said, what was answered, the instructor's comments; no test's text."""
    return TEMPLATES.get_template("feedback.html").render(
        row=row, problem_set=problem_set, titles=headings(problem_set)
    )


def overview(rows, pictures, statistics, n_similar):
    """The instructor's page: who needs to be looked at, what the questions were like, and links to everything."""
    ordered = sorted(rows, key=lambda row: (not row["flags"], row["problem_set"], row["student"]))
    return TEMPLATES.get_template("overview.html").render(
        rows=ordered, sets=list(zip(pictures, statistics, strict=True)), n_similar=n_similar
    )


def similar(pairs):
    """The page of answers that are alike, the most alike first."""
    return TEMPLATES.get_template("similar.html").render(pairs=pairs)


def picture(rows, problem_set, statistics):
    """A class's points, and each question's share of points, as PNG bytes. Questions not yet marked are left out."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    totals = [row["points"] for row in rows]
    left.hist(
        totals, bins=min(15, int(problem_set.points)), range=(0, problem_set.points), color=BLUE, edgecolor="white"
    )
    left.set(xlabel=f"points of {problem_set.points:g}, without what is still to be marked", ylabel="students")
    left.set_title(f"{len(rows)} submissions", fontsize=10)
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    shares, labels = [], []
    for line in statistics:
        shares.append(0 if line["to_mark"] else line["share"])
        labels.append(f"{line['question']} ({line['to_mark']} to mark)" if line["to_mark"] else line["question"])
    bars = right.barh(labels, shares, color=[BLUE if share >= 0.5 else ORANGE for share in shares])
    tells = ["" if line["discrimination"] is None else f"r = {line['discrimination']:.2f}" for line in statistics]
    right.bar_label(bars, tells, padding=3, fontsize=8)
    right.set(xlim=(0, 1.2), xticks=[0, 0.25, 0.5, 0.75, 1])
    right.set_xlabel("mean share of the points (below one half in orange)\nr: correlation with all other questions")
    right.invert_yaxis()
    figure.suptitle(problem_set.title, fontsize=11)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110, metadata={"Software": None})
    return image.getvalue()
