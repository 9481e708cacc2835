"""From a file that came back to the notebook that is run.

Nothing of the file is trusted but what stands in the answer cells. The notebook that is run is the instructor's, with
the student's answers put in: whatever happened to the tests, the points, the order of the cells, their metadata or the
kernel's name on the way through Colab, a learning management system or the student's hands makes no difference.
"""

import ast
import copy
import difflib
import json
import re
from dataclasses import dataclass, field
from itertools import takewhile

import nbformat

from grading.problem_set import grade_id, is_answer, is_test, names_defined, role

LARGEST_FILE = 20 * 2**20
SUSPICIOUS = re.compile(
    r"get_ipython|\b_ih\b|\bIn\[|_getframe|\binspect\.|\bgc\.|\bctypes\b|__builtins__|\bbuiltins\b|settrace|setprofile"
    r"|\bos\._exit|sys\.modules|__globals__|f_back|__del__|GRADING_SEED|NBGRADER|connection_file"
)


class UnreadableError(ValueError):
    """The file is not a notebook that could be graded; the message says why."""


@dataclass
class Submission:
    """A student's answers in the instructor's notebook.

    `extras` are cells of the student's own, kept behind the cell they followed. `flags` tell the instructor what to
    look at.
    """

    notebook: nbformat.NotebookNode
    answers: dict
    outputs: dict
    flags: list = field(default_factory=list)


def read(path):
    """The notebook in a file. Raises `UnreadableError` where there is none."""
    if path.stat().st_size > LARGEST_FILE:
        size = path.stat().st_size / 2**20
        raise UnreadableError(f"the file has {size:.0f} MB, more than {LARGEST_FILE / 2**20:.0f}")
    data = path.read_bytes()
    if not data.strip():
        raise UnreadableError("the file is empty")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UnreadableError("not a notebook: it holds no JSON text") from error
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise UnreadableError("not a notebook: it has no list of cells")
    return nbformat.from_dict({"cells": [cell for cell in map(_cell, found["cells"]) if cell]})


def _cell(found):
    """A cell reduced to what is used of it, None where it is none."""
    if not isinstance(found, dict) or found.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source, metadata = found.get("source", ""), found.get("metadata")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    cell = {"cell_type": found["cell_type"], "source": source if isinstance(source, str) else ""}
    cell["metadata"] = {"nbgrader": role({"metadata": metadata if isinstance(metadata, dict) else {}})}
    if found["cell_type"] == "code":
        outputs = found.get("outputs")
        cell["outputs"] = outputs if isinstance(outputs, list) else []
    return cell


def recognise(notebook, sets):
    """Which problem set a notebook answers: the one that most of its cells belong to. None where there is none."""
    texts = {cell.source.strip() for cell in notebook.cells}
    names = {grade_id(cell) for cell in notebook.cells} - {None}
    scores = {}
    for name, problem_set in sets.items():
        known = {cell.source.strip() for cell in problem_set.release.cells if len(cell.source) > 60}
        scores[name] = len(known & texts) + len(names & set(problem_set.stubs))
    best = max(scores, key=scores.get, default=None)
    return best if best and scores[best] >= 2 else None


def rebuild(submitted, problem_set):
    """The instructor's notebook with the answers of a submitted one."""
    cells = list(submitted.cells)
    places, flags = _match(cells, problem_set)
    flags += _tampering(cells, places, problem_set)
    result = Submission(nbformat.v4.new_notebook(), {}, {}, flags)
    extras = _extras(cells, places, problem_set)
    for original in problem_set.source.cells:
        name = grade_id(original)
        cell = copy.deepcopy(original)
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if is_answer(original):
            found = cells[places[name]] if name in places else problem_set.stubs[name]
            cell.source = result.answers[name] = found.source
            result.outputs[name] = found.get("outputs", [])
            cell.metadata["nbgrader"]["checksum"] = role(problem_set.stubs[name]).get("checksum", "")
        result.notebook.cells.append(cell)
        result.notebook.cells += extras.get(name, [])
    result.notebook.cells[:0] = extras.get(None, [])
    return result


def _match(cells, problem_set):
    """Where each named cell of the problem set is in the submission, and what is odd about that."""
    places, flags = {}, []
    for i, cell in enumerate(cells):
        name = grade_id(cell)
        if name not in problem_set.stubs or cell.cell_type != problem_set.stubs[name].cell_type:
            continue
        if name in places and is_answer(problem_set.stubs[name]):
            flags.append(f"{name}: answered in two cells, the later one that is not empty was graded")
            if cell.source.strip() in ("", problem_set.stubs[name].source.strip()):
                continue
        places[name] = i
    for name, stub in sorted(problem_set.stubs.items(), key=lambda item: is_answer(item[1])):  # landmarks first
        if name not in places:
            place = _find(stub, name, cells, set(places.values()), problem_set, flags)
            if place is not None:
                places[name] = place
            elif is_answer(stub):
                flags.append(f"{name}: no answer was found")
    return places, flags


def _find(stub, name, cells, taken, problem_set, flags):
    """The cell that must be meant although it lost its name: same text, same definitions, or same place."""
    free = [i for i, cell in enumerate(cells) if i not in taken and cell.cell_type == stub.cell_type]
    same = [i for i in free if cells[i].source.strip() == stub.source.strip()]
    if same:
        return same[-1]
    if not is_answer(stub):
        return None
    if stub.cell_type == "code":
        wanted = names_defined(stub.source)
        alike = [i for i in free if wanted and wanted <= names_defined(cells[i].source)]
        if alike:
            return alike[-1]
    order = problem_set.release.cells
    place = next(i for i, cell in enumerate(order) if grade_id(cell) == name)
    question = order[place - 1].source.strip()
    asked = next((i for i, cell in enumerate(cells) if cell.source.strip() == question), len(cells))
    printed = {cell.source.strip() for cell in order if not grade_id(cell)}
    section = takewhile(
        lambda i: i not in taken and cells[i].source.strip() not in printed, range(asked + 1, len(cells))
    )
    below = [i for i in section if i in free]
    if len(below) > 1:
        flags.append(f"{name}: its cell lost its name; of several below the question the first was taken")
    return below[0] if below else None


def _extras(cells, places, problem_set):
    """The student's own code cells, by the named cell that they come after."""
    named = {place: name for name, place in places.items()}
    known = [cell.source.strip() for cell in problem_set.release.cells if cell.cell_type == "code"]
    extras, last = {}, None
    for i, cell in enumerate(cells):
        if i in named:
            last = named[i]
        elif cell.cell_type == "code" and cell.source.strip() and not is_test(cell):
            close = difflib.get_close_matches(cell.source.strip(), known, n=1, cutoff=0.9)
            if not close and grade_id(cell) not in problem_set.stubs:
                extra = nbformat.v4.new_code_cell(cell.source, metadata={"extra": True})
                extras.setdefault(last, []).append(extra)
    return extras


def _tampering(cells, places, problem_set):
    """What an honest submission does not hold, for the instructor to look at."""
    flags = []
    for name, place in places.items():
        stub = problem_set.stubs[name]
        if is_test(stub) and cells[place].source.strip() != stub.source.strip():
            flags.append(f"{name}: the tests were changed (the original ones were run)")
        theirs, ours = role(cells[place]).get("points"), role(stub).get("points")
        if theirs is not None and theirs != ours:
            flags.append(f"{name}: the points were changed to {str(theirs)[:20]} (the original ones count)")
    given = {place for name, place in places.items() if not is_answer(problem_set.stubs[name])}
    for i, cell in enumerate(cells):
        if cell.cell_type != "code" or i in given or is_test(cell):
            continue
        where, words = (
            grade_id(cell) or "a cell of their own",
            {found.group() for found in SUSPICIOUS.finditer(cell.source)},
        )
        flags += [f"{where}: uses {word}, which can see or change the tests" for word in sorted(words)]
        flags += [f"{where}: changes {changed}" for changed in sorted(_patched(cell.source))]
    return list(dict.fromkeys(flags))


def _patched(source):
    """Functions of other people's modules that a cell replaces: `np.allclose = ...`."""
    try:
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.M))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    modules = {"np", "numpy", "keras", "aelib", "scipy", "sklearn", "tf", "tensorflow", "sys", "os"}
    targets = [t for node in ast.walk(tree) if isinstance(node, ast.Assign) for t in node.targets]
    names = {ast.unparse(target) for target in targets if isinstance(target, ast.Attribute)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    names |= {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "setattr"}
    own = {name for name in names if name.split(".")[0] in modules}
    return {name for name in own if not name.startswith("keras.config") and name != "sys.stdout"}
