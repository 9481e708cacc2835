"""Copies are found, and people who thought alike are left in peace: a class of generated authors says how often."""

import ast
import random
from collections import Counter

import pytest
from classroom import bank
from grading import similarity

ROOTS = ("a", "n", "result", "total", "out", "value", "err", "row", "col", "k", "part", "first", "mine")
WORDS = [root + end for root in ROOTS for end in ("", "_x", "_y")]
METHODS = ("mean", "sum", "std", "var", "max", "min")


class Style(ast.NodeTransformer):
    """One author's way to write the same thing: each habit by the toss of a coin, and kept most of the time."""

    def __init__(self, generator):
        self.generator, self.new = generator, 0
        names = ("call", "square", "length", "swap", "keep", "split", "array")
        self.usual = {name: generator.random() < 0.5 for name in names}

    def write(self, source):
        """An answer in this style."""
        self.habits = {name: kept ^ (self.generator.random() < 0.2) for name, kept in self.usual.items()}
        return ast.unparse(ast.fix_missing_locations(self.visit(ast.parse(source))))

    def visit_Call(self, node):
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in METHODS and self.habits["call"]:
            module = isinstance(function.value, ast.Name) and function.value.id == "np"
            if not module:  # x.mean(...) becomes np.mean(x, ...)
                numpy = ast.Attribute(ast.Name("np", ast.Load()), function.attr, ast.Load())
                return ast.Call(numpy, [function.value, *node.args], node.keywords)
        if isinstance(function, ast.Name) and function.id == "len" and self.habits["length"]:
            return ast.Subscript(ast.Attribute(node.args[0], "shape", ast.Load()), ast.Constant(0), ast.Load())
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow) and ast.unparse(node.right) == "2" and self.habits["square"]:
            return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), "square", ast.Load()), [node.left], [])
        if isinstance(node.op, ast.Add | ast.Mult) and self.habits["swap"]:
            return ast.BinOp(node.right, node.op, node.left)
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        body = []
        if self.habits["array"] and node.args.args:  # x = np.asarray(x)
            name = node.args.args[0].arg
            body += ast.parse(f"{name} = np.asarray({name})").body
        for statement in node.body:
            if isinstance(statement, ast.Return) and statement.value is not None:
                if isinstance(statement.value, ast.BinOp) and self.habits["split"]:
                    body.append(self._kept(statement.value.left))
                    statement.value.left = ast.Name(body[-1].targets[0].id, ast.Load())
                if self.habits["keep"]:
                    body.append(self._kept(statement.value))
                    statement.value = ast.Name(body[-1].targets[0].id, ast.Load())
            body.append(statement)
        node.body = body
        return node

    def _kept(self, value):
        self.new += 1
        return ast.Assign([ast.Name(f"kept_{self.new}", ast.Store())], value)


def renamed(source, generator):
    """The same program with other names, other comments and another layout."""
    tree = ast.parse(source)
    own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} - {"self"}
    new = dict(zip(sorted(own), generator.sample([f"{a}{i}" for a in WORDS for i in range(9)], len(own)), strict=True))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new.get(node.arg, node.arg)
    lines = ast.unparse(ast.fix_missing_locations(tree)).splitlines()
    return "\n".join(line + generator.choice(["", "  # so", "  # as in the course", "\n"]) for line in lines)


def author(problem_set, listed, generator):
    """Answers to all questions in one person's style, seven of ten of them right, and some words of their own."""
    style, found = Style(generator), {}
    for name in problem_set.judges:
        right = [answer for answer in listed[name] if answer.kind in ("reference", "alternative")]
        wrong = [answer for answer in listed[name] if answer.kind == "wrong"]
        chosen = generator.choice(right if generator.random() < 0.7 else wrong)
        found[name] = renamed(style.write(chosen.source), generator)
    for question in problem_set.questions:
        if question.by_hand:
            found[question.answer] = " ".join(generator.choice(WORDS) for _ in range(60))
    return found


def row(problem_set, name, answers):
    questions = {question.name: {"answer": answers[question.answer]} for question in problem_set.questions}
    return {"student": name, "who": name, "questions": questions}


def generated(problem_set, listed, size, generator):
    """A class that wrote for itself but for two times eight, and which pairs are copies: pair to kind."""
    authors, judged = [author(problem_set, listed, generator) for _ in range(size)], set(problem_set.judges)
    rows, expected = [row(problem_set, f"own {i}", answers) for i, answers in enumerate(authors)], {}
    for i in range(8):  # everything that tests judge, with new names, comments and layout; the words are one's own
        mine = author(problem_set, listed, generator)
        copy = {name: renamed(text, generator) if name in judged else mine[name] for name, text in authors[i].items()}
        rows.append(row(problem_set, f"copy {i}", copy))
        expected[frozenset((f"own {i}", f"copy {i}"))] = "all that tests judge, renamed"
    for i in range(8, 16):
        copy = author(problem_set, listed, generator) | {"experiment": authors[i]["experiment"]}
        rows.append(row(problem_set, f"copy {i}", copy))
        expected[frozenset((f"own {i}", f"copy {i}"))] = "the experiment alone"
    return rows, expected


@pytest.mark.parametrize("size", [20, 60, 300])
def test_what_was_copied_is_found_and_what_was_thought_alike_is_not(size, capsys):
    missed, copies, wrongly, independent = Counter(), Counter(), 0, 0
    for number, (problem_set, listed) in enumerate(list(bank().values())[:: 1 if size < 300 else 4]):
        rows, expected = generated(problem_set, listed, size, random.Random(200 + number))
        reported = {frozenset(r["student"] for r in pair["rows"]) for pair in similarity.alike(rows, problem_set)}
        for pair, kind in expected.items():
            copies[kind] += 1
            missed[kind] += pair not in reported
        independent += len(rows) * (len(rows) - 1) // 2 - len(expected)
        wrongly += len(reported - set(expected))
    print(f"\n{size} authors: of {independent:,} independent pairs {wrongly} are shown ({wrongly / independent:.3%})")
    for kind in copies:
        print(f"  copied {kind}: missed {missed[kind]} of {copies[kind]}")
    assert wrongly / independent < 0.0005
    assert all(missed[kind] <= 0.1 * copies[kind] for kind in copies)


def test_whatever_was_written_can_be_compared():
    assert similarity.tokens("def f(x: int) -> int:\n    total: int = x\n    return total")
    assert similarity.tokens("this is no (program") == ("this", "is", "no", "program")
    assert similarity.tokens("") == ()


def test_one_short_answer_alone_is_never_reported_and_what_the_course_wrote_does_not_count():
    problem_set, listed = bank()["ps7_latent_space_and_bounds"]
    generator = random.Random(0)
    rows = [row(problem_set, f"s{i}", author(problem_set, listed, generator)) for i in range(40)]
    assert similarity.alike(rows, problem_set) == []
    for line in rows[:2]:  # two that solve one question of three lines in the same way that nobody else does
        line["questions"]["attribute"]["answer"] = (
            "def attribute_vector(z, has):\n    kinds = [z[np.flatnonzero(k)] for k in (has, np.logical_not(has))]\n"
            "    return np.subtract(*[np.add.reduce(k) / len(k) for k in kinds])"
        )
    assert similarity.alike(rows, problem_set) == []
    for line in rows[:5]:
        for question in problem_set.questions:
            line["questions"][question.name]["answer"] = problem_set.cells[question.answer].source
    assert similarity.alike(rows, problem_set) == []
