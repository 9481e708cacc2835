"""Grading a folder: nothing that a submission does costs anybody else anything, and nothing is lost."""

import csv
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from importlib import metadata
from pathlib import Path

import grade
import mark
import nbformat
import psutil
import pytest
from answers import notebook
from classroom import (
    ASSIGNMENTS,
    NOT_NOTEBOOKS,
    PROGRAMS,
    ROOT,
    bank,
    broken,
    make_class,
    student,
    tampered,
    travelled,
    write,
)
from grade import find_files, name_of, student_name, top_folder
from grading import reports, sandbox
from grading.execution import box_folder
from grading.problem_set import grade_id, hidden_lines
from grading.submission import UnreadableError, read, rebuild, recognise, stated_id

BANK = bank()
SETS = {name: found for name, (found, _) in BANK.items()}
GRADE = [sys.executable, str(ROOT / "tools" / "assignments" / "grade.py")]


def needs_box():
    try:
        sandbox.check_isolation()
    except sandbox.NoIsolationError as error:
        pytest.skip(str(error).splitlines()[0])


# What comes back


@pytest.mark.parametrize("seed", range(30))
def test_what_a_notebook_meets_on_its_way_changes_no_answer(seed, tmp_path):
    generator = random.Random(seed)
    name = generator.choice(list(BANK))
    original, _ = student(*BANK[name], generator)
    write(travelled(original, generator), tmp_path / "a.ipynb")
    back = read(tmp_path / "a.ipynb")
    assert recognise(back, SETS) == name
    rebuilt = rebuild(back, SETS[name])
    assert rebuilt.flags == []
    sent = {grade_id(cell): cell.source.strip() for cell in original.cells if grade_id(cell) in rebuilt.answers}
    assert {answer: source.strip() for answer, source in rebuilt.answers.items()} == sent
    order = [grade_id(cell) for cell in rebuilt.notebook.cells if grade_id(cell)]
    assert order == [grade_id(cell) for cell in SETS[name].source.cells if grade_id(cell)]


@pytest.mark.parametrize("name", NOT_NOTEBOOKS)
def test_what_is_no_notebook_of_this_course_is_refused_with_the_reason(name, tmp_path):
    (tmp_path / name).write_bytes(NOT_NOTEBOOKS[name])
    try:
        assert recognise(read(tmp_path / name), SETS) is None
    except UnreadableError as error:
        assert str(error) in (
            "not a notebook: it holds no JSON text", "not a notebook: it has no list of cells", "the file is empty"
        )  # fmt: skip


def test_outputs_that_are_nested_without_end_and_half_an_emoji_are_no_trouble(tmp_path):
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    text = '{"cells": [{"cell_type": "code", "source": "x = \'\\ud83d\'", "outputs": [OUTPUT]}]}'
    (tmp_path / "a.ipynb").write_text(text.replace("OUTPUT", deep), "utf-8")
    with pytest.raises(UnreadableError):
        read(tmp_path / "a.ipynb")
    (tmp_path / "a.ipynb").write_text(text.replace("OUTPUT", ""), "utf-8")
    assert read(tmp_path / "a.ipynb").cells[0].source == "x = '?'"


def test_the_id_is_read_from_its_cell_whatever_else_is_written():
    """A pattern that tries every way to split a text would need hours for these."""
    for text in ("\n" * 10**6, "Your id: x" + "!" * 10**6 + "x", "*" * 10**6, "Your id" * 10**5):
        cell = nbformat.v4.new_markdown_cell(text)
        assert len(stated_id(nbformat.v4.new_notebook(cells=[cell]))) <= 100
    cell.source = "**Your id, if your instructor asks for it:** *s12* "
    assert stated_id(nbformat.v4.new_notebook(cells=[cell])) == "s12"


def test_an_enormous_file_is_refused_unread(tmp_path):
    with (tmp_path / "a.ipynb").open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(UnreadableError, match="the file has 954 MB, more than 20"):
        read(tmp_path / "a.ipynb")


def test_changed_tests_and_points_are_put_back_and_flagged(tmp_path):
    name = "ps4_variational_and_anomalies"
    original, _ = student(*BANK[name], random.Random(0), right=1)
    rebuilt = rebuild(tampered(original, SETS[name]), SETS[name])
    flags = "\n".join(rebuilt.flags)
    assert "kl-tests: the tests were changed (the original ones were run)" in flags
    assert "kl-tests: the points were changed to 1000 (the original ones count)" in flags
    for cell in rebuilt.notebook.cells:
        if (grade_id(cell) or "").endswith("-tests"):
            assert cell.source == SETS[name].cells[grade_id(cell)].source
            assert (
                cell.metadata["nbgrader"]["points"] == SETS[name].cells[grade_id(cell)].metadata["nbgrader"]["points"]
            )


def test_cells_behind_an_answer_marked_by_hand_belong_to_it_and_are_shown_not_run():
    name = "ps1_first_autoencoder"
    original = notebook(SETS[name], {})
    at = {grade_id(cell): i for i, cell in enumerate(original.cells)}
    plot = nbformat.v4.new_code_cell("plot()", outputs=[nbformat.v4.new_output("stream", text="seen")])
    original.cells[at["experiment"] + 1 :] = [plot, nbformat.v4.new_markdown_cell("What came out: nothing.")]
    original.cells.insert(at["why"] + 1, nbformat.v4.new_markdown_cell("Because the target is the input."))
    rebuilt = rebuild(original, SETS[name])
    assert rebuilt.continued == {"why", "experiment"} and rebuilt.flags == []
    sources = {cell.source: cell for cell in rebuilt.notebook.cells}
    assert {"plot()", "What came out: nothing.", "Because the target is the input."} <= set(sources)
    assert sources["plot()"].metadata["tags"] == ["skip-execution"] and sources["plot()"].outputs[0].text == "seen"


def test_an_import_added_to_a_given_cell_is_kept_and_any_other_change_is_flagged():
    name = "ps1_first_autoencoder"
    original, _ = student(*BANK[name], random.Random(0), right=1)
    setup = next(cell for cell in original.cells if grade_id(cell) == "setup")
    setup.source += "\nimport math"
    rebuilt = rebuild(original, SETS[name])
    assert rebuilt.flags == [] and "import math" in [cell.source for cell in rebuilt.notebook.cells]
    setup.source += "\nx_train = x_train[:10]"
    assert rebuild(original, SETS[name]).flags == [
        "setup: a cell that was given was changed (the original one was run)"
    ]


def test_an_answer_that_lost_its_name_is_found_by_what_it_defines_or_by_its_place():
    name = "ps4_variational_and_anomalies"
    original, _ = student(*BANK[name], random.Random(1), right=1)
    sent = {grade_id(cell): cell.source for cell in original.cells}
    place = next(i for i, cell in enumerate(original.cells) if grade_id(cell) == "experiment")
    original.cells.insert(place, nbformat.v4.new_code_cell("scratch = 1"))
    for cell in original.cells:
        cell.metadata = {}
    rebuilt = rebuild(original, SETS[name])
    assert rebuilt.answers["kl"] == sent["kl"] and rebuilt.answers["sum"] == sent["sum"]
    assert rebuilt.flags == ["experiment: its cell lost its name; of several below the question the first was taken"]


def test_a_students_own_cells_stay_behind_the_cell_that_they_followed():
    name = "ps1_first_autoencoder"
    original, _ = student(*BANK[name], random.Random(0), right=1)
    place = next(i for i, cell in enumerate(original.cells) if grade_id(cell) == "error")
    original.cells.insert(place, nbformat.v4.new_code_cell("def helper():\n    return 1"))
    rebuilt = rebuild(original, SETS[name]).notebook
    sources = [cell.source for cell in rebuilt.cells]
    at = sources.index("def helper():\n    return 1")
    assert grade_id(rebuilt.cells[at - 1]) == "count-tests"
    assert at < [grade_id(cell) for cell in rebuilt.cells].index("error")


def test_of_two_cells_that_answer_a_question_the_later_one_that_is_not_empty_counts():
    name = "ps1_first_autoencoder"
    original, _ = student(*BANK[name], random.Random(0), right=1)
    place = next(i for i, cell in enumerate(original.cells) if grade_id(cell) == "error")
    first, second, empty = (nbformat.from_dict(dict(original.cells[place])) for _ in range(3))
    first.source, second.source, empty.source = "one = 1", "two = 2", ""
    original.cells[place : place + 1] = [first, second, empty]
    rebuilt = rebuild(original, SETS[name])
    assert rebuilt.answers["error"] == "two = 2"
    assert any(flag.startswith("error: answered in two cells") for flag in rebuilt.flags)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Alice Smith_123_assignsubmission_file/ps1.ipynb", "Alice_Smith_123_assignsubmission_file"),
        ("smithalice_98_765_ps1_first_autoencoder.ipynb", "smithalice_98_765"),
        ("ps1_first_autoencoder (김민준).ipynb", "김민준"),
        ("bob/deeper/ps1_first_autoencoder.ipynb", "bob"),
        ("ps1_first_autoencoder.ipynb", "unnamed"),
        ("../etc-passwd.ipynb", "etc-passwd"),
    ],
)
def test_a_student_is_called_what_the_folder_or_the_file_is_called(path, name):
    assert student_name(Path("/in") / path.removeprefix("../"), Path("/in"), SETS) == name


# What goes out


def test_no_cell_of_the_table_is_a_formula():
    assert [reports.safe(v) for v in ("=1+1", "@a", "-x", "-1.5", 2.0, None, "Anna")] == [
        "'=1+1", "'@a", "'-x", "-1.5", "2", "", "Anna"
    ]  # fmt: skip


def test_a_feedback_page_escapes_what_students_write_and_shows_no_test():
    found = SETS["ps1_first_autoencoder"]
    question = {"points": 0.0, "out_of": 1.0, "status": "failed", "by_hand": False, "comment": ""}
    question |= {"message": "<script>alert(1)</script>", "answer": "x = '<img onerror=1>'"}
    row = {"student": "<b>", "points": 0.0, "out_of": 30.0, "to_mark": 0, "stopped": ""}
    row |= {"late_days": 0, "free_days": 0, "deducted": 0.0}
    page = reports.feedback(row | {"questions": {q.name: question for q in found.questions}}, found)
    assert "<script>" not in page and "<img" not in page and "&lt;b&gt;" in page
    for cell in found.cells.values():
        assert not any(line.strip() in page for line in hidden_lines(cell.source) if len(line.strip()) > 25)
    assert "Question 4. The error of each image (4 points)" in page


def test_a_name_that_is_in_no_encoding_can_be_written(tmp_path):
    name = name_of(Path(os.fsdecode(b"M\xfcller.ipynb")))
    reports.write(tmp_path / "table.csv", name)
    assert student_name(Path("/in") / os.fsdecode(b"M\xfcller.ipynb"), Path("/in"), SETS) == "M_ller"


def test_bad_arguments_are_named(tmp_path):
    def refused(*arguments, **variables):
        done = subprocess.run([*GRADE, *arguments], capture_output=True, text=True, env=os.environ | variables)
        assert done.returncode
        return done.stderr

    assert "SUBMISSIONS: expected a folder of notebooks" in refused(str(tmp_path / "nothing"))
    assert "holds no files" in refused(str(tmp_path), "--isolation", "none")
    inside = refused(str(tmp_path), "--grades", str(tmp_path / "grades"))
    assert "GRADES: expected a folder outside the submissions" in inside
    assert "bubblewrap (bwrap) was not found" in refused(str(tmp_path), PATH=str(tmp_path))


# A class


def fingerprint(folder):
    """Names and contents of all below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def boxes(grader):
    """Processes of submissions that this grader ran and that are still alive."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(f"{box_folder.prefix}{grader}-" in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class that holds every way to break, graded; the grader was killed in the middle and started again."""
    needs_box()
    place = tmp_path_factory.mktemp("class")
    folder, victim, calls = place / "submissions", place / "victim", []
    victim.mkdir()
    (victim / "secret.txt").write_text("what-the-host-keeps-to-itself")

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            calls.append(self.path)

    server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    n_broken = len(PROGRAMS) + 1 + len(NOT_NOTEBOOKS)
    address = f"http://127.0.0.1:{server.server_port}/"
    expected = make_class(folder, n_broken + 4, 0, n_broken / (n_broken + 4), victim=victim, address=address)
    before = fingerprint(folder) | fingerprint(victim)
    repository = fingerprint(ROOT / "aelib") | fingerprint(ROOT / "notebooks")

    command = [*GRADE, str(folder), "--jobs", "2", "--cell-seconds", "20", "--seconds", "120"]
    grades, environment = place / "submissions-graded", os.environ | {"TMPDIR": tempfile.gettempdir()}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while len(list(grades.glob("results/*.json"))) < 4 and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {path: path.stat().st_mtime_ns for path in grades.glob("results/*.json")}
    deadline = time.monotonic() + 20
    while (orphans := boxes(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.2)
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert not done.returncode, done.stderr[-2000:]
    server.shutdown()
    with (grades / "gradebook.csv").open(encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    return {
        "expected": expected, "rows": rows, "grades": grades, "calls": calls, "finished": finished,
        "out": done.stdout,
        "command": command, "orphans": orphans, "killed": process.pid,
        "before": before, "after": fingerprint(folder) | fingerprint(victim),
        "repository": repository, "victim": victim,
    }  # fmt: skip


@pytest.mark.slow
def test_every_file_is_graded_or_flagged_and_nobody_pays_for_another(graded):
    assert set(graded["rows"]) == set(graded["expected"])
    for file, (name, points, kind) in graded["expected"].items():
        row = graded["rows"][file]
        if kind == "ok":
            assert (float(row["points"]), row["problem_set"], row["flags"]) == (points, name, ""), file
        elif kind in NOT_NOTEBOOKS:
            assert row["points"] == "" and row["flags"].startswith("not graded: "), file
        else:
            assert row["flags"] or float(row["points"]) < points, f"{file}: {kind} went unnoticed"


@pytest.mark.slow
def test_nothing_outside_the_grades_was_touched_and_nobody_was_called(graded):
    assert graded["before"] == graded["after"]
    assert graded["repository"] == fingerprint(ROOT / "aelib") | fingerprint(ROOT / "notebooks")
    assert graded["calls"] == []
    for path in graded["grades"].rglob("*"):
        assert not path.is_file() or b"what-the-host-keeps-to-itself" not in path.read_bytes(), path


@pytest.mark.slow
def test_a_killed_grader_leaves_no_process_behind_and_goes_on_where_it_stopped(graded):
    assert graded["orphans"] == [] and len(graded["finished"]) >= 4
    assert all(path.stat().st_mtime_ns == changed for path, changed in graded["finished"].items())
    assert f"{len(graded['finished'])} graded before" in graded["out"]
    assert not list(Path(tempfile.gettempdir()).glob(f"{box_folder.prefix}{graded['killed']}-*"))
    again = subprocess.run(graded["command"], capture_output=True, text=True)
    assert " 0 run now" in again.stdout


@pytest.mark.slow
def test_each_harm_is_told_apart(graded):
    told = {kind: graded["rows"][file]["flags"] for file, (_, _, kind) in graded["expected"].items()}
    assert "stopped after its time limit" in told["hangs"]
    assert "it could not be interrupted" in told["hangs_for_good"]
    assert "the process died" in told["crashes"] and "the process died" in told["exits"]
    assert "it took more than 4 GB of memory" in told["bombs"] or "processes" in told["bombs"]


@pytest.mark.slow
def test_marks_by_hand_come_back_into_table_and_feedback(graded):
    file, (name, points, _) = next((f, e) for f, e in graded["expected"].items() if e[2] == "ok")
    row = graded["rows"][file]
    question = next(q for q in SETS[name].questions if q.by_hand)
    desk = mark.Desk(graded["grades"])
    (answers,) = desk.answers(SETS[name], question)
    answer = next(answer for answer in answers if answer["who"] == row["student"])
    was = answer["verdict"]["points"] or 0  # 0 where there is no answer
    form = {"criteria": [0], "points": "2,5", "comment": "A <good> start", "token": answer["token"]}
    desk.save(SETS[name], question, form)
    subprocess.run(graded["command"], capture_output=True, check=True)
    with (graded["grades"] / "gradebook.csv").open(encoding="utf-8") as table:
        after = next(r for r in csv.DictReader(table) if r["file"] == file)
    assert float(after["points"]) == points - was + 2.5 and after[f"{name}: {question.name}"] == "2.5"
    page = (graded["grades"] / "feedback" / name / f"{row['student']}.html").read_text("utf-8")
    assert "A &lt;good&gt; start" in page
    assert "A <good> start" in (graded["grades"] / "marks.csv").read_text("utf-8")


@pytest.mark.slow
def test_what_an_instructor_is_shown_holds_no_html_of_a_student(graded):
    for path in (graded["grades"] / "results").glob("*.json"):
        for cell in json.loads(path.read_text("utf-8"))["notebook"]["cells"]:
            for output in cell.get("outputs", []):
                assert set(output.get("data", {})) <= {"text/plain", "image/png"}, path


@pytest.mark.slow
def test_feedback_pages_and_overview_exist_for_everybody_and_hold_no_hidden_test(graded):
    pages = list((graded["grades"] / "feedback").rglob("*.html"))
    assert len(pages) == sum(kind not in NOT_NOTEBOOKS for _, _, kind in graded["expected"].values())
    hidden = [
        line.strip() for found in SETS.values() for cell in found.cells.values() for line in hidden_lines(cell.source)
    ]
    for path in pages:
        page = path.read_text("utf-8")
        assert not [line for line in hidden if line.startswith("assert ") and line in page], path
    for name in {name for name, _, kind in graded["expected"].values() if kind == "ok"}:
        assert (graded["grades"] / f"class_{name}.png").stat().st_size > 5000
    assert "gradebook.csv" in (graded["grades"] / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_without_a_box_time_and_order_still_hold(tmp_path):
    """`ISOLATION=none`, for instructors who trust their students: limits hold, walls do not."""
    generator, name = random.Random(3), "ps2_linear_autoencoder_and_pca"
    original, points = student(*BANK[name], generator, right=1)
    write(original, tmp_path / "in" / "good.ipynb")
    write(broken("hangs", original, SETS[name], generator), tmp_path / "in" / "hangs.ipynb")
    command = [*GRADE, str(tmp_path / "in"), "--isolation", "none", "--cell-seconds", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "No isolation: submissions run with all your rights." in done.stdout
    with (tmp_path / "in-graded" / "gradebook.csv").open(encoding="utf-8") as table:
        rows = {row["student"]: row for row in csv.DictReader(table)}
    assert float(rows["good"]["points"]) == points and not rows["good"]["flags"]
    assert 0 < float(rows["hangs"]["points"]) < points and "stopped after its time limit" in rows["hangs"]["flags"]


def test_grades_are_of_this_version_of_aelib_and_of_its_packages(monkeypatch, tmp_path):
    before = grade.version()
    assert grade.version() == before
    distributions = list(metadata.distributions())
    monkeypatch.setattr(metadata, "distributions", lambda: distributions[1:])
    assert grade.version() != before
    monkeypatch.undo()
    shutil.copytree(ROOT / "aelib", tmp_path / "aelib")
    monkeypatch.setattr(sandbox, "ROOT", tmp_path)
    assert grade.version() == before
    (tmp_path / "aelib" / "models" / "linear.py").write_text("broken", "utf-8")
    assert grade.version() != before


def test_equal_files_of_two_students_are_told_and_graded_once(tmp_path):
    name = "ps1_first_autoencoder"
    for student_ in ("anna", "ben"):
        write(notebook(SETS[name], {"bet": "bet = 1"}), tmp_path / "in" / f"{student_}.ipynb")
    write(notebook(SETS[name], {"bet": "bet = 2"}), tmp_path / "in" / "carla.ipynb")
    rows = {
        row["student"]: row
        for row in grade.Grading(tmp_path / "in", tmp_path / "out", ASSIGNMENTS, True, sandbox.Limits()).rows
    }
    assert rows["anna"]["flags"] == ["the very same file as ben.ipynb"] and rows["carla"]["flags"] == []
    assert rows["ben"]["flags"] == ["the very same file as anna.ipynb"] and rows["anna"]["key"] == rows["ben"]["key"]


def test_the_one_folder_that_an_archive_packed_everybody_into_is_looked_through(tmp_path):
    for name in ("ps1/anna/a.ipynb", "ps1/ben/a.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert top_folder(tmp_path) == tmp_path / "ps1"
    assert top_folder(tmp_path / "ps1" / "anna") == tmp_path / "ps1" / "anna"


def test_files_that_systems_leave_in_folders_are_no_submissions(tmp_path):
    for name in (".DS_Store", "a/timestamp.txt", "__MACOSX/a.ipynb", ".ipynb_checkpoints/a.ipynb", "a/b.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(find_files(tmp_path)) == [tmp_path / "a" / "b.ipynb"]
