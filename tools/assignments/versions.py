"""Write the two versions of every problem set: `make assignments`.

From `notebooks/assignments/source/` to

- `release/`, for students: stubs, visible tests, no solution, no hidden test, no output. In the repository, because
  Colab opens it from there; a test compares it with its source.
- `solution/`, for instructors: executed, with model answers, rubrics and hidden tests. Never in the repository.

    python tools/assignments/versions.py [--course FOLDER] [--release-only] [--check] [NAME ...]
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "maintenance"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from grading.problem_set import ASSIGNMENTS, HIDDEN, SOLUTION, ProblemSet, is_answer, is_marked_by_hand
from grading.reports import write

from notebooks import NORMAL_METADATA

KEPT_CELL_METADATA = ("deletable", "editable", "nbgrader", "tags")
SHORTEST = 25  # characters; a shorter line, like `return model`, may stand anywhere


class LeakError(ValueError):
    """A student version holds something that only instructors may see."""


def nbgrader_course(folder, source):
    """nbgrader's view of a folder as a course, with the settings of the folder that `source` lies in."""
    from traitlets.config import Config, PyFileConfigLoader

    settings = source.parent / "nbgrader_config.py"
    config = PyFileConfigLoader(settings.name, str(settings.parent)).load_config() if settings.exists() else Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.source_directory = str(source)
    config.CourseDirectory.db_url = f"sqlite:///{Path(folder) / 'gradebook.db'}"
    return config


def generate(source, folder, names):
    """Have nbgrader write the student versions of problem sets below `source` to `folder/release`, and its database."""
    from nbgrader.apps import NbGraderAPI

    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls `alembic`
    api = NbGraderAPI(config=nbgrader_course(folder, source))
    for name in names:
        done = api.generate_assignment(name, force=True, create=True)
        if not done["success"]:
            raise ValueError(f"{name}: nbgrader could not make the student version:\n{done['log'] or done['error']}")


def polished(release, source):
    """A student version in normal form: nothing in it but what a student should see and nbgrader needs."""
    for cell, original in zip(release.cells, source.cells, strict=True):
        cell.metadata = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if key in cell.metadata}
        cell.id = original.id
        shown = {} if is_answer(original) else cell.get("attachments", {})
        shown = {name: data for name, data in shown.items() if f"attachment:{name}" in cell.source}
        cell.pop("attachments", None)
        if shown:
            cell.attachments = shown
        cell.source = re.sub(r"\n{3,}", "\n\n", cell.source.strip("\n"))
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    release.metadata, release.nbformat, release.nbformat_minor = NORMAL_METADATA, 4, 5
    nbformat.validate(release)
    return release


def secrets(source):
    """The lines of a source that students must not see: solutions, model answers, rubrics, hidden tests."""
    for cell in source.cells:
        parts = HIDDEN.findall(cell.source)
        if is_answer(cell):
            parts += [cell.source] if _is_model_answer(cell) else SOLUTION.findall(cell.source)
        for part in parts:
            yield from (line.strip() for line in part.splitlines() if len(line.strip()) >= SHORTEST)


def check_leaks(release, source, name):
    """Raise `LeakError` where a student version holds a line that it must not."""
    public = public_lines(source)
    text = "\n".join(cell.source for cell in release.cells)
    lines = {line.strip() for line in text.splitlines()}
    found = [line for line in secrets(source) if line in lines - public]
    marks = re.findall(r"(?:BEGIN|END) (?:SOLUTION|HIDDEN TESTS)", text)
    if found or marks:
        raise LeakError(f"{name}: the student version would hold: {(found + marks)[0]!r}")


def public_lines(source):
    """The lines of a source that students do see."""
    shown = [SOLUTION.sub("", HIDDEN.sub("", cell.source)) for cell in source.cells if not _is_model_answer(cell)]
    return {line.strip() for text in shown for line in text.splitlines()}


def _is_model_answer(cell):
    """Whether all of a cell is for instructors: an answer in words."""
    return is_marked_by_hand(cell) and cell.cell_type == "markdown"


def released(source, names=()):
    """The student version of each problem set below `source`: name to notebook."""
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / source.name
        wanted = names or sorted(path.parent.name for path in source.glob("*/*.ipynb"))
        for name in wanted:
            shutil.copytree(source / name, course / name)
        if (source.parent / "nbgrader_config.py").exists():
            shutil.copy(source.parent / "nbgrader_config.py", folder)
        generate(course, Path(folder), wanted)
        result = {}
        for name in wanted:
            original = nbformat.read(source / name / f"{name}.ipynb", as_version=4)
            student = nbformat.read(Path(folder) / "release" / name / f"{name}.ipynb", as_version=4)
            result[name] = polished(student, original)
            check_leaks(result[name], original, name)
    return result


def executed(path):
    """The instructor's version: the source, run from top to bottom on the data that the book uses."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        skip_cells_with_tag="",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.capture_fd_output=False"],  # TensorFlow's greetings stay out of the notebook
    )
    client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def text(notebook):
    """A notebook as it stands in its file."""
    return nbformat.writes(notebook) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="problem sets, all by default")
    parser.add_argument("--course", type=Path, default=ASSIGNMENTS, help="the folder that holds source/")
    parser.add_argument("--release-only", action="store_true", help="do not run the instructor's version")
    parser.add_argument("--check", action="store_true", help="only say whether release/ is what source/ gives")
    chosen = parser.parse_args(arguments)
    course = chosen.course.expanduser().resolve()
    for name in chosen.names:
        if not (course / "source" / name / f"{name}.ipynb").exists():
            known = ", ".join(sorted(path.stem for path in (course / "source").glob("*/*.ipynb")))
            sys.exit(f"{name}: expected one of the problem sets in {course / 'source'}: {known}")
    try:
        versions = released(course / "source", chosen.names)
    except ValueError as error:
        sys.exit(str(error))
    for name, notebook in versions.items():
        path = course / "release" / name / f"{name}.ipynb"
        if chosen.check:
            if not path.exists() or path.read_text("utf-8") != text(notebook):
                sys.exit(f"release/{name} is not what source/{name} gives: run `make assignments`")
            continue
        write(path, text(notebook))
        problem_set = ProblemSet(course / "source" / name / path.name)
        points = f"{len(problem_set.questions)} questions, {problem_set.points:g} points"
        print(f"release/{name}: for students, {points}", flush=True)
        if not chosen.release_only:
            write(course / "solution" / name / path.name, text(executed(problem_set.source_path)))
            print(f"solution/{name}: for instructors, run", flush=True)


if __name__ == "__main__":
    main()
