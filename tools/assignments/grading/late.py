"""What being late costs: a file with a line for each problem set, and one for the free days that everybody has.

    all: 4 free days
    ps1_first_autoencoder: due 2026-10-05 23:59, 10% a day, at most 5 days

A day that has begun counts. Free days are spent in the order of the deadlines. Each further day costs so many per cent
of the points that were earned, and what comes later than "at most" earns none. Times are local ones, without a zone.
"""

import math
import re
from collections import namedtuple
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from grading.roster import BRIGHTSPACE, CANVAS, MOODLE

Rule = namedtuple("Rule", ("due", "cost", "most"))
FORMS = "due 2026-10-05 23:59, 10% a day, at most 5 days"
# How systems write a time: ISO (a roster of one's own), Brightspace, Moodle.
TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%b %d, %Y %I%M %p", "%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M")
COLUMNS = ("submitted", "last modified (submission)")  # of a roster: one's own, Moodle's grading worksheet


class LateError(ValueError):
    """A rule that cannot be used; the message names line and column."""


class LateRules:
    """Rules for being late.

    Args:
        text: of the file.
        sets: names of the problem sets.
    """

    def __init__(self, text, sets):
        self.free, self.rules = 0, {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0]
            if not words.strip():
                continue
            name, colon, rest = words.partition(":")
            if not colon:
                raise LateError(f"line {number}, column 1: expected NAME: {FORMS}")
            if name.strip() == "all":
                match = re.fullmatch(r"\s*(\d+) free days?\s*", rest)
                if not match:
                    raise LateError(
                        f"line {number}, column {len(name) + 2}: expected '4 free days', got {rest.strip()!r}"
                    )
                self.free = int(match[1])
                continue
            if name.strip() not in sets:
                raise LateError(f"line {number}, column 1: no problem set is called {name.strip()!r}")
            self.rules[name.strip()] = self._rule(number, len(name) + 2, rest)

    @staticmethod
    def _rule(number, column, rest):
        """One rule. `column` is where `rest` begins."""
        due, cost, most = None, 0.0, math.inf
        for piece in rest.split(","):
            at, words = column + len(piece) - len(piece.lstrip()), piece.strip()
            column += len(piece) + 1
            if match := re.fullmatch(r"due (.+)", words):
                try:
                    due = datetime.strptime(match[1], "%Y-%m-%d %H:%M")
                except ValueError:
                    raise LateError(
                        f"line {number}, column {at}: expected due 2026-10-05 23:59, got {words!r}"
                    ) from None
            elif (match := re.fullmatch(r"(\d+(?:\.\d+)?) ?% a day", words)) and float(match[1]) <= 100:
                cost = float(match[1]) / 100
            elif match := re.fullmatch(r"at most (\d+) days?", words):
                most = int(match[1])
            else:
                raise LateError(f"line {number}, column {at}: expected {FORMS}, got {words!r}")
        if due is None:
            raise LateError(f"line {number}: it says no deadline: expected {FORMS}")
        return Rule(due, cost, most)

    def days(self, name, when):
        """How many days after the deadline of a problem set, 0 if it was in time or has no rule."""
        rule = self.rules.get(name)
        return math.ceil((when - rule.due) / timedelta(days=1)) if rule and when and when > rule.due else 0

    def apply(self, rows):
        """Put `late_days`, `free_days` and `deducted` (points) into rows, which hold `when`.

        Of several files of one person for one problem set the one that earns most counts, and spends the free days.
        """
        left, groups = {}, {}
        for row in rows:
            row["late_days"], row["free_days"], row["deducted"] = self.days(row["problem_set"], row["when"]), 0, 0.0
            if row["questions"] and row["problem_set"] in self.rules:
                groups.setdefault((self.rules[row["problem_set"]].due, row["problem_set"], row["who"]), []).append(row)
        for (_, name, who), several in sorted(groups.items(), key=lambda item: item[0][:2]):
            rule, free = self.rules[name], left.setdefault(who, self.free)
            for row in several:
                row["free_days"] = min(row["late_days"], free) if rule.cost and row["late_days"] <= rule.most else 0
                share = min(1.0, rule.cost * (row["late_days"] - row["free_days"]))
                row["deducted"] = round(row["points"] * (1.0 if row["late_days"] > rule.most else share), 2)
            left[who] -= max(several, key=lambda row: (row["points"] - row["deducted"], -row["free_days"]))["free_days"]


def time_of(path, person=None):
    """When a file was handed in: what the roster says, a folder that Brightspace named, or nbgrader's `timestamp.txt`.

    None if none of them says anything. What a student names, a file or a folder in one's own archive, does not count.
    """
    said = [value for title, value in (person.row.items() if person else ()) if title.casefold() in COLUMNS]
    said += [match["date"] for part in path.parts[:-1] if (match := BRIGHTSPACE.fullmatch(part))]
    for words in said:
        words = re.sub(r" (\d{3}) ([AP]M)", r" 0\1 \2", words.strip())  # 105 PM
        for form in TIMES:
            try:
                return datetime.strptime(words, form)
            except ValueError:
                continue
    stamp, system = path.with_name("timestamp.txt"), (MOODLE, CANVAS, BRIGHTSPACE)
    if stamp.is_file() and not any(form.fullmatch(part) for part in path.parts[:-1] for form in system):
        return stamped(stamp.read_text("utf-8", "replace"))
    return None


def stamped(text):
    """nbgrader's `2026-10-05 23:59:00.123456 UTC` as local time, None if it is something else."""
    try:
        date, clock, *zone = text.split()
        when = datetime.fromisoformat(f"{date} {clock}")
        if zone:
            when = when.replace(tzinfo=ZoneInfo(zone[0]))
    except (ValueError, OSError, KeyError):  # the last is a zone that nobody knows
        return None
    return (when.astimezone().replace(tzinfo=None) if when.tzinfo else when).replace(microsecond=0)
