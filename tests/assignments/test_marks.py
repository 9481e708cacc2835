"""Marking by hand: what is shown, kept and asked again; what being late costs; what questions were like."""

import csv
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from pathlib import Path

import grade
import mark
import numpy as np
import pytest
from answers import notebook
from classroom import ASSIGNMENTS, bank, write
from grading import execution, items, late, reports, sandbox
from grading.marks import Marks, RequestError
from grading.problem_set import criteria, model_answer
from grading.roster import read as read_roster
from grading.submission import rebuild

BANK = bank()
SETS = {name: found for name, (found, _) in BANK.items()}
NAME = "ps1_first_autoencoder"
EVIL = "<img src=x onerror=alert(1)> Because the target is the input."


def graded(place, answers, roster=None):
    """Grade a class in which students wrote this: student to name of question to text. No answer is run."""
    for student, chosen in answers.items():
        write(notebook(SETS[NAME], chosen), place / "in" / f"{student}.ipynb")
    grading = grade.Grading(place / "in", place / "out", ASSIGNMENTS, True, sandbox.Limits(), roster)
    for row in grading.rows:
        rebuilt = rebuild(row["notebook"], SETS[NAME])
        verdicts = {}
        for question in SETS[NAME].questions:
            stub = SETS[NAME].stubs[question.answer].source.strip()
            untouched = rebuilt.answers[question.answer].strip() == stub
            verdicts[question.name] = execution._verdict(question, {question.judge: "wrong"}, untouched)
        result = {
            "questions": verdicts, "flags": [], "seconds": 1.0,
            "notebook": rebuilt.notebook, "answers": rebuilt.answers,
        }  # fmt: skip
        reports.write(grading.result_path(row), grade.json.dumps(result))
    grading.collect()
    grading.report()
    return {row["student"]: row for row in grading.rows}


@pytest.fixture
def desk(tmp_path):
    """Two answers in words, and a place to mark them."""
    graded(tmp_path, {"anna": {"why": EVIL}, "ben": {"why": "It is."}})
    return mark.Desk(tmp_path / "out")


def why(desk):
    problem_set, question = next((s, q) for s, q in desk.questions() if q.name == "why")
    return problem_set, question


def place_of(desk, student, name="why"):
    problem_set, question = next((s, q) for s, q in desk.questions() if q.name == name)
    (found,) = desk.answers(problem_set, question)
    return problem_set, question, next(i for i, answer in enumerate(found) if answer["who"] == student)


def save(desk, student, form, name="why"):
    """Fill in the form on the page of a student's answer."""
    problem_set, question, number = place_of(desk, student, name)
    (found,) = desk.answers(problem_set, question)
    return desk.save(problem_set, question, form | {"token": found[number]["token"]})


FORM = {"criteria": [0, 2], "points": "", "comment": ""}


def test_a_page_shows_answer_model_answer_and_rubric_as_text_and_no_name_and_no_test(desk):
    page = desk.page(*place_of(desk, "anna"))
    assert "<img" not in page.replace("&lt;img", "") and "onerror" in page
    assert "anna" not in page and "ben" not in page.replace("been", "")
    source = SETS[NAME].cells["why"].source
    assert all(text in page for _, text in criteria(source))
    assert model_answer(SETS[NAME].cells["why"])[:60] in page.replace("&#39;", "'")
    assert "assert" not in page and "HIDDEN" not in page


def test_a_mark_is_the_sum_of_the_rubric_or_the_number_that_is_given(desk):
    save(desk, "anna", FORM)
    following = save(desk, "anna", FORM | {"points": "2,5", "comment": "Nearly."})
    assert following == place_of(desk, "ben")[2]  # the next that waits
    (found,) = desk.answers(*why(desk))
    history = [given["points"] for given in found[place_of(desk, "anna")[2]]["marks"]]
    assert history == [2.0, 2.5]
    for points, message in (("9", "expected 0 to 4, got 9"), ("x", "expected a number"), ("nan", "expected 0 to 4")):
        with pytest.raises(ValueError, match=message):
            save(desk, "ben", FORM | {"points": points})
    with pytest.raises(ValueError, match="type 0 to give none"):  # Enter, held too long
        save(desk, "ben", {"criteria": [], "points": "", "comment": ""})
    assert not (desk.marks.folder / NAME / "ben.json").exists()


def test_a_mark_stays_while_the_text_of_its_answer_stays_and_comes_back_with_it(tmp_path):
    def again(text):
        return graded(tmp_path, {"anna": {"why": text}})["anna"]

    assert again("First.")["questions"]["why"]["points"] is None
    desk = mark.Desk(tmp_path / "out")
    save(desk, "anna", FORM | {"points": "3.5", "comment": "Nearly."})
    assert (
        again("First.")["questions"]["why"] | {"comment": "Nearly.", "points": 3.5}
        == again("First.")["questions"]["why"]
    )
    other = again("Second.")
    assert other["questions"]["why"]["points"] is None and other["to_mark"] == 1
    assert other["flags"] == ["why: was marked by hand with another answer, mark it again"]
    save(desk, "anna", FORM | {"points": "1"})
    assert again("Second.")["questions"]["why"]["points"] == 1 and again("Second.")["flags"] == []
    back = again("First.")
    assert back["questions"]["why"]["points"] == 3.5 and back["flags"] == []


def test_a_mark_by_tests_can_be_changed_by_hand_too(desk, tmp_path):
    save(desk, "anna", {"criteria": [], "points": "2", "comment": "Right but for a typo."}, "error")
    row = graded(tmp_path, {"anna": {"why": EVIL}})["anna"]
    assert row["questions"]["error"]["points"] == 2 and row["questions"]["error"]["comment"] == "Right but for a typo."


def test_a_mark_goes_to_the_answer_that_was_shown_or_nowhere(desk, tmp_path):
    problem_set, question, number = place_of(desk, "ben")
    (found,) = desk.answers(problem_set, question)
    token = found[number]["token"]
    graded(tmp_path, {"anna": {"why": EVIL}, "ben": {"why": "It is, because."}, "cleo": {"why": "No idea."}})
    with pytest.raises(ValueError, match="handed in anew"):
        desk.save(problem_set, question, FORM | {"token": token})
    assert not list(desk.marks.folder.glob("*/*.json"))


def test_a_mark_can_be_taken_back_and_belongs_to_so_many_points(desk, tmp_path):
    save(desk, "ben", FORM)
    save(desk, "ben", FORM | {"points": "-"})
    everybody = {"anna": {"why": EVIL}, "ben": {"why": "It is."}}
    assert graded(tmp_path, everybody)["ben"]["questions"]["why"]["points"] is None
    text = next(iter(desk.marks.history("ben", NAME)["why"]))
    desk.marks.give("ben", NAME, "why", text, 3.0, out_of=6.0)
    row = graded(tmp_path, everybody)["ben"]
    assert row["questions"]["why"]["points"] is None
    assert "why: was marked by hand when it had 6 points, mark it again" in row["flags"]


def test_marks_stay_with_who_gets_an_id_or_sends_a_second_file(tmp_path):
    graded(tmp_path, {"Ann Ito": {"why": "First."}})
    desk = mark.Desk(tmp_path / "out")
    save(desk, "Ann_Ito", FORM)
    roster = tmp_path / "class.csv"
    roster.write_text("id,name\ns7,Ann Ito\n", "utf-8")
    people = read_roster(roster)
    assert graded(tmp_path, {"Ann Ito": {"why": "First."}}, people)["s7"]["questions"]["why"]["points"] == 2
    (line,) = Marks(tmp_path / "out").everything()  # moved, not doubled
    assert line["student"] == "s7"
    rows = graded(tmp_path, {"Ann Ito": {"why": "First."}, "Ito Ann": {"why": "Second."}}, people)
    assert {row["who"] for row in rows.values()} == {"s7"} and len(rows) == 2
    points = {row["file"]: row["questions"]["why"]["points"] for row in rows.values()}
    assert points == {"Ann Ito.ipynb": 2, "Ito Ann.ipynb": None}
    (tmp_path / "in" / "Ann Ito.ipynb").write_bytes((tmp_path / "in" / "Ito Ann.ipynb").read_bytes())
    (tmp_path / "in" / "Ito Ann.ipynb").unlink()
    assert graded(tmp_path, {"Ann Ito": {"why": "First."}}, people)["s7"]["questions"]["why"]["points"] == 2


def test_marks_given_at_the_same_time_are_all_kept(tmp_path):
    marks = Marks(tmp_path)
    threads = [threading.Thread(target=marks.give, args=("anna", NAME, "why", str(i), 1.0, 4.0)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(marks.history("anna", NAME)["why"]) == 20


def test_what_is_asked_to_be_looked_at_again_is_listed_until_a_mark_answers_it(desk, tmp_path):
    save(desk, "ben", FORM | {"points": "1"})
    ask = tmp_path / "out" / "look_again.csv"
    assert ask.read_text("utf-8") == "student,problem_set,question,reason\n"
    with ask.open("a", encoding="utf-8") as file:
        file.write(f'ben,{NAME},why,"I did name the loss, in the first sentence"\n')
    everybody = {"anna": {"why": EVIL}, "ben": {"why": "It is."}}
    reason = "why: I did name the loss, in the first sentence"
    assert graded(tmp_path, everybody)["ben"]["look_again"] == [reason]
    assert reason in (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "in the first sentence" in desk.page(*place_of(desk, "ben"))
    save(desk, "ben", FORM | {"points": "2", "comment": "So you did."})
    assert graded(tmp_path, everybody)["ben"]["look_again"] == []
    with (tmp_path / "out" / "marks.csv").open(encoding="utf-8") as file:
        history = [(line["points"], line["before"], line["asked"]) for line in csv.DictReader(file)]
    assert history == [("1", "", ""), ("2", "1", "I did name the loss, in the first sentence")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"cem,{NAME},why,x", "line 2, column student: 'cem' is not known"),
        ("ben,ps9,why,x", "line 2, column problem_set: 'ps9' is not known"),
        (f"ben,{NAME},whynot,x", "line 2, column question: 'whynot' is not known"),
        (f"ben,{NAME},why,", "line 2, column reason: '' is not known"),
        (f"ben,{NAME},why", "line 2: expected 4 columns, got 3"),
    ],
)
def test_a_request_that_cannot_be_used_is_refused_with_line_and_column(desk, tmp_path, line, message):
    (tmp_path / "out" / "look_again.csv").write_text(f"student,problem_set,question,reason\n{line}\n", "utf-8")
    with pytest.raises(RequestError) as error:
        list(desk.marks.requests(desk.rows, SETS))
    assert message in str(error.value)
    save(desk, "anna", FORM)  # it costs no mark, and the pages say it
    assert message.split(": '")[0] in desk.overview().replace("&#39;", "'")


def test_the_pages_are_for_this_computer_and_who_knows_their_address(desk, tmp_path):
    made = mark.server(tmp_path / "out")
    threading.Thread(target=made.serve_forever, daemon=True).start()
    root, (problem_set, question, number) = f"http://127.0.0.1:{made.server_port}", place_of(desk, "ben")
    assert made.server_address[0] == "127.0.0.1"
    address = f"{made.address}{problem_set.name}/{question.judge}/{number}"
    with urllib.request.urlopen(address) as reply:
        assert "script-src 'nonce-" in reply.headers["Content-Security-Policy"]
        assert "It is." in reply.read().decode()
    for url, headers in (
        (f"{root}/", {}), (f"{root}/guess/", {}),
            (address, {"Host": "elsewhere.example"}), (f"{made.address}x/y/0", {}),
        (f"{address}99", {}), (f"{made.address}../../etc/passwd", {}),
    ):  # fmt: skip
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    (found,) = desk.answers(problem_set, question)
    token = ("token", found[number]["token"])
    fields = [token, ("criterion", "0"), ("criterion", "3"), ("points", ""), ("comment", "Good\r\n민지")]
    form = urllib.parse.urlencode(fields)
    with urllib.request.urlopen(address, form.encode()) as reply:
        assert reply.url.startswith(made.address) and reply.url != address  # on to the next
    made.shutdown()
    (given,) = Marks(tmp_path / "out").history("ben", NAME)["why"].values()
    assert (given[0]["points"], given[0]["criteria"], given[0]["comment"]) == (2.0, [0, 3], "Good\n민지")


# Being late


RULES = f"# the term\nall: 2 free days\n{NAME}: due 2026-10-05 23:59, 10% a day, at most 5 days\n"


def row(student, when, points, name=NAME):
    when = when and datetime.strptime(when, "%Y-%m-%d %H:%M")
    names = {"student": student, "who": student, "problem_set": name}
    return names | {"when": when, "points": points, "questions": {"a": {}}}


def test_days_that_have_begun_count_free_days_are_spent_first_and_later_is_nothing():
    rules = late.LateRules(RULES, SETS)
    for when, days, deducted in (
        ("2026-10-05 23:59", 0, 0), ("2026-10-06 00:00", 1, 0), ("2026-10-07 23:59", 2, 0), ("2026-10-08 00:00", 3, 2),
        ("2026-10-10 12:00", 5, 6), ("2026-10-11 00:00", 6, 20), (None, 0, 0),
    ):  # fmt: skip
        rows = [row("anna", when, 20.0)]
        rules.apply(rows)
        assert (rows[0]["late_days"], rows[0]["deducted"]) == (days, deducted), when


def test_free_days_are_spent_in_the_order_of_deadlines_and_by_the_file_that_counts():
    second = "ps2_linear_autoencoder_and_pca"
    rules = late.LateRules(f"{second}: due 2026-10-19 23:59, 10% a day\n{RULES}", SETS)
    rows = [
        row("anna", "2026-10-21 10:00", 20.0, second), row("anna", "2026-10-06 10:00", 10.0),
        row("anna", "2026-10-07 10:00", 10.0),  # two days late, and no better than the day before
    ]  # fmt: skip
    rules.apply(rows)
    assert [r["free_days"] for r in rows] == [1, 1, 2]
    assert [r["deducted"] for r in rows] == [2.0, 0, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ps9: due 2026-10-05 23:59", "line 1, column 1: no problem set is called 'ps9'"),
        (f"{NAME}: due tomorrow", f"line 1, column {len(NAME) + 3}: expected due 2026-10-05 23:59, got 'due tomorrow'"),
        (f"\n{NAME}: due 2026-10-05 23:59, ten % a day", f"line 2, column {len(NAME) + 25}: expected"),
        (f"{NAME}: 10% a day", "line 1: it says no deadline"),
        ("all: some free days", "line 1, column 5: expected '4 free days', got 'some free days'"),
        ("due 2026-10-05", "line 1, column 1: expected NAME"),
        (f"{NAME}: due 2026-10-05 23:59, 200% a day", f"line 1, column {len(NAME) + 25}: expected"),
    ],
)
def test_a_rule_that_does_not_parse_is_refused_with_line_and_column_and_nothing_is_written(text, message, tmp_path):
    with pytest.raises(late.LateError) as error:
        late.LateRules(text, SETS)
    assert message in str(error.value)
    (tmp_path / "in").mkdir()
    (tmp_path / "late.txt").write_text(text, "utf-8")
    with pytest.raises(SystemExit, match="LATE: "):
        grade.main([str(tmp_path / "in"), "--late", str(tmp_path / "late.txt")])
    assert not (tmp_path / "in-graded").exists()


def test_the_time_is_that_of_the_roster_the_folder_or_nbgraders_stamp(tmp_path, monkeypatch):
    said = {"Last modified (submission)": "Monday, 5 October 2026, 11:59 PM"}
    person = type("Person", (), {"row": said})
    expected = datetime(2026, 10, 5, 23, 59)
    folder = "7-1 - Ann Ito - Oct 5, 2026 1159 PM"
    assert late.time_of(Path(f"{folder}/a.ipynb")) == expected
    assert late.time_of(Path(f"{folder.replace('1159', '105')}/a.ipynb")) == datetime(2026, 10, 5, 13, 5)
    assert late.time_of(Path("anna.ipynb"), person) == expected
    assert late.time_of(Path("7-1 - Ann Ito - Oct 1, 2026 1159 PM/a.ipynb"), person) == expected
    assert late.time_of(Path(f"{folder}.ipynb")) is None  # which its author named
    (tmp_path / "timestamp.txt").write_text("2026-10-05 23:59:00.123456 UTC", "utf-8")
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert late.time_of(tmp_path / "a.ipynb") == datetime(2026, 10, 5, 19, 59)
    monkeypatch.undo()
    time.tzset()
    theirs = tmp_path / "Ann Ito_5_assignsubmission_file"
    theirs.mkdir()
    (theirs / "timestamp.txt").write_text("2026-10-01 00:00:00", "utf-8")
    assert late.time_of(theirs / "a.ipynb") is None
    assert late.time_of(Path("anna.ipynb")) is None and late.stamped("soon") is None


def test_a_rule_without_a_cost_spends_no_free_day():
    second = "ps2_linear_autoencoder_and_pca"
    text = f"all: 1 free day\n{NAME}: due 2026-10-05 23:59\n{second}: due 2026-10-12 23:59, 10% a day"
    rules = late.LateRules(text, SETS)
    rows = [row("anna", "2026-10-06 10:00", 10.0), row("anna", "2026-10-13 10:00", 10.0, second)]
    rules.apply(rows)
    assert [r["free_days"] for r in rows] == [0, 1] and [r["deducted"] for r in rows] == [0, 0]


# What questions were like


def test_a_questions_statistics_are_those_of_its_points():
    problem_set, rng = SETS[NAME], np.random.default_rng(0)
    rows, able = [], rng.random(200)
    for ability in able:
        questions = {}
        for question in problem_set.questions:
            right = rng.random() < (0.5 if question.name == "bet" else ability)  # a bet does not tell who is able
            points = None if question.by_hand else question.points * right
            failed = {"status": "passed" if right else "failed", "message": "" if right else f"{question.name}: no"}
            questions[question.name] = {"points": points} | failed
        rows.append({"questions": questions, "points": sum(v["points"] or 0 for v in questions.values())})
    found = {line["question"]: line for line in items.statistics(rows, problem_set)}
    assert abs(found["bet"]["discrimination"]) < 0.2 < found["count"]["discrimination"]
    given = [r["questions"]["count"]["points"] for r in rows]
    assert np.isclose(found["count"]["share"], np.mean(given) / found["count"]["points"])
    assert found["count"]["message"] == "count: no" and found["count"]["times"] == given.count(0)
    assert found["why"]["to_mark"] == 200 and found["why"]["share"] is None
    assert all(line["discrimination"] is None for line in items.statistics(rows[:9], problem_set))
    assert len(reports.picture(rows, problem_set, list(found.values()))) > 5000
