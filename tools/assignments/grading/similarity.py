"""Answers of different students that are alike, after names, comments and layout were made equal.

An answer becomes a sequence of tokens, in which every name that it defines itself is the same word. Two answers are
alike if they are the same sequence, or share runs of `RUN` tokens (Schleimer, Wilkerson and Aiken, 2003, "Winnowing").
What the course wrote, in the stub or in the model answer, does not count. What is rare counts most: if a share p of the
class has it, that two students have it is worth log2(1/p) bits, and what tests judge is worth no more than if nobody
else had it. The sum over all answers of two students is the evidence; a pair is shown if it has as much as `THRESHOLD`
answers that nobody else has. It says what is alike, not why. `tests/assignments/test_similarity.py` prints how many
copies are missed, and how many pairs are shown that had nothing to do with each other.
"""

import ast
import io
import math
import re
import tokenize
from collections import defaultdict
from itertools import combinations

from grading.problem_set import SOLUTION

RUN = 6  # tokens
# In answers that nobody else has, each worth log2(n) bits. Chosen on generated classes, and tried on others.
THRESHOLD = 2.8
COMMON = 0.1  # a run that a larger share of the class has is what one writes
SMALLEST = 30  # students: in a smaller class rare and common cannot be told by counting


def alike(rows, problem_set):
    """Pairs of submissions that are alike, the most alike first: `bits`, `rows`, and `answers` with both texts.

    Args:
        rows: of the grading, of this problem set.
    """
    names = dict.fromkeys(question.answer for question in problem_set.questions)
    n, bits = max(len(rows), SMALLEST), defaultdict(lambda: defaultdict(float))
    for name in names:
        ours = problem_set.cells[name].source
        ours = [tokens(text) for text in (ours, SOLUTION.sub("", ours), problem_set.stubs[name].source)]
        known = set().union(*map(runs, ours))
        whole, parts = defaultdict(list), defaultdict(list)
        for number, row in enumerate(rows):
            mine = tokens(written(row, name, problem_set))
            if mine and mine not in ours:
                whole[mine].append(number)
            for run in runs(mine) - known:
                parts[run].append(number)
        by_parts = defaultdict(float)
        for those in parts.values():
            if len(those) <= max(2, COMMON * n):
                for pair in combinations(those, 2):
                    by_parts[pair] += math.log2(n / len(those)) / RUN
        most = math.log2(n / 2) if name in problem_set.judges else math.inf
        for pair, evidence in by_parts.items():
            bits[pair][name] = min(evidence, most)
        for those in whole.values():
            for pair in combinations(those, 2):
                bits[pair][name] = max(bits[pair][name], math.log2(n / len(those)))
    found = []
    for (a, b), by_answer in bits.items():
        if sum(by_answer.values()) >= THRESHOLD * math.log2(n) and rows[a]["who"] != rows[b]["who"]:
            texts = [
                {"name": name, "bits": by_answer[name], "texts": [written(rows[i], name, problem_set) for i in (a, b)]}
                for name in sorted(by_answer, key=by_answer.get, reverse=True)
                if by_answer[name] >= 1
            ]
            found.append({
                "bits": sum(by_answer.values()), "rows": (rows[a], rows[b]), "answers": texts,
                "set": problem_set.name,
            })  # fmt: skip
    return sorted(found, key=lambda pair: -pair["bits"])


def written(row, name, problem_set):
    """What a student wrote as this answer."""
    found = next(q.name for q in problem_set.questions if q.answer == name)
    return row["questions"][found]["answer"]


def tokens(source):
    """The tokens of an answer, code or words."""
    found = code_tokens(source)
    return tuple(re.findall(r"\w+", source.casefold()) if found is None else found)


def runs(found):
    """The runs of so many tokens."""
    return {found[i : i + RUN] for i in range(len(found) - RUN + 1)}


def code_tokens(source):
    """Tokens of a program in which its own names are all the same. None for what is no program."""
    try:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
            if isinstance(node, ast.FunctionDef):
                node.returns = None
            if isinstance(node, ast.arg):
                node.annotation = None
            if isinstance(node, ast.AnnAssign):
                node.annotation = ast.Constant(None)
        own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        own |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        text = ast.unparse(tree)
        found = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except Exception:  # a stranger's text: whatever is wrong with it, it is no program
        return None
    before, words = "", []
    for token in found:
        if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.OP, tokenize.STRING):
            mine = token.type == tokenize.NAME and token.string in own and before != "."
            words.append("name" if mine else token.string)
            before = token.string
    return words
