"""Grade a folder of submitted notebooks: `make grade SUBMISSIONS=folder`.

The folder may hold notebooks as Colab or a learning management system gives them: side by side, named after their
authors, or in a folder for each. Beside it, in `FOLDER-graded`, come out

- `gradebook.csv`: a row for each file, a column for each question;
- `feedback/`: a page for each student, without any test's text; `feedback_SET.zip` holds them under the names of the
  folders that the submissions came in, which is how Moodle takes them back;
- `index.html`: whom to look at, what each question was like, and a picture of the class;
- `questions.csv`: for each question the share of points, how well it tells students apart, and its commonest message;
- `marks/` and `marks.csv`: marks given by hand with `make mark`, all that were ever given; `look_again.csv`, in which
  you note what students ask to be looked at again;

- `similar.html`: answers of different students that are alike, side by side.

With rules for being late (`LATE=late.txt`, see `grading/late.py`) points are deducted. With a roster
(`ROSTER=class.csv`, see `grading/roster.py`) files are joined to its people, and there are also
`totals.csv`, a row for each person, and `canvas.csv` or `moodle.csv`, which those systems import.

Each submission runs by itself, in a box without network, files of others or much memory (see `grading/sandbox.py`). An
interrupted run goes on where it stopped, and a submission that was graded before is not run again.

    python tools/assignments/grade.py SUBMISSIONS [--grades FOLDER] [--course FOLDER] [--jobs N] [--isolation box|none]
        [--roster FILE] [--late FILE]
"""

import argparse
import hashlib
import json
import os
import re
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib import metadata
from pathlib import Path

import nbformat
import psutil
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent))
from grading import exports, items, late, reports, sandbox, similarity, submission
from grading.execution import box_folder
from grading.marks import Marks, RequestError, texts
from grading.problem_set import ASSIGNMENTS, problem_sets
from grading.roster import RosterError, without
from grading.roster import read as read_roster
from grading.workers import Workers

IGNORED = ("__MACOSX", ".ipynb_checkpoints", "__pycache__")
NO_GRADERS = ("reports", "marks", "roster", "exports", "late", "items", "similarity")  # they change no verdict
NO_SUBMISSIONS = ("Thumbs.db", "timestamp.txt", "submission_secret.txt")  # the last two come from nbgrader's exchange


def find_files(folder):
    """All files below a folder that could be somebody's submission."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in IGNORED and not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name not in NO_SUBMISSIONS:
                yield Path(place) / name


def top_folder(folder):
    """The folder itself, or the one folder in it into which an archive packed everybody's folders."""
    inside = [path for path in folder.iterdir() if path.name not in IGNORED and not path.name.startswith(".")]
    alone = len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink()
    return inside[0] if alone and any(path.is_dir() for path in inside[0].iterdir()) else folder


def student_name(path, folder, sets):
    """Who sent a file: the first folder it lies in, otherwise its own name without that of the problem set."""
    inside = path.relative_to(folder)
    name = inside.parts[0] if len(inside.parts) > 1 else path.name.removesuffix(".ipynb")
    return plain(without(name, sets))


def plain(name):
    """A name that may stand in addresses and names of files."""
    name = unicodedata.normalize("NFC", name)
    return re.sub(r"[^\w.@-]+", "_", name).strip("._- ")[:80] or "unnamed"


def name_of(path):
    """A path as text that any file can hold, even where its name is not in the system's encoding."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def known_rows(grades):
    """What the last run wrote: the course's folder, and whose submission is which."""
    path = grades / "rows.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {"course": "", "rows": []}


def version():
    """A word that changes when the graders do, or aelib, or the packages that answers and tests use."""
    digest = hashlib.sha256()
    graders = [path for path in Path(sandbox.__file__).parent.glob("*.py") if path.stem not in NO_GRADERS]
    # Each sorted by itself: the order must not depend on the folders that they lie in.
    for path in [*sorted(graders), *sorted((sandbox.ROOT / "aelib").rglob("*.py"))]:
        digest.update(path.read_bytes())
    packages = sorted({f"{found.name} {found.version}" for found in metadata.distributions()})
    digest.update("\n".join([sys.version, *packages]).encode())
    return digest.hexdigest()


class Grading:
    """One run over a folder of submissions."""

    def __init__(self, submissions, grades, course, isolated, limits, roster=None, rules=None):
        self.roster, self.rules = roster, rules
        self.folder, self.grades, self.isolated, self.limits = submissions, grades, isolated, limits
        self.sets = problem_sets(course)
        self.course, self.marks = course, Marks(grades)
        self.version = version()
        self.rows = self._rows()
        self.requests = self.marks.open_requests(self.rows, self.sets)

    def _rows(self):
        """A row for each file, with what is known before anything runs."""
        rows, taken, equal = [], {}, {}
        for path in find_files(self.folder):
            row = {
                "student": student_name(path, self.folder, self.sets), "who": "",
                "file": name_of(path.relative_to(self.folder)),
                "problem_set": "", "points": None, "out_of": None, "to_mark": 0, "flags": [], "seconds": 0.0,
                "questions": {}, "look_again": [], "stopped": "", "page": "", "key": "", "notebook": None,
                "person": None, "when": None, "late_days": 0, "free_days": 0, "deducted": 0.0,
            }  # fmt: skip
            rows.append(row)
            notebook, unreadable = None, None
            try:
                if path.is_symlink() or not path.is_file():
                    raise submission.UnreadableError("not a plain file")
                notebook = submission.read(path)
            except (submission.UnreadableError, OSError) as error:
                unreadable = error
            if self.roster:
                self._name(row, path, notebook)
            row["who"] = row["student"]  # several files of one person get names of their own below
            row["when"] = late.time_of(path, row["person"])
            try:
                if unreadable:
                    raise unreadable
                row["problem_set"] = submission.recognise(notebook, self.sets) or ""
                if not row["problem_set"]:
                    raise submission.UnreadableError(f"belongs to no problem set of {', '.join(self.sets)}")
            except (submission.UnreadableError, OSError) as error:
                row["flags"].append(f"not graded: {error}")
                continue
            problem_set = self.sets[row["problem_set"]]
            row["notebook"], row["out_of"] = notebook, problem_set.points
            key = [self.version, path.read_bytes().hex(), problem_set.asked, str(self.limits)]
            row["key"] = hashlib.sha256("\0".join(key).encode()).hexdigest()[:24]
            taken.setdefault((row["student"], row["problem_set"]), []).append(row)
            equal.setdefault(row["key"], []).append(row)
        known = known_rows(self.grades)["rows"]
        before = {(row["student"], row["problem_set"]): row["key"] for row in known}
        names = {(row["file"], row["problem_set"]): row["who"] for row in known}
        present = {(row["who"], row["problem_set"]) for row in rows}
        for row in rows:
            name = row["problem_set"]
            earlier = names.get((row["file"], name), row["who"])
            if earlier != row["who"]:
                self.marks.adopt(earlier, row["who"], name, move=(earlier, name) not in present)
        for sent, several in taken.items():
            keeper = next((row for row in several if before.get(sent) == row["key"]), several[0])
            for row in several:
                if row is not keeper:  # a name that does not depend on the others, since marks by hand hang on it
                    row["student"] += "-" + hashlib.sha256(row["file"].encode()).hexdigest()[:6]
            if len(several) > 1:
                names = ", ".join(row["file"] for row in several)
                for row in several:
                    row["flags"].append(f"{len(several)} files of this student for this problem set: {names}")
        for several in equal.values():
            for row in several:
                others = [other["file"] for other in several if other["student"] != row["student"]]
                if others:
                    row["flags"].append(f"the very same file as {', '.join(others)}")
        return rows

    def _name(self, row, path, notebook):
        """Find out by its name, or by what its notebook says, whose file this is."""
        person, reason, says_late = self.roster.who(path.relative_to(self.folder), self.sets)
        stated = submission.stated_id(notebook) if notebook else ""
        says = self.roster.by_number.get(stated.strip("#").casefold(), [])
        if not person and len(says) == 1:
            person = says[0]
        elif person and stated and person not in says:
            row["flags"].append(f"its name says {person.id}, the notebook says {stated[:40]}")
        row["person"] = person
        row["student"] = plain(person.id) if person else row["student"]
        row["flags"] += [reason] * (not person) + ["late, says its name"] * says_late

    def result_path(self, row):
        """Where the verdict on a submission is kept."""
        return self.grades / "results" / f"{row['key']}.json"

    def stored(self, row):
        """An earlier verdict on the very same submission, None if there is none."""
        try:
            return json.loads(self.result_path(row).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def run(self, jobs):
        """Grade what has not been graded yet."""
        waiting = {}
        for row in self.rows:
            if row["key"] and self.stored(row) is None:
                waiting.setdefault(row["key"], row)  # two equal files are run once
        workers = Workers(self.limits, self.isolated)
        with ThreadPoolExecutor(jobs) as pool:
            futures = {
                pool.submit(workers.grade, row["notebook"], self.sets[row["problem_set"]], self.result_path(row)): row
                for row in waiting.values()
            }
            try:
                for future in tqdm(as_completed(futures), total=len(futures), desc="grading", unit="notebook"):
                    error = future.exception()  # whatever one submission does, the others are graded
                    for row in self.rows if error else ():
                        if row["key"] == futures[future]["key"]:
                            said = f"{type(error).__name__}: {error}"
                            row["flags"].append(f"not graded, try again: the grader failed: {said}")
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                print("\nInterrupted. What was graded is kept; run the same command to go on.", flush=True)
                for process in psutil.Process().children(recursive=True):
                    process.kill()
                os._exit(130)  # without waiting for the threads
        workers.close()
        for row in self.rows:
            row["ran"] = row["key"] in waiting and self.stored(row) is not None
        return sum(row["ran"] for row in self.rows)

    def collect(self):
        """Verdicts, and marks given by hand, into the rows."""
        for row in (row for row in self.rows if row["key"]):
            result = self.stored(row)
            if result is None:
                continue
            try:
                self._collect(row, result)
            except Exception as error:  # one row's trouble is no other's
                row["questions"] = {}
                row["flags"].append(f"not graded: the grader failed: {type(error).__name__}: {error}")
        if self.rules:
            self.rules.apply(self.rows)
            for row in self.rows:
                unknown = row["when"] is None and row["problem_set"] in self.rules.rules
                row["flags"] += ["nothing says when it was sent"] * unknown

    def _collect(self, row, result):
        """The verdict on one submission, and its marks by hand, into its row."""
        problem_set = self.sets[row["problem_set"]]
        history = self.marks.history(row["who"], problem_set.name)
        written = texts(nbformat.from_dict(result["notebook"]), problem_set)
        for question in problem_set.questions:
            given = dict(result["questions"][question.name]) | {"comment": "", "criteria": []}
            marks = history.get(question.name, {})
            mark = marks.get(written[question.answer], [None])[-1]
            if mark and mark["points"] is not None and mark["out_of"] == question.points:
                given |= {key: mark[key] for key in ("points", "comment", "criteria")}
            elif mark and mark["points"] is not None:
                was = f"marked by hand when it had {mark['out_of']:g} points"
                row["flags"].append(f"{question.name}: was {was}, mark it again")
            elif marks and not mark:
                row["flags"].append(f"{question.name}: was marked by hand with another answer, mark it again")
            given["answer"] = "" if given["status"] == "no answer" else result["answers"].get(question.answer, "")
            row["questions"][question.name] = given
        asked = [request for request in self.requests if request[:2] == (row["who"], problem_set.name)]
        row["look_again"] = [f"{request.question}: {request.reason}" for request in asked]
        row["flags"] += result["flags"]
        row["stopped"] = next((flag for flag in result["flags"] if flag.startswith("stopped at")), "")
        row["seconds"] = result["seconds"]
        row["points"] = float(sum(given["points"] or 0 for given in row["questions"].values()))
        row["to_mark"] = sum(given["points"] is None for given in row["questions"].values())

    def report(self):
        """Write table, pages and pictures."""
        pictures, statistics, pairs = [], [], []
        for name, problem_set in self.sets.items():
            rows = [row for row in self.rows if row["problem_set"] == name and row["questions"]]
            for row in rows:
                row["page"] = f"feedback/{name}/{row['student']}.html"
                reports.write(self.grades / row["page"], reports.feedback(row, problem_set))
            if rows:
                reports.write(self.grades / f"feedback_{name}.zip", exports.feedback(rows, self.grades))
                statistics.append(list(items.statistics(rows, problem_set)))
                pictures.append(f"class_{name}.png")
                reports.write(self.grades / pictures[-1], reports.picture(rows, problem_set, statistics[-1]))
                pairs += similarity.alike(rows, problem_set)
        reports.write(self.grades / "gradebook.csv", reports.table(self.rows))
        every = [line for lines in statistics for line in lines]
        reports.write(self.grades / "questions.csv", reports.plain_table(every, items.COLUMNS))
        reports.write(self.grades / "similar.html", reports.similar(pairs))
        reports.write(self.grades / "marks.csv", reports.plain_table(self.marks.everything(), reports.MARKED))
        columns = ("student", "who", "problem_set", "key", "file")
        kept = [{key: row[key] for key in columns} for row in self.rows if row["key"]]
        known = {"course": str(self.course), "rows": kept}
        reports.write(self.grades / "rows.json", json.dumps(known, ensure_ascii=False, indent=1))
        if self.roster:
            used = {row["problem_set"] for row in self.rows}
            titles = {name: found for name, found in self.sets.items() if name in used}
            for name, text in exports.tables(self.roster, self.rows, titles).items():
                reports.write(self.grades / name, text)
        reports.write(self.grades / "index.html", reports.overview(self.rows, pictures, statistics, len(pairs)))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--grades", type=Path, help="where everything is written; FOLDER-graded by default")
    parser.add_argument("--course", type=Path, default=ASSIGNMENTS, help="the folder that holds source/ and release/")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1))
    parser.add_argument("--isolation", choices=("box", "none"), default="box")
    parser.add_argument("--cell-seconds", type=float, default=sandbox.Limits.cell_seconds)
    parser.add_argument("--seconds", type=float, default=sandbox.Limits.seconds)
    parser.add_argument("--memory", type=float, default=sandbox.Limits.memory / 2**30, help="in GB")
    parser.add_argument("--roster", type=Path, help="a CSV file: id, name, address; or what the system exports")
    parser.add_argument("--late", type=Path, help="a file with a line for each problem set, see grading/late.py")
    chosen = parser.parse_args(arguments)
    course = chosen.course.expanduser().resolve()
    try:
        roster = read_roster(chosen.roster) if chosen.roster else None
    except (RosterError, OSError) as error:
        sys.exit(f"ROSTER: {chosen.roster}: {getattr(error, 'strerror', None) or error}")
    try:
        rules = late.LateRules(chosen.late.read_text("utf-8-sig"), problem_sets(course)) if chosen.late else None
    except (ValueError, OSError) as error:
        sys.exit(f"LATE: {chosen.late}: {getattr(error, 'strerror', None) or error}")
    submissions = chosen.submissions.expanduser().resolve()
    if not submissions.is_dir():
        sys.exit(f"SUBMISSIONS: expected a folder of notebooks, got {chosen.submissions}")
    grades = (chosen.grades or submissions.with_name(f"{submissions.name}-graded")).expanduser().resolve()
    if grades.is_relative_to(submissions):
        sys.exit(f"GRADES: expected a folder outside the submissions, got {grades}")
    if chosen.isolation == "box":
        try:
            sandbox.check_isolation()
        except sandbox.NoIsolationError as error:
            sys.exit(str(error))
    else:
        print("No isolation: submissions run with all your rights.", flush=True)
    limits = sandbox.Limits(chosen.cell_seconds, chosen.seconds, int(chosen.memory * 2**30))
    box_folder.tidy()
    started = time.monotonic()
    isolated = chosen.isolation == "box"
    try:
        grading = Grading(top_folder(submissions), grades, course, isolated, limits, roster, rules)
    except RequestError as error:
        sys.exit(str(error))
    if not grading.rows:
        sys.exit(f"SUBMISSIONS: {submissions} holds no files")
    ran = grading.run(chosen.jobs)
    grading.collect()
    grading.report()
    flagged = sum(bool(row["flags"]) for row in grading.rows)
    unreadable = sum(not row["questions"] for row in grading.rows)
    to_mark = sum(row["to_mark"] for row in grading.rows)
    spent = time.monotonic() - started
    before = sum(bool(row["questions"]) for row in grading.rows) - sum(row["ran"] for row in grading.rows)
    print(
        f"{len(grading.rows)} files: {ran} run now, {before} graded before, {unreadable} that could not be graded; "
        f"{flagged} to look at, {to_mark} answers to mark by hand ({spent:.0f} s)."
    )
    if roster:
        named = {row["person"].id for row in grading.rows if row["person"]}
        strangers = sum(row["person"] is None for row in grading.rows)
        print(
            f"Of {len(roster.people)} people on the roster {len(named)} sent something; "
            f"{strangers} files are in nobody's name."
        )
    print(f"Open {grades / 'index.html'}")


if __name__ == "__main__":
    main()
