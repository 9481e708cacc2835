"""A class of students for the tests of grading: good and bad ones, and the ways in which a submission breaks."""

import copy
import json
import random
import sys
import textwrap
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "assignments"))  # for programs; the tests' conftest does it for tests
from answers import answers, notebook  # noqa: E402
from grading.problem_set import ASSIGNMENTS, grade_id, is_answer, is_test, names_defined, problem_sets  # noqa: E402

PROGRAMS = {
    "hangs": "while True:\n    pass",
    "hangs_for_good": (
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
    ),
    "crashes": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "exits": "import os\nos._exit(0)",
    "eats_memory": "hoard = []\nwhile True:\n    hoard.append(bytearray(50_000_000))",
    "bombs": "import os\nwhile True:\n    os.fork()",
    "fills_the_disk": (
        "for i in range(100):\n    for place in ('/tmp/scratch', '/dev/shm', '/dev', ''):\n        try:\n"
        "            with open(f'{place}/fill{i}', 'wb') as file:\n                file.write(b'0' * 10**7)\n"
        "        except OSError:\n            pass\nraise SystemExit"
    ),
    "prints_for_ever": "while True:\n    print('x' * 100_000)",
    "deletes": (
        "import os, shutil\nfor place in (os.path.expanduser('~'), 'VICTIM', '/tmp', '/home', '/'):\n"
        "    shutil.rmtree(place, ignore_errors=True)"
    ),
    "phones_home": "import urllib.request\nurllib.request.urlopen('ADDRESS', timeout=2)",
    "peeks": "spoils = open('VICTIM/secret.txt').read()\nprint(spoils)",
}
NOT_NOTEBOOKS = {
    "essay.pdf": b"%PDF-1.7 this is no notebook",
    "empty.ipynb": b"",
    "truncated.ipynb": b'{"cells": [{"cell_type": "code", "source": ["x = 1"',
    "list.ipynb": b"[1, 2, 3]",
    "binary.ipynb": bytes(range(256)),
    "deep.ipynb": b"[" * 100_000,
    "foreign.ipynb": json.dumps({"cells": [{"cell_type": "markdown", "source": "My holidays"}]}).encode(),
    "odd.ipynb": json.dumps({"cells": [3, None, {"cell_type": "code"}, {"cell_type": "code", "source": {}}]}).encode(),
}


def bank():
    """`(problem set, its answers)` by name."""
    sets = problem_sets()
    return {name: (found, answers(found, ASSIGNMENTS / "answers" / f"{name}.py")) for name, found in sets.items()}


def student(problem_set, listed, generator, right=0.7):
    """A notebook with right, wrong and missing answers, and the points that it must get by tests."""
    chosen, points = {}, 0.0
    worth = dict.fromkeys(listed, 0.0)
    for question in problem_set.questions:
        if not question.by_hand:
            worth[question.answer] += question.points
    for name, given in listed.items():
        good = [answer for answer in given if answer.kind in ("reference", "alternative")]
        answer = generator.choice(good if generator.random() < right else [a for a in given if a not in good])
        chosen[name] = answer.source
        points += worth[name] if answer in good else answer.points
    for question in problem_set.questions:
        if question.by_hand and generator.random() < 0.8:
            code = problem_set.cells[question.answer].cell_type == "code"
            chosen[question.answer] = "print('what I found')" if code else "Because the target is the input."
    return notebook(problem_set, chosen), points


def travelled(original, generator):
    """The same notebook after Colab, a learning management system and a student's hands: nothing that costs points."""
    found = copy.deepcopy(original)
    ways = generator.sample(["colab", "no ids", "kernel", "reordered", "outputs", "extra cells", "no metadata"], 3)
    if "no metadata" in ways:  # then only its place tells what an answer in words belongs to
        ways = [way for way in ways if way not in ("reordered", "extra cells")]
    for i, cell in enumerate(found.cells):
        if "colab" in ways:
            cell.metadata |= {"id": f"aB{i}", "colab": {"base_uri": "https://localhost/"}, "outputId": "0-1"}
        if "no ids" in ways:
            cell.pop("id", None)
        if "no metadata" in ways:
            cell.metadata = {}
        if "outputs" in ways and cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="<script>alert(1)</script>")]
            cell.execution_count = i
    if "kernel" in ways:
        found.metadata = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}, "widgets": {"x": 1}}
    if "extra cells" in ways:
        for _ in range(3):
            at = generator.randrange(1, len(found.cells))
            found.cells.insert(
                at, nbformat.v4.new_code_cell(generator.choice(["1 / 0", "print(bet)", "%time 1", "!ls"]))
            )
    if "reordered" in ways:
        head, tail = found.cells[:4], found.cells[4:]
        generator.shuffle(tail)
        found.cells = head + tail
    if "no ids" in ways:
        found.nbformat_minor = 2
    return found


def broken(kind, original, problem_set, generator, victim="/nowhere", address="http://127.0.0.1:9/"):
    """A notebook in which one answer does harm, at once or when it is called."""
    found, judged = copy.deepcopy(original), {q.answer for q in problem_set.questions if not q.by_hand}
    cell = generator.choice([cell for cell in found.cells if grade_id(cell) in judged])
    program = PROGRAMS[kind].replace("VICTIM", str(victim)).replace("ADDRESS", address)
    if "def " in cell.source and generator.random() < 0.5:
        name = sorted(names_defined(problem_set.stubs[grade_id(cell)].source))[0]
        program = f"def {name}(*arguments, **named):\n{textwrap.indent(program, '    ')}"
    cell.source = program
    return found


def tampered(original, problem_set):
    """Tests that always pass, worth more, and a trick that makes comparisons true."""
    found = copy.deepcopy(original)
    for cell in found.cells:
        if is_test(cell):
            cell.source = "assert True"
            cell.metadata["nbgrader"]["points"] = 1000
        elif is_answer(cell) and grade_id(cell) == "bet":
            cell.source += "\nimport numpy as np\nnp.allclose = np.isclose = lambda *a, **k: True"
    return found


def write(found, path):
    """Write a notebook without asking whether it is a valid one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), "utf-8")


def make_class(folder, n, seed=0, share_broken=0.1, **words):
    """Write `n` submissions. Returns what must become of each: file to `(problem set, points or None, kind)`."""
    generator, everything, expected = random.Random(seed), bank(), {}
    n_broken = round(n * share_broken)
    kinds = [*PROGRAMS, "tampered", *NOT_NOTEBOOKS]
    for i in range(n):
        name = generator.choice(list(everything))
        problem_set, listed = everything[name]
        kind = kinds[i % len(kinds)] if i < n_broken else "ok"
        original, points = student(problem_set, listed, generator, right=0.7 if kind == "ok" else 1)
        path = Path(folder) / f"student{i:03d}_{name}.ipynb"
        if generator.random() < 0.3:
            path = Path(folder) / f"Student {i:03d} (late)" / "submission.ipynb"
        if kind in NOT_NOTEBOOKS:
            path = path.with_name(f"student{i:03d}_{kind}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(NOT_NOTEBOOKS[kind])
            name, points = "", None
        elif kind == "tampered":
            write(tampered(original, problem_set), path)
        elif kind == "ok":
            write(travelled(original, generator), path)
        else:
            write(broken(kind, original, problem_set, generator, **words), path)
        expected[str(path.relative_to(folder))] = (name, points, kind)
    return expected
