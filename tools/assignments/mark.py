"""Mark answers by hand, in your browser: `make mark SUBMISSIONS=folder`.

A page shows one answer, the model answer and the rubric beside it, and nobody's name. Keys: 1 to 9 for the rubric's
criteria, Enter to save and go on, N and P for the next answer and the one before. What you save comes into table and
feedback with the next `make grade`. Only this computer can reach the pages.

    python tools/assignments/mark.py GRADES [--port N] [--no-browser]
"""

import argparse
import hashlib
import json
import secrets
import sys
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parent))
from grade import known_rows
from grading.marks import Marks, RequestError, texts
from grading.problem_set import answer_of, criteria, grade_id, model_answer, problem_sets
from grading.reports import TEMPLATES, headings

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


class Desk:
    """What is to be marked.

    Args:
        grades: the folder that `make grade` has written.

    Attributes:
        prefix: what the addresses of its pages begin with; only who knows it can open them.
    """

    def __init__(self, grades):
        self.grades, self.marks = grades, Marks(grades)
        self.prefix, self.nonce = f"/{secrets.token_urlsafe(12)}/", secrets.token_hex(8)
        self.sets = problem_sets(Path(known_rows(grades)["course"]))

    @property
    def rows(self):
        """Whose submission is which; read anew, since `make grade` may have run meanwhile."""
        return [row for row in known_rows(self.grades)["rows"] if row["problem_set"] in self.sets]

    def questions(self):
        """`(problem set, question)` of all that somebody answered, those that are marked by hand first."""
        used = [self.sets[name] for name in sorted({row["problem_set"] for row in self.rows})]
        every = [(found, question) for found in used for question in found.questions]
        return sorted(every, key=lambda pair: not pair[1].by_hand)

    def answers(self, problem_set, question):
        """The answers to a question, in an order that says nothing about who wrote them."""
        rows = [row for row in self.rows if row["problem_set"] == problem_set.name]
        rows.sort(key=lambda row: hashlib.sha256(f"{question.name}{row['key']}{row['student']}".encode()).hexdigest())
        asked = {
            (request.student, request.problem_set, request.question): request.reason
            for request in self.marks.open_requests(self.rows, self.sets)
        }
        for row in rows:
            path = self.grades / "results" / f"{row['key']}.json"
            if not path.exists():
                continue
            result = json.loads(path.read_text("utf-8"))
            notebook = nbformat.from_dict(result["notebook"])
            text = texts(notebook, problem_set)[question.answer]
            history = self.marks.history(row["student"], problem_set.name).get(question.name, {})
            given, verdict = history.get(text, []), result["questions"][question.name]
            yield {
                "student": row["student"], "notebook": notebook, "text": text, "verdict": verdict,
                "marks": given, "earlier": [mark for other in history if other != text for mark in history[other]],
                "asked": asked.get((row["student"], problem_set.name, question.name), ""),
                "to_mark": not given and verdict["points"] is None,
            }  # fmt: skip

    def overview(self):
        """The first page: what is to be marked."""
        lines = []
        for problem_set, question in self.questions():
            found = list(self.answers(problem_set, question))
            waiting = [i for i, answer in enumerate(found) if answer["to_mark"] or answer["asked"]]
            lines.append({
                "set": problem_set, "question": question, "answers": len(found), "first": (waiting or [0])[0],
                "to_mark": sum(answer["to_mark"] for answer in found),
                "asked": sum(bool(answer["asked"]) for answer in found),
                "by_hand": sum(bool(answer["marks"]) for answer in found),
            })  # fmt: skip
        return TEMPLATES.get_template("desk.html").render(lines=lines, prefix=self.prefix)

    def page(self, problem_set, question, number, problem="", draft=None):
        """One answer. `draft` is a mark that could not be saved, and `problem` says why."""
        found = list(self.answers(problem_set, question))
        source = problem_set.cells[question.answer].source
        order = [grade_id(cell) for cell in problem_set.source.cells]
        asked_in = problem_set.source.cells[order.index(question.answer) - 1].source
        return TEMPLATES.get_template("answer.html").render(
            set=problem_set, question=question, number=number, n=len(found), answer=found[number],
            cells=list(shown(found[number]["notebook"], question)), title=headings(problem_set)[question.name],
            asked_in=asked_in, model=model_answer(problem_set.cells[question.answer]),
            criteria=criteria(source) if question.by_hand else [], problem=problem,
            left=[i for i, answer in enumerate(found) if answer["to_mark"] or answer["asked"]],
            mark=draft or (found[number]["marks"] or [None])[-1], prefix=self.prefix, nonce=self.nonce,
        )  # fmt: skip

    def save(self, problem_set, question, number, form):
        """Keep a mark. Returns the number of the answer to show next, that of this one where nothing could be saved."""
        found = list(self.answers(problem_set, question))
        answer, rubric = found[number], criteria(problem_set.cells[question.answer].source)
        written = form["points"].strip().replace(",", ".")
        try:
            points = float(written) if written else sum(rubric[i][0] for i in form["criteria"])
        except (ValueError, IndexError):
            raise ValueError(f"points: expected a number, got {written!r}") from None
        if not 0 <= points <= question.points:
            raise ValueError(f"points: expected 0 to {question.points:g}, got {written}")
        where = answer["student"], problem_set.name, question.name, answer["text"]
        self.marks.give(*where, points, form["criteria"], form["comment"], answer["asked"])
        others = [i for i, other in enumerate(found) if i != number and (other["to_mark"] or other["asked"])]
        return next((i for i in others if i > number), (others or [(number + 1) % len(found)])[0])


def shown(notebook, question):
    """The cells of an answer: what was written, and what the student or the grader saw when it ran."""
    inside = False
    for cell in notebook.cells:
        if grade_id(cell):
            inside = grade_id(cell) == question.answer
            tests = not question.by_hand and answer_of(grade_id(cell)) == question.answer
            if tests and not inside:
                continue
        if inside and (grade_id(cell) == question.answer or cell.metadata.get("extra")):
            yield cell


class Handler(BaseHTTPRequestHandler):
    """Pages of a desk, for those who know the word in their addresses."""

    def do_GET(self):
        self._answer(lambda desk, place, number: desk.page(*place, number))

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length") or 0), 2**20)
        sent = parse_qs(self.rfile.read(length).decode("utf-8", "replace"), keep_blank_values=True)
        form = {
            "criteria": [int(number) for number in sent.get("criterion", []) if number.isdecimal()],
            "points": sent.get("points", [""])[0],
            "comment": sent.get("comment", [""])[0].replace("\r\n", "\n").strip(),
        }

        def save(desk, place, number):
            try:
                following = desk.save(*place, number, form)
            except ValueError as error:
                return desk.page(*place, number, str(error), form)
            self.send_response(303)
            self.send_header("Location", f"{self.server.desk.prefix}{place[0].name}/{place[1].judge}/{following}")
            self.end_headers()
            return None

        self._answer(save)

    def _answer(self, act):
        path, host = unquote(urlsplit(self.path).path), self.headers.get("Host", "").rsplit(":", 1)[0]
        desk = self.server.desk
        if host not in ("127.0.0.1", "localhost") or not path.startswith(desk.prefix):
            return self.send_error(404)
        parts = path.removeprefix(desk.prefix).split("/")
        try:
            if parts == [""]:
                page = desk.overview()
            else:
                name, judge, number = parts
                question = next(question for question in desk.sets[name].questions if question.judge == judge)
                page = act(desk, (desk.sets[name], question), int(number))
        except (KeyError, IndexError, ValueError, StopIteration):
            return self.send_error(404)
        if page is not None:
            self.send_response(200)
            policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{desk.nonce}'; img-src data:"
            for name, value in (HEADERS | {"Content-Security-Policy": f"{policy}; form-action 'self'"}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.encode())
        return None

    def log_message(self, *_):
        """Nothing in the terminal."""


def server(grades, port=0):
    """A server of the marking pages of a folder; its `address` is where they are."""
    made = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    made.desk = Desk(grades)
    made.address = f"http://127.0.0.1:{made.server_port}{made.desk.prefix}"
    return made


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("grades", type=Path)
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--no-browser", action="store_true")
    chosen = parser.parse_args(arguments)
    grades = chosen.grades.expanduser().resolve()
    if not (grades / "rows.json").exists():
        sys.exit(f"GRADES: expected a folder that `make grade` has written, got {chosen.grades}")
    try:
        made = server(grades, chosen.port)
        made.desk.overview()
    except (RequestError, OSError) as error:
        sys.exit(str(error))
    print(f"Marking at {made.address} (Ctrl-C ends it)", flush=True)
    if not chosen.no_browser:
        webbrowser.open(made.address)
    try:
        made.serve_forever()
    except KeyboardInterrupt:
        print("\nEverything that you saved is kept. `make grade` brings it into table and feedback.")


if __name__ == "__main__":
    main()
