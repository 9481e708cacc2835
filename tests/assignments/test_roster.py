"""The roster: everybody's files are theirs, nobody's become somebody's, and systems get what they ask for."""

import csv
import io
import random
import zipfile
from pathlib import Path, PurePath

import grade
import pytest
from classroom import ASSIGNMENTS, bank, student, write
from grading import exports, sandbox
from grading.roster import RosterError, letters, read

FIRST = "Ann Björn Chloë Dmitri Ewa Fatma Giulia Hana Ivo José Kim Lê Minji Ngozi Óscar Priya Søren Tom 민지 서준"
LAST = "Müller|van der Berg|O'Brien|García Márquez|Kim|Nguyễn|Smith-Jones|김|de la Cruz|Öztürk|Łukasik|Park|Ito|Ali|Roy"
NAME = "ps1_first_autoencoder"
BLANK = {"problem_set": NAME, "questions": {"a": {}}, "deducted": 0.0}
CANVAS_TITLE = "Problem set 1: your first autoencoder (100000)"


def people(n, seed):
    """Names of a class, some of them twice, and numbers."""
    generator = random.Random(seed)
    numbers = generator.sample(range(10**6, 10**7), 2 * n)
    for number, other in zip(numbers[:n], numbers[n:], strict=True):
        first, last = " ".join(generator.sample(FIRST.split(), 2)), generator.choice(LAST.split("|"))
        yield {"first": first, "last": last, "id": str(number), "participant": str(other)}


def downloaded(person, system, generator):
    """What the file of this person is called in this system's archive."""
    first, last = person["first"], person["last"]
    if system == "moodle":
        return f"{first} {last}_{person['participant']}_assignsubmission_file/{NAME}.ipynb"
    if system == "brightspace":
        return f"{person['participant']}-99 - {first} {last} - Oct 5, 2026 1159 PM/my {NAME}.ipynb"
    late, again = generator.choice(["", "_LATE"]), generator.choice(["", "-1", "-2"])
    return f"{letters(last + first)}{late}_{person['id']}_{generator.randrange(10**6)}_{NAME}{again}.ipynb"


def roster_file(folder, class_, system):
    """The class as this system exports it."""
    rows = {
        "canvas": (
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", CANVAS_TITLE],
            [[f"{p['last']}, {p['first']}", p["id"], f"u{p['id']}", f"l{p['id']}", "A", ""] for p in class_],
        ),
        "moodle": (
            ["Identifier", "First name", "Last name", "ID number", "Email address"],
            [
                [f"Participant {p['participant']}", p["first"], p["last"], f"s{p['id']}", f"s{p['id']}@x.edu"]
                for p in class_
            ],
        ),
        "brightspace": (
            ["OrgDefinedId", "Username", "Last Name", "First Name", "Email"],
            [[f"#{p['id']}", f"u{p['id']}", p["last"], p["first"], f"{p['id']}@x.edu"] for p in class_],
        ),
    }  # fmt: skip
    header, lines = rows[system]
    if system == "canvas":
        lines = [["    Points Possible", "", "", "", "", "30"], *lines, ["Student, Test", "1", "", "", "A", ""]]
    path = folder / f"{system}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


@pytest.mark.parametrize("system", ["canvas", "moodle", "brightspace"])
def test_of_300_people_none_is_lost_or_doubled_and_who_cannot_be_told_apart_is_said(system, tmp_path, capsys):
    class_, generator = list(people(300, seed=len(system))), random.Random(1)
    roster = read(roster_file(tmp_path, class_, system))
    assert len(roster.people) == 300
    joined, unsure, names = {}, 0, [letters(p["first"] + p["last"]) for p in class_]
    for person, name in zip(class_, names, strict=True):
        found, reason, _ = roster.who(PurePath(downloaded(person, system, generator)), [NAME])
        if found is None:  # Brightspace's number stands in no export
            assert system == "brightspace" and names.count(name) > 1 and "people on the roster fit" in reason
            unsure += 1
        else:
            assert found.id.removeprefix("s") == person["id"]
            assert found.id not in joined
            joined[found.id] = person
    assert len(joined) + unsure == 300
    stranger = {"first": "Zoltan", "last": "Xu", "id": "99", "participant": "98"}
    found, reason, _ = roster.who(PurePath(downloaded(stranger, system, generator)), [NAME])
    assert found is None and reason.startswith("nobody on the roster fits")
    print(f"{system}: {len(joined)} joined, {unsure} with a name that somebody else has, too")


def test_files_by_hand_are_joined_by_id_address_or_name_and_a_file_in_a_folder_by_either(tmp_path):
    path = tmp_path / "class.csv"
    path.write_text("id;name;address\ns12;Ann van Dyk;avd@x.edu\ns13;Kim Minji;mk@x.edu\n", "utf-8")
    roster = read(path)
    for name, expected in (
        ("s12.ipynb", "s12"), (f"{NAME}_s13.ipynb", "s13"), ("avd@x.edu/a.ipynb", "s12"), ("mk/a.ipynb", "s13"),
        ("van Dyk Ann (1).ipynb", "s12"), (f"Minji_Kim_{NAME}.ipynb", "s13"), ("set 1/s13.ipynb", "s13"),
        ("Xu Li_5_assignsubmission_file/s12.ipynb", None),  # what is inside, students name
        ("s12 s13.ipynb", None), ("Ann.ipynb", None), ("vandykann_LATE_1_2_a.ipynb", "s12"),
    ):  # fmt: skip
        found, reason, late = roster.who(PurePath(name), [NAME])
        assert (found and found.id) == expected and bool(reason) == (expected is None)
        assert late == ("LATE" in name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"id,name\n1,Ann\n2,M\xfcller\n", "line 3, byte 4: not UTF-8"),
        (b"id,name\n1,Ann\n\n1,Bob\n", "line 4, column id: 1 is already in line 2"),
        (b"id,name\n1,Ann,x\n", "line 2: expected 2 columns, as in line 1, got 3"),
        (b"id,name\n,Ann\n", "line 2, column address: it is empty"),
        (b"who,what\n1,Ann\n", "line 1: expected columns id (or address) and name, got who, what"),
        (b'id,name\n1,"Ann\n', "line 2: unexpected end of data"),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused_with_line_and_column(content, message, tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes(content)
    with pytest.raises(RosterError) as error:
        read(path)
    assert message in str(error.value)
    with pytest.raises(SystemExit, match="ROSTER: "):
        grade.main([str(tmp_path), "--roster", str(path), "--grades", str(tmp_path / "g")])
    assert not (tmp_path / "g").exists()


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_what_canvas_and_moodle_import_has_their_columns_and_no_formula(tmp_path):
    class_ = [*people(3, seed=0), {"first": "=cmd|' /C calc'!A0", "last": "@SUM", "id": "7", "participant": "8"}]
    found = {NAME: bank()[NAME][0]}
    for system, file, finds in (
        ("canvas", "canvas.csv", ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]),
        ("moodle", "moodle.csv", ["ID number", "Email address", "Full name"]),
    ):
        roster = read(roster_file(tmp_path, class_, system))
        first, second, _, evil = roster.people
        rows = [
            BLANK | {"person": person, "points": points, "to_mark": to_mark}
            for person, points, to_mark in ((first, 12.0, 0), (first, 14.5, 0), (second, 9.0, 2), (evil, 3.0, 0))
        ]
        rows.append(BLANK | {"person": None, "points": 30.0, "to_mark": 0})
        tables = exports.tables(roster, rows, found)
        assert set(tables) == {"totals.csv", file}
        given = rows_of(tables[file])
        assert list(given[0])[:-1] == finds
        column = list(given[0])[-1]
        assert column == (CANVAS_TITLE if system == "canvas" else found[NAME].title)
        # the better of two files, nothing while an answer waits for its mark, nothing for who sent nothing
        assert [row[column] for row in given] == ["14.5", "", "", "3"]
        totals = rows_of(tables["totals.csv"])
        assert [row["points"] for row in totals] == ["14.5", "9", "0", "3"]
        assert [row["to_mark"] for row in totals] == ["0", "2", "0", "0"]
        assert [row["not_sent"] for row in totals] == ["", "", NAME, ""]
        cells = [cell for table in tables.values() for row in csv.reader(io.StringIO(table)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_file_whose_name_says_nothing_is_joined_by_the_id_in_its_notebook(tmp_path):
    path = tmp_path / "class.csv"
    path.write_text("id,name,address\ns12,Ann van Dyk,avd@x.edu\ns13,Kim Minji,mk@x.edu\n", "utf-8")
    for file, stated in (("a", "s12"), ("b", " **S13** "), ("c", ""), ("d", "s99"), ("s13", "s12")):
        notebook = bank()[NAME][0].release.copy()
        notebook.cells = [cell.copy() for cell in notebook.cells]
        assert notebook.cells[1].source.endswith(": ...")
        notebook.cells[1].source = notebook.cells[1].source.replace("...", stated)
        write(notebook, tmp_path / "sent" / f"{file}.ipynb")
    grading = grade.Grading(tmp_path / "sent", tmp_path / "out", ASSIGNMENTS, True, sandbox.Limits(), read(path))
    found = {row["file"]: (row["person"] and row["person"].id, row["flags"]) for row in grading.rows}
    assert found["a.ipynb"][0] == "s12" and found["b.ipynb"][0] == "s13"
    assert found["c.ipynb"][0] is None and found["d.ipynb"][0] is None
    assert found["s13.ipynb"][0] == "s13"
    assert "its name says s13, the notebook says s12" in found["s13.ipynb"][1]


def test_a_folder_is_graded_under_the_names_of_the_roster(tmp_path, capsys):
    try:
        sandbox.check_isolation()
    except sandbox.NoIsolationError as error:
        pytest.skip(str(error).splitlines()[0])
    name = "ps2_linear_autoencoder_and_pca"
    problem_set, listed = bank()[name]
    class_, expected = list(people(4, seed=3)), {}
    folder = tmp_path / "sent"
    for person in class_[:2]:
        notebook, points = student(problem_set, listed, random.Random(person["id"]))
        write(notebook, folder / downloaded(person, "moodle", random).replace(NAME, name))
        expected[f"s{person['id']}"] = points
    write(notebook, folder / f"Zoltan Xu_5_assignsubmission_file/{name}.ipynb")
    roster = roster_file(tmp_path, class_, "moodle")
    grade.main([str(folder), "--roster", str(roster), "--course", str(ASSIGNMENTS)])
    assert "Of 4 people on the roster 2 sent something; 1 files are in nobody's name." in capsys.readouterr().out
    totals = {row["id"]: row for row in rows_of((tmp_path / "sent-graded" / "totals.csv").read_text("utf-8"))}
    assert {number: float(row["points"]) for number, row in totals.items() if not row["not_sent"]} == expected
    gradebook = rows_of((tmp_path / "sent-graded" / "gradebook.csv").read_text("utf-8"))
    assert {row["student"] for row in gradebook} == {*expected, "Zoltan_Xu_5_assignsubmission_file"}
    assert sum("nobody on the roster fits" in row["flags"] for row in gradebook) == 1
    with zipfile.ZipFile(tmp_path / "sent-graded" / f"feedback_{name}.zip") as archive:
        folders = {Path(page).parts[0] for page in archive.namelist()}
    assert folders == {path.name for path in folder.iterdir()}
