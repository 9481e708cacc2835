"""The tables that need a roster: a class's totals, and what Canvas and Moodle import.

Canvas wants the columns of its own export of the gradebook, which find the person, and one with the assignment's name.
Moodle lets you choose the column that finds the person (id number or address) and the one with the grade.
"""

import csv
import io
import zipfile
from pathlib import PurePath

from grading import reports
from grading.reports import safe


def tables(roster, rows, sets):
    """CSV texts by the names of their files.

    Args:
        roster: of the class.
        rows: of the grading, each with its `person`.
        sets: the problem sets that somebody sent, by name.
    """
    points = {name: best(rows, name) for name in sets}
    header = ["id", "name", "address", *sets, "points", "out_of", "to_mark", "not_sent"]
    lines = []
    for person in roster.people:
        given = [points[name].get(person.id) for name in sets]
        sent = [row for row in given if row]
        totals = [sum(map(reports.earned, sent)), sum(found.points for found in sets.values())]
        missing = "; ".join(name for name, row in zip(sets, given, strict=True) if not row)
        each = [reports.earned(row) if row else None for row in given]
        to_mark = sum(row["to_mark"] for row in sent)
        lines.append([person.id, person.name, person.address, *each, *map(float, totals), to_mark, missing])
    found = {"totals.csv": text(header, lines)}
    if {"Student", "ID", "Section"} <= set(roster.header):
        found["canvas.csv"] = canvas(roster, points, sets)
    else:
        found["moodle.csv"] = moodle(roster, points, sets)
    return found


def best(rows, name):
    """The row that counts for each person, by id: of several files the one with most points."""
    counts = {}
    for row in rows:
        if row["person"] and row["problem_set"] == name and row["questions"]:
            other = counts.get(row["person"].id)
            better = not other or reports.earned(row) > reports.earned(other)
            counts[row["person"].id] = row if better else other
    return counts


def final(row):
    """The points, None while something is still to be marked: a system that imports a grade shows it."""
    return reports.earned(row) if row and not row["to_mark"] else None


def canvas(roster, points, sets):
    """A column whose title in Canvas's export begins with the problem set's title keeps that title, number and all."""
    finds = [title for title in roster.header if title in ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")]
    titles = [
        next((theirs for theirs in roster.header if theirs.startswith(found.title)), found.title)
        for found in sets.values()
    ]
    lines = [
        [*(person.row[title] for title in finds), *(final(points[name].get(person.id)) for name in sets)]
        for person in roster.people
    ]
    return text([*finds, *titles], lines)


def moodle(roster, points, sets):
    lines = [
        [person.id, person.address, person.name, *(final(points[name].get(person.id)) for name in sets)]
        for person in roster.people
    ]
    return text(["ID number", "Email address", "Full name", *(found.title for found in sets.values())], lines)


def feedback(rows, grades):
    """A zip file's bytes: each page under the name of the folder, or of the file, that the submission came as."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows:
            sent = PurePath(row["file"])
            archive.writestr(str(sent.with_name(f"{sent.stem}-feedback.html")), (grades / row["page"]).read_bytes())
    return content.getvalue()


def text(header, lines):
    """CSV, in which no cell is taken for a formula."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([[safe(cell) for cell in line] for line in [header, *lines]])
    return file.getvalue()
