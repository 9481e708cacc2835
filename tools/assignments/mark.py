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
from urllib.parse import parse_qs, quote, unquote, urlsplit

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parent))
from grade import known_rows
from grading.marks import Marks, RequestError, cells_of, texts
from grading.problem_set import criteria, grade_id, model_answer, problem_sets
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
        problem: what is wrong with `look_again.csv`, `""` if nothing is.
    """

    def __init__(self, grades):
        self.grades, self.marks, self.problem = grades, Marks(grades), ""
        self.prefix, self.nonce = f"/{secrets.token_urlsafe(12)}/", secrets.token_hex(8)
        self.sets, self.seen = problem_sets(Path(known_rows(grades)["course"])), {}

    @property
    def rows(self):
        """Whose submission is which; read anew, since `make grade` may have run meanwhile."""
        return [row for row in known_rows(self.grades)["rows"] if row["problem_set"] in self.sets]

    def _asked(self, rows):
        """The reason for each mark that is to be looked at again: by person, problem set and question."""
        try:
            found = self.marks.open_requests(rows, self.sets)
            self.problem = ""
        except RequestError as error:  # no reason to lose a mark
            found, self.problem = [], str(error)
        return {(request.student, request.problem_set, request.question): request.reason for request in found}

    def _result(self, key):
        return json.loads((self.grades / "results" / f"{key}.json").read_text("utf-8"))

    def _verdicts(self, key, problem_set):
        """The verdicts on a submission, and short names of its texts; None where it was not graded."""
        if key not in self.seen and (self.grades / "results" / f"{key}.json").exists():
            result = self._result(key)
            self.seen[key] = result["questions"], texts(nbformat.from_dict(result["notebook"]), problem_set)
        return self.seen.get(key)

    def questions(self):
        """`(problem set, question)` of all that somebody answered, those that are marked by hand first."""
        used = [self.sets[name] for name in sorted({row["problem_set"] for row in self.rows})]
        every = [(found, question) for found in used for question in found.questions]
        return sorted(every, key=lambda pair: not pair[1].by_hand)

    def answers(self, problem_set, *questions):
        """The answers to each of some questions, in an order that says nothing about who wrote them."""
        every = self.rows
        asked, histories, listed = self._asked(every), {}, []
        for row in every:
            found = self._verdicts(row["key"], problem_set) if row["problem_set"] == problem_set.name else None
            if found:
                histories.setdefault(row["who"], self.marks.history(row["who"], problem_set.name))
                listed.append((row, *found))
        for question in questions:
            answers = []
            for row, verdicts, written in listed:
                history, text = histories[row["who"]].get(question.name, {}), written[question.answer]
                marks, verdict = history.get(text, []), verdicts[question.name]
                counts = marks and marks[-1]["points"] is not None and marks[-1]["out_of"] == question.points
                answers.append({
                    "who": row["who"], "key": row["key"], "text": text, "verdict": verdict, "marks": marks,
                    "earlier": [mark for other in history if other != text for mark in history[other]],
                    "asked": asked.get((row["who"], problem_set.name, question.name), ""),
                    "to_mark": not counts and verdict["points"] is None,
                    "token": digest(problem_set.name, question.name, row["who"], row["file"], text),
                    "place": digest(problem_set.name, question.name, row["who"], row["file"]),
                })  # fmt: skip
            yield sorted(answers, key=lambda answer: answer["place"])

    def overview(self):
        """The first page: what is to be marked."""
        lines, by_set = [], {}
        for problem_set, question in self.questions():
            by_set.setdefault(problem_set.name, (problem_set, []))[1].append(question)
        for problem_set, questions in by_set.values():
            for question, found in zip(questions, self.answers(problem_set, *questions), strict=True):
                waiting = [i for i, answer in enumerate(found) if answer["to_mark"] or answer["asked"]]
                lines.append({
                    "set": problem_set, "question": question, "answers": len(found), "first": (waiting or [0])[0],
                    "to_mark": sum(answer["to_mark"] for answer in found),
                    "asked": sum(bool(answer["asked"]) for answer in found),
                    "by_hand": sum(bool(answer["marks"]) for answer in found),
                })  # fmt: skip
        lines.sort(key=lambda line: not line["question"].by_hand)
        return TEMPLATES.get_template("desk.html").render(lines=lines, prefix=self.prefix, problem=self.problem)

    def page(self, problem_set, question, number, problem="", draft=None):
        """One answer. `draft` is a mark that could not be saved, and `problem` says why."""
        (found,) = self.answers(problem_set, question)
        answer, source = found[number], problem_set.cells[question.answer].source
        order = [grade_id(cell) for cell in problem_set.source.cells]
        asked_in = problem_set.source.cells[order.index(question.answer) - 1].source
        notebook = nbformat.from_dict(self._result(answer["key"])["notebook"])
        return TEMPLATES.get_template("answer.html").render(
            set=problem_set, question=question, number=number, n=len(found), answer=answer,
            cells=cells_of(notebook, problem_set)[question.answer], title=headings(problem_set)[question.name],
            asked_in=asked_in, model=model_answer(problem_set.cells[question.answer]),
            criteria=criteria(source) if question.by_hand else [], problem=problem or self.problem,
            left=[i for i, answer in enumerate(found) if answer["to_mark"] or answer["asked"]],
            mark=draft or (answer["marks"] or [None])[-1], prefix=self.prefix, nonce=self.nonce,
        )  # fmt: skip

    def save(self, problem_set, question, form):
        """Keep a mark for the answer that the form was about. Returns the number of the answer to show next.

        Raises:
            ValueError: the form cannot be used, or its answer is no longer there.
        """
        (found,) = self.answers(problem_set, question)
        number = next((i for i, answer in enumerate(found) if answer["token"] == form["token"]), None)
        if number is None:
            raise ValueError("this answer was handed in anew since the page was opened: look at the new one")
        answer, rubric = found[number], criteria(problem_set.cells[question.answer].source)
        written = form["points"].strip().replace(",", ".")
        if not written and not form["criteria"]:
            raise ValueError("points: nothing is ticked and no number given: type 0 to give none")
        try:
            points = None if written == "-" else float(written or sum(rubric[i][0] for i in form["criteria"]))
        except (ValueError, IndexError):
            raise ValueError(f"points: expected a number, got {written!r}") from None
        if points is not None and not 0 <= points <= question.points:
            raise ValueError(f"points: expected 0 to {question.points:g}, got {written}")
        where = answer["who"], problem_set.name, question.name, answer["text"]
        self.marks.give(*where, points, question.points, form["criteria"], form["comment"], answer["asked"])
        others = [i for i, other in enumerate(found) if i != number and (other["to_mark"] or other["asked"])]
        return next((i for i in others if i > number), (others or [(number + 1) % len(found)])[0])


def digest(*words):
    """A short name for some words, which does not tell them."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:24]


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
            "token": sent.get("token", [""])[0],
        }

        def save(desk, place, number):
            try:
                following = desk.save(*place, form)
            except ValueError as error:
                return desk.page(*place, number, f"Not saved. {error}", form)
            self.send_response(303)
            self.send_header("Location", quote(f"{desk.prefix}{place[0].name}/{place[1].judge}/{following}"))
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
        if not made.desk.questions():
            course = known_rows(grades)["course"]
            raise ValueError(f"{course} holds no problem set that was graded: run make grade again")
        made.desk.overview()
    except KeyError as error:
        sys.exit(f"question {error} is not in the problem sets as they were graded: run make grade again")
    except (ValueError, OSError) as error:
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
