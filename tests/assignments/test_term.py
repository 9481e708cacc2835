"""A whole term played through: roster, collect, grade, mark, look again, mend a rubric, grade again, export.

A dozen people by default; `AELIB_CLASS=300 pytest -s tests/assignments/test_term.py` plays it with more.
"""

import csv
import os
import random
import shutil
import time

import grade
import mark
import pytest
from classroom import ASSIGNMENTS, bank, student, write
from grading import sandbox
from grading.problem_set import criteria, is_marked_by_hand, problem_sets
from test_roster import downloaded, people, roster_file

SIZE = int(os.environ.get("AELIB_CLASS", "12"))
NAMES = ("ps6_neighbours_damage_and_constraints", "ps8_time_labels_and_alarms")
LATE = f"all: 1 free day\n{NAMES[0]}: due 2026-10-05 23:59, 10% a day\n{NAMES[1]}: due 2026-10-12 23:59, 10% a day\n"


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_term_is_played_through_and_nothing_is_lost(tmp_path, capsys):
    try:
        sandbox.check_isolation()
    except sandbox.NoIsolationError as error:
        pytest.skip(str(error).splitlines()[0])
    course, folder, everything = tmp_path / "course", tmp_path / "sent", bank()
    for part in ("source", "release"):
        for name in NAMES:
            shutil.copytree(ASSIGNMENTS / part / name, course / part / name)

    # Roster and collection: everybody sends both sets, the second one a day late for every third.
    class_ = list(people(SIZE, seed=11))
    roster, expected, generator = roster_file(tmp_path, class_, "moodle"), {}, random.Random(0)
    times = ["submitted"] + [["2026-10-05 20:00", "2026-10-14 20:00"][i % 3 == 0] for i in range(SIZE)]
    lines = roster.read_text("utf-8-sig").splitlines()
    roster.write_text("".join(f"{a},{b}\n" for a, b in zip(lines, times, strict=True)), "utf-8")
    (tmp_path / "late.txt").write_text(LATE.replace("2026-10-05", "2026-10-13"), "utf-8")
    for person in class_:
        for name in NAMES:
            notebook, points = student(*everything[name], generator)
            place = downloaded(person, "moodle", generator).rsplit("/", 1)[0]
            write(notebook, folder / place / f"{name}.ipynb")
            expected[f"s{person['id']}", name] = points
    words = [str(folder), "--course", str(course), "--roster", str(roster), "--late", str(tmp_path / "late.txt")]

    def graded(run):
        started = time.monotonic()
        grade.main(words)
        said = capsys.readouterr().out.splitlines()[-3]
        with capsys.disabled():
            print(f"\n{SIZE} people, {time.monotonic() - started:.0f} s: {said}")
        assert f" {run} run now" in said
        return {(row["student"], row["problem_set"]): row for row in rows(tmp_path / "sent-graded" / "gradebook.csv")}

    first = graded(run=2 * SIZE)
    assert {key: float(row["points"]) for key, row in first.items()} == expected
    flags = {row["flags"] for row in first.values()}  # of many who toss coins, two may write the very same notebook
    assert all(not flag or flag.startswith("the very same file as") for flag in flags)

    # Marking by hand, all of it, in the order in which the desk shows it.
    desk, given = mark.Desk(tmp_path / "sent-graded"), {}
    for problem_set, question in desk.questions():
        if question.by_hand:
            (found,) = desk.answers(problem_set, question)
            for answer in found:
                if answer["to_mark"]:
                    rubric = criteria(problem_set.cells[question.answer].source)
                    met = sorted(generator.sample(range(len(rubric)), generator.randrange(len(rubric) + 1)))
                    form = {"criteria": met, "points": "" if met else "0", "comment": f"{len(met)} met"}
                    desk.save(problem_set, question, form | {"token": answer["token"]})
                    key = answer["who"], problem_set.name
                    given[key] = given.get(key, 0) + sum(rubric[i][0] for i in met)
    second = graded(run=0)
    assert {key: float(row["points"]) for key, row in second.items()} == {
        key: points + given.get(key, 0) for key, points in expected.items()
    }
    assert all(row["to_mark"] == "0" for row in second.values())

    # One asks to look again, one rubric is mended: no submission runs again, and no mark is lost.
    asker = next(key for key in given if key[1] == NAMES[0])
    hand = next(q for q in everything[asker[1]][0].questions if q.by_hand)
    with (tmp_path / "sent-graded" / "look_again.csv").open("a", encoding="utf-8") as file:
        file.write(f"{asker[0]},{asker[1]},{hand.name},I wrote that\n")
    path = course / "source" / NAMES[0] / f"{NAMES[0]}.ipynb"
    path.write_text(path.read_text("utf-8").replace("a remedy that works", "any remedy that works"), "utf-8")
    cells = problem_sets(course)[NAMES[0]].source.cells
    assert any("any remedy" in cell.source for cell in cells if is_marked_by_hand(cell))
    third = graded(run=0)
    assert third[asker]["look_again"] == f"{hand.name}: I wrote that"
    assert {key: row["points"] for key, row in third.items()} == {key: row["points"] for key, row in second.items()}
    desk = mark.Desk(tmp_path / "sent-graded")
    problem_set = desk.sets[asker[1]]
    (found,) = desk.answers(problem_set, hand)
    answer = next(answer for answer in found if answer["who"] == asker[0])
    assert answer["asked"] == "I wrote that"
    form = {"criteria": [], "points": str(hand.points), "comment": "So you did.", "token": answer["token"]}
    desk.save(problem_set, hand, form)
    raised = hand.points - (answer["marks"][-1]["points"] if answer["marks"] else 0)
    fourth = graded(run=0)
    assert float(fourth[asker]["points"]) == float(third[asker]["points"]) + raised
    assert fourth[asker]["look_again"] == ""

    # Export: what was earned, less what being late costs, for everybody once.
    totals = {row["id"]: row for row in rows(tmp_path / "sent-graded" / "totals.csv")}
    assert len(totals) == SIZE
    for i, person in enumerate(class_):
        for name in NAMES:
            row = fourth[f"s{person['id']}", name]
            late = 0 if i % 3 else {NAMES[0]: 1, NAMES[1]: 2}[name]
            assert int(row["late_days"]) == late
            earned = float(row["points"]) - float(row["deducted"])
            assert float(totals[f"s{person['id']}"][name]) == pytest.approx(earned)
    second_late = [fourth[f"s{p['id']}", NAMES[1]] for p in class_[::3]]
    assert all(float(row["deducted"]) == pytest.approx(0.1 * float(row["points"]), abs=0.01) for row in second_late)
    imported = rows(tmp_path / "sent-graded" / "moodle.csv")
    assert [row["ID number"] for row in imported] == [f"s{person['id']}" for person in class_]
