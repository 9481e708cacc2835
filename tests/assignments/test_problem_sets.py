"""The problem sets: their form, their student versions, and graders that give full marks for right answers alone."""

import functools
import re
import symtable
import textwrap

import mutants
import nbformat
import numpy as np
import pytest
from answers import answers, check
from classroom import ASSIGNMENTS
from grading import sandbox
from grading.problem_set import HIDDEN, criteria, grade_id, is_answer, is_test, problem_sets, role
from versions import LeakError, check_leaks, released, text

SETS = problem_sets()
AUTOGRADED = [(name, answer) for name, found in SETS.items() for answer in found.judges]
QUICK = [(name, question) for name, question in AUTOGRADED if question != "train"]
FUNCTIONS = [(name, question) for name, question in AUTOGRADED if question != "bet"]


@functools.cache
def stage(name):
    return mutants.Stage(SETS[name])


def listed(name, question, *kinds):
    found = answers(SETS[name], ASSIGNMENTS / "answers" / f"{name}.py")[question]
    return [answer for answer in found if answer.kind in kinds]


def isolated():
    try:
        sandbox.check_isolation()
    except sandbox.NoIsolationError:
        return False
    return True


@pytest.mark.parametrize("name", SETS)
def test_every_answer_gets_the_points_it_deserves_and_a_wrong_one_the_message_that_names_its_mistake(name):
    results = list(check(SETS[name], ASSIGNMENTS / "answers" / f"{name}.py", jobs=1, isolated=isolated()))
    complaints = [f"{a.question}, {a.kind}: {complaint}" for a, _, complaint in results if complaint]
    assert not complaints, "\n".join(complaints)
    kinds = {(answer.question, answer.kind) for answer, _, _ in results}
    for question in SETS[name].judges:
        assert {(question, kind) for kind in ("reference", "alternative", "stub", "wrong")} <= kinds


@pytest.mark.parametrize(("name", "question"), QUICK)
def test_every_answer_alone_is_right_or_hears_what_is_wrong(name, question):
    for answer in listed(name, question, "reference", "alternative", "wrong"):
        complaint = stage(name).verdict(question, answer.source)
        assert (answer.message in complaint) if answer.kind == "wrong" else not complaint, answer
        assert bool(complaint) == (answer.kind == "wrong")


def single(value):
    """The same in single precision, but for what is no number with a point in it."""
    if isinstance(value, np.ndarray | np.floating | float):
        value = np.asarray(value)
        return value.astype("float32")[()] if value.dtype.kind == "f" else value
    if isinstance(value, list | tuple):
        return type(value)(map(single, value))
    return value


def in_single_precision(function):
    """A function that sees its arguments in single precision, computes in it where it can, and answers in it."""
    return lambda *given, **named: single(function(*single(given), **{k: single(v) for k, v in named.items()}))


@pytest.mark.parametrize("wrap", [lambda function: function, in_single_precision], ids=["double", "single"])
@pytest.mark.parametrize(("name", "question"), AUTOGRADED)
def test_a_right_answer_is_right_in_either_precision_whatever_numbers_the_hidden_tests_draw(name, question, wrap):
    """Hidden tests draw fresh data for each submission, so their margins must be wide."""
    for answer in listed(name, question, "reference", "alternative"):
        for seed in range({"train": 1, "build": 10}.get(question, 50)):  # two that Keras computes in single precision
            assert not stage(name).verdict(question, answer.source, seed, wrap), f"seed {seed}: {answer.source}"


@pytest.mark.parametrize(("name", "question"), FUNCTIONS)
def test_whoever_changes_an_argument_hears_that_and_no_other_mistake(name, question):
    (reference,) = listed(name, question, "reference")
    head, body = reference.source.split(":\n", 1)
    (arrays,) = stage(name).places(question, reference.source, np.ndarray)
    for array in arrays:
        change = "{0}[...] = ~{0} if {0}.dtype == bool else {0} + 1"
        kept = f"{array}, given = {array}.copy(), {array}"
        for program in (change.format(array), f"{kept}\n{change.format('given')}"):
            source = f"{head}:\n{textwrap.indent(program, '    ')}\n{body}"
            assert "changes its arguments" in stage(name).verdict(question, source), source


def names_of(source):
    """The names that a cell assigns or imports at its top level."""
    symbols = symtable.symtable(source, "a cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


@pytest.mark.parametrize("name", SETS)
def test_tests_leave_the_names_of_others_alone(name):
    asked = set().union(*(stage(name).asked(question) for other, question in AUTOGRADED if other == name))
    for question in (question for question in SETS[name].questions if not question.by_hand):
        tests = SETS[name].cells[question.judge].source
        assert not names_of(tests) & (asked | set(stage(name).setup)), question
        # Visible tests run among the student's own variables.
        assert all(word.startswith("toy_") for word in names_of(HIDDEN.sub("", tests))), question


@pytest.mark.parametrize(("name", "question"), FUNCTIONS)
def test_helpers_may_be_called_like_the_variables_of_any_test(name, question):
    cells = [SETS[name].cells[q.judge].source for q in SETS[name].questions if not q.by_hand]
    (asked,) = stage(name).asked(question)
    helpers = sorted(set().union(*map(names_of, cells)) - {asked})
    for answer in listed(name, question, "reference", "alternative")[: 1 if question == "train" else 2]:
        source = "\n".join([
            re.sub(rf"\bdef {asked}\b", "def the_answer", answer.source),
            *(f"def {helper}(result):\n    return result" for helper in helpers),
            f"def {asked}(*_given, **_named):",
            "    result = the_answer(*_given, **_named)",
            *(f"    result = {helper}(result)" for helper in helpers),
            "    return result",
        ])  # fmt: skip
        assert not stage(name).verdict(question, source)
        assert len(helpers) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_no_spoilt_answer_passes(name, capsys):
    mutants.main([name, "--quick"])
    made = [int(found) for found in re.findall(r"^  \w[\w-]* +(\d+) ", capsys.readouterr().out, re.M)]
    assert sum(made) > 300


@pytest.mark.parametrize("name", SETS)
def test_the_student_version_is_what_the_source_gives(name):
    path = ASSIGNMENTS / "release" / name / f"{name}.ipynb"
    assert path.read_text("utf-8") == text(released(ASSIGNMENTS / "source", [name])[name]), "run `make assignments`"


@pytest.mark.parametrize("name", SETS)
def test_a_problem_set_states_goals_time_and_points_and_has_every_kind_of_question(name):
    found = SETS[name]
    words = "\n".join(cell.source for cell in found.release.cells if cell.cell_type == "markdown")
    for part in ("**You will practise**", "**Time** 60 to 90 minutes", "**You need**", "**How this works.**"):
        assert part in found.release.cells[0].source
    table = re.findall(r"^\| (\d+)\. .+ \| ([\d +]+) \| (.+) \|$", found.release.cells[0].source, re.M)
    asked = {}  # answer to the points of its parts
    for question in found.questions:
        asked.setdefault(question.answer, []).append(question.points)
    assert [int(number) for number, _, _ in table] == list(range(1, len(asked) + 1))
    assert [[float(part) for part in points.split("+")] for _, points, _ in table] == list(asked.values())
    assert ["instructor" in how for _, _, how in table] == [name not in found.judges for name in asked]
    headings = re.findall(r"Question (\d+)\. .+\(([\d +]+) points", words)
    assert [(int(number), [float(part) for part in points.split("+")]) for number, points in headings] == [
        *enumerate(asked.values(), 1)
    ]
    assert found.questions[0].name == "bet" and found.questions[-1].name == "experiment"
    assert sum(question.by_hand for question in found.questions) >= 2 and found.points == 30


@pytest.mark.parametrize("name", SETS)
def test_points_given_by_hand_have_a_rubric_that_adds_up(name):
    for question in (q for q in SETS[name].questions if q.by_hand):
        found = criteria(SETS[name].cells[question.answer].source)
        assert sum(points for points, _ in found) == question.points, f"{question.name}: {found}"
        assert all(8 < len(text) < 200 for _, text in found), f"{question.name}: {found}"


@pytest.mark.parametrize("name", SETS)
def test_the_student_version_needs_aelib_alone_and_holds_no_output(name):
    code = [cell for cell in SETS[name].release.cells if cell.cell_type == "code"]
    imported = {word for cell in code for word in re.findall(r"^(?:import|from) (\w+)", cell.source, re.M)}
    assert imported <= {"sys", "keras", "numpy", "scipy", "aelib"}
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert "--no-deps" in code[0].source and all(grade_id(cell) for cell in code)
    assert all("attachments" not in cell for cell in SETS[name].release.cells)


@pytest.mark.parametrize("name", SETS)
def test_tests_are_locked_and_answers_are_not(name):
    for cell in SETS[name].release.cells:
        if is_test(cell):
            assert role(cell)["locked"] and cell.metadata["editable"] is False
        elif is_answer(cell):
            assert not role(cell)["locked"] and "editable" not in cell.metadata


def test_a_solution_outside_its_marks_is_not_released():
    source = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell(
            "### BEGIN SOLUTION\nthe_answer = 'a line that nobody should see'\n### END SOLUTION",
            metadata={"nbgrader": {"grade": False, "solution": True, "locked": False, "grade_id": "a"}},
        )
    ])  # fmt: skip
    with pytest.raises(LeakError, match=r"the student version would hold: .*nobody should see"):
        check_leaks(source, source, "ps")


def test_the_hidden_tests_draw_their_data_afresh():
    for name, question in AUTOGRADED:
        if question != "bet":
            for judge in SETS[name].judges[question]:
                hidden = SETS[name].cells[judge].source.split("BEGIN HIDDEN TESTS")[1]
                assert "GRADING_SEED" in hidden and "rng." in hidden, f"{name}, {judge}"
                assert not re.search(r"default_rng\(\d", hidden)


def test_the_wrong_answers_named_by_the_course_are_among_the_planted_ones():
    planted = "".join(path.read_text("utf-8") for path in (ASSIGNMENTS / "answers").glob("*.py"))
    for mistake in (
        "that is the mean over the numbers of the code",  # KL with mean instead of sum
        "the threshold changes with the test set",
        "there is noise on the target",
        "Blank B: the code of one image is a table",  # missing Flatten
        "mean and axes must come from x_train",  # PCA fitted on test
    ):
        assert mistake in planted
