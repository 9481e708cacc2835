"""Who is who: the roster of a class, the names that learning management systems give to files, and what they import.

A roster is a CSV file: either one with the columns `id`, `name` and `address`, or what a system exports (Canvas: the
gradebook; Moodle: the participants or grades; Brightspace: the grades).
"""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field

# What the columns are called, in lower case: in a roster of one's own, in Canvas, in Moodle, in Brightspace.
COLUMNS = {
    "id": ("id", "id number", "orgdefinedid", "student id"),
    "name": ("name", "student", "full name"),
    "first": ("first name", "firstname"),
    "last": ("last name", "lastname", "surname"),
    "address": ("address", "email address", "email"),
    "other": ("sis user id", "sis login id", "username", "identifier"),
}
NO_STUDENT = re.compile(r"\s*(points possible|student, test|test student)\s*", re.I)

# What a downloaded file or folder is called.
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(file|onlinetext)_?", re.I)
BRIGHTSPACE = re.compile(r"(?P<id>\d+)-\d+ - (?P<name>.+?) - (?P<date>\w+ \d+, \d{4} \d{3,4} [AP]M)\b.*", re.I)
CANVAS = re.compile(r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<id>\d+)_\d+_.+", re.I)


class RosterError(ValueError):
    """A roster that cannot be used; the message names line and column."""


@dataclass
class Person:
    """Somebody on the roster."""

    id: str
    name: str
    address: str
    line: int
    others: list = field(default_factory=list)  # further numbers and names of theirs
    row: dict = field(default_factory=dict)  # as the file has it


def letters(name):
    """A name without case, accents, blanks and punctuation, so that 'Müller, Ann' and 'muller ann' begin alike."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())


def orders(name):
    """All ways to put the last words of a name first: 'Ann van Dyk' is 'van Dyk Ann' in Canvas."""
    words = (" ".join(reversed(name.split(",", 1))) if "," in name else name).split()
    return {letters("".join(words[cut:] + words[:cut])) for cut in range(len(words))}


class Roster:
    """The people of a class.

    Args:
        people: of class `Person`.
        header: the columns of the file, in their order.
    """

    def __init__(self, people, header):
        self.people, self.header = people, header
        self.by_number, self.by_name = {}, {}
        for person in people:
            numbers = {person.id, person.address, person.address.split("@")[0], *person.others}
            for number in {number.strip("#").casefold() for number in numbers if number}:
                self.by_number.setdefault(number, []).append(person)
            for order in orders(person.name):
                self.by_name.setdefault(order, []).append(person)

    def who(self, path, noise=()):
        """Whose file this is: `(Person or None, why not, whether its name says that it is late)`.

        Args:
            path: of the file, relative to the folder of submissions; each folder may carry a name. Where a system
                named one, it alone decides, since what is inside was named by the student.
            noise: names of problem sets, which are no names of people.
        """
        reason, late = f"nobody on the roster fits {path}", False
        for part in path.parts:
            part = unicodedata.normalize("NFC", part)
            match = MOODLE.fullmatch(part) or BRIGHTSPACE.fullmatch(part) or CANVAS.fullmatch(part)
            if match:  # a system's number may be another's in another system, so it only decides between equal names
                late = late or bool(match.groupdict().get("late"))
                people = self.by_name.get(letters(match["name"]), [])
                if len(people) > 1:
                    people = [person for person in people if person in self.by_number.get(match["id"], [])] or people
            else:
                stem = re.sub(r"\s*\(\d+\)$", "", without(part.removesuffix(".ipynb"), noise))
                words = [stem, *(word for word in re.split(r"[\s_]+", stem) if len(word) > 2)]
                people = {person.id: person for word in words for person in self.by_number.get(word.casefold(), [])}
                people = list(people.values()) or self.by_name.get(letters(stem), [])
            if len(people) == 1:
                return people[0], "", late
            if people:
                reason = f"{len(people)} people on the roster fit: {', '.join(person.id for person in people)}"
            if match:
                break
        return None, reason, late


def without(name, noise):
    """A file's name without those of problem sets."""
    for known in sorted(noise, key=len, reverse=True):
        name = re.sub(rf"[\s_.-]*{re.escape(known)}[\s_.-]*", " ", name, flags=re.I)
    return name.strip()


def read(path):
    """The roster in this file.

    Raises:
        RosterError: says in which line and column something is not as it should be.
    """
    text = decoded(path.read_bytes())
    first = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        lines = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise RosterError(f"line {rows.line_num}: {error}") from None
    if not lines:
        raise RosterError("the file is empty")
    header = [cell.strip() for cell in lines[0][1]]
    where = {kind: column(header, names) for kind, names in COLUMNS.items()}
    named = where["name"] is not None or (where["first"] is not None and where["last"] is not None)
    if not named or (where["id"] is None and where["address"] is None):
        raise RosterError(f"line 1: expected columns id (or address) and name, got {', '.join(header)}")
    people, taken = [], {}
    for line, row in lines[1:]:
        if len(row) != len(header):
            raise RosterError(f"line {line}: expected {len(header)} columns, as in line 1, got {len(row)}")
        values = dict(zip(header, (cell.strip() for cell in row), strict=True))
        person = one(line, values, header, where)
        if NO_STUDENT.fullmatch(person.name):
            continue
        title = header[where["id"]] if where["id"] is not None and values[header[where["id"]]] else "address"
        if not person.id:
            raise RosterError(f"line {line}, column {title}: it is empty")
        if person.id.casefold() in taken:
            raise RosterError(
                f"line {line}, column {title}: {person.id} is already in line {taken[person.id.casefold()]}"
            )
        taken[person.id.casefold()] = line
        people.append(person)
    return Roster(people, header)


def decoded(content):
    """The text of a file, or a `RosterError` that says where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, start = before.count(b"\n") + 1, before.rfind(b"\n") + 1
        raise RosterError(
            f"line {line}, byte {error.start - start + 1}: not UTF-8. Save the file as 'CSV UTF-8' and try again"
        ) from None


def column(header, names):
    """Where the first of these names stands in the header, None if nowhere."""
    lower = [title.casefold() for title in header]
    return next((lower.index(name) for name in names if name in lower), None)


def one(line, values, header, where):
    """A row as a person."""

    def value(kind):
        return values[header[where[kind]]] if where[kind] is not None else ""

    name = value("name") or f"{value('first')} {value('last')}".strip()
    others = [values[title] for title in header if title.casefold() in COLUMNS["other"]]
    others += [re.sub(r"\D", "", other) for other in others if other.casefold().startswith("participant ")]
    return Person(value("id").strip("#") or value("address"), name, value("address"), line, others, values)
