"""What only instructors may see is planted with canaries, and then looked for wherever students can look."""

import os
import random
import shutil
import subprocess
import sys

import nbformat
import pytest
import yaml
from answers import notebook
from classroom import ROOT, bank, student, write
from grading import sandbox
from grading.problem_set import ProblemSet, is_answer, is_marked_by_hand, is_test
from leaks import forms, search
from versions import main as write_assignments

NAME = "ps2_linear_autoencoder_and_pca"
PLACES = (
    "solution", "hidden tests", "model answer", "output", "picture", "attachment", "cell metadata",
    "notebook metadata", "widgets",
)  # fmt: skip
CANARIES = {place: f"CANARY-{place.replace(' ', '-')}-<&>-7f3a" for place in PLACES}


def planted(source):
    """The source with a canary in every place that is for instructors."""
    for cell in source.cells:
        cell.metadata["instructor"] = {"note": CANARIES["cell metadata"]}
        if cell.cell_type == "code":
            cell.execution_count = 1
            cell.outputs = [
                nbformat.v4.new_output("stream", text=CANARIES["output"]),
                nbformat.v4.new_output(
                    "display_data", data={"text/html": CANARIES["picture"], "image/png": "aGVsbG8="}
                ),
            ]
        if is_test(cell):
            mark = "    ### BEGIN HIDDEN TESTS" if "\n    ### BEGIN HIDDEN" in cell.source else "### BEGIN HIDDEN TESTS"
            cell.source = cell.source.replace(mark, f"{mark}\nassert {CANARIES['hidden tests']!r}", 1)
        elif is_marked_by_hand(cell) and cell.cell_type == "markdown":
            cell.source += f"\n\n{CANARIES['model answer']}\n\n![x](attachment:x.png)"
            cell.attachments = {"x.png": {"image/png": CANARIES["attachment"]}}
        elif is_answer(cell):
            cell.source = cell.source.replace("### END SOLUTION", f"# {CANARIES['solution']}\n### END SOLUTION")
        elif cell.cell_type == "markdown":
            cell.attachments = {"y.png": {"image/png": CANARIES["attachment"]}}
    source.metadata["author"] = CANARIES["notebook metadata"]
    source.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"x": CANARIES["widgets"]}}}
    return source


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the repository whose problem set is full of canaries, with a student version made from it."""
    root = tmp_path_factory.mktemp("leaks") / "repository"
    ignored = shutil.ignore_patterns("__pycache__", "release", "solution", ".ipynb_checkpoints", "*.egg-info")
    for name in ("aelib", "book", "notebooks", "tests", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    for name in ("_config.yml", "pyproject.toml", "requirements.lock", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, root / name)
    folder = root / "notebooks" / "assignments"
    for path in (folder / "source").iterdir():
        if path.name != NAME:
            shutil.rmtree(path)
    path = folder / "source" / NAME / f"{NAME}.ipynb"
    nbformat.write(planted(nbformat.read(path, as_version=4)), path)
    (folder / "answers" / f"{NAME}.py").write_text(f"# {CANARIES['solution']}\n", "utf-8")
    for step in ("solution", "graded"):
        (folder / step / NAME).mkdir(parents=True)
        shutil.copy(path, folder / step / NAME)
    write_assignments(["--course", str(folder), "--release-only"])
    return folder


def found(*places):
    return sorted({(name.rsplit("/", 1)[-1], canary) for name, canary in search(places, CANARIES.values())})


def test_every_canary_is_in_the_source(course):
    assert {canary for _, canary in found(course / "source")} == set(CANARIES.values())


def test_the_search_sees_json_html_archives_and_coloured_code(tmp_path):
    string = 'a "quoted" <line>'
    assert len(forms(string)) == 4
    (tmp_path / "page.html").write_text('<b>a</b> <i>"quoted"</i> &lt;line&gt;', "utf-8")
    (tmp_path / "a.ipynb").write_text('{"source": "a \\"quoted\\" <line>"}', "utf-8")
    shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path, "a.ipynb")
    assert len(list(search([tmp_path], [string]))) == 3


def test_no_canary_is_in_the_student_version(course):
    assert found(course / "release") == []


@pytest.mark.slow
def test_no_canary_is_in_the_rendered_book_its_sources_or_its_search_index(course):
    root = course.parents[1]
    for page in (root / "book").glob("*.md"):
        page.unlink()
    (root / "book" / "claims.yml").write_text("[]\n", "utf-8")
    (root / "book" / "index.md").write_text("# A small book\n\n{cite}`baldi1989`\n\n```{bibliography}\n```\n", "utf-8")
    preview = f"notebooks/assignments/release/{NAME}/{NAME}"
    toc = {"format": "jb-book", "root": "book/index", "chapters": [{"file": preview}]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    environment = os.environ | {"AELIB_DATA": "embedded", "AELIB_CACHE": str(root / "cache")}
    build = [sys.executable, "tools/book/build.py"]
    done = subprocess.run(build, cwd=root, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stdout[-2000:] + done.stderr[-2000:]
    html = root / "_build" / "html"
    assert "raise NotImplementedError" in (html / f"{preview}.html").read_text("utf-8").replace("</span>", "").replace(
        '<span class="ne">', ""
    ).replace('<span class="k">', "")
    assert (html / "searchindex.js").exists() and list((html / "_sources").rglob("*.ipynb"))
    assert found(html) == []


@pytest.mark.slow
def test_no_canary_is_in_the_sdist_or_the_wheel(course, tmp_path):
    for kind in ("sdist", "wheel"):
        program = f"import setuptools.build_meta as b; b.build_{kind}({str(tmp_path)!r})"
        subprocess.run([sys.executable, "-c", program], cwd=course.parents[1], check=True, capture_output=True)
    assert len(list(tmp_path.iterdir())) == 2
    assert found(tmp_path) == []


@pytest.mark.slow
def test_no_canary_is_in_feedback_overview_or_table_even_of_somebody_who_looks_for_it(course, tmp_path):
    try:
        sandbox.check_isolation()
    except sandbox.NoIsolationError as error:
        pytest.skip(str(error).splitlines()[0])
    problem_set = ProblemSet(course / "source" / NAME / f"{NAME}.ipynb")
    everything = {question.name for question in problem_set.questions}
    listed = {name: given for name, given in bank()[NAME][1].items() if name in everything}
    right, _ = student(problem_set, listed, random.Random(0), right=1)
    write(right, tmp_path / "in" / "right.ipynb")
    write(problem_set.release, tmp_path / "in" / "empty.ipynb")
    wrong = {name: given[-1].source for name, given in listed.items()}
    write(notebook(problem_set, wrong), tmp_path / "in" / "wrong.ipynb")
    spy = (
        "import sys\ndef relative_excess(error, pca_error):\n    frame = sys._getframe(1)\n"
        "    raise AssertionError(''.join(__import__('linecache').getlines(frame.f_code.co_filename)))"
    )
    write(notebook(problem_set, {"excess": spy}), tmp_path / "in" / "spy.ipynb")
    command = [
        sys.executable,
        str(ROOT / "tools" / "assignments" / "grade.py"),
        str(tmp_path / "in"),
        "--course",
        str(course),
    ]
    subprocess.run(command, check=True, capture_output=True)
    graded = tmp_path / "in-graded"
    pages = list((graded / "feedback").rglob("*.html"))
    assert len(pages) == 4
    spied = (graded / "feedback" / NAME / "spy.html").read_text("utf-8")
    assert "excess: AssertionError in line 4" in spied  # the type of what it raised, not the text
    assert found(graded / "feedback", graded / "index.html", graded / "gradebook.csv") == []
