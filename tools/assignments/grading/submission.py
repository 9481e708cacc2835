"""From a file that came back to the notebook that is run.

Nothing of the file is trusted but what stands in the answer cells. The notebook that is run is the instructor's, with
the student's answers put in: whatever happened to the tests, the points, the order of the cells, their metadata or the
kernel's name on the way through Colab, a learning management system or the student's hands makes no difference.
"""

import copy
import difflib
import json
import re
from dataclasses import dataclass, field
from itertools import takewhile

import nbformat

from grading.problem_set import grade_id, is_answer, is_marked_by_hand, is_test, names_defined, role

LARGEST_FILE = 20 * 2**20
SKIP = "skip-execution"  # nbclient's own name for the tag
STATED = re.compile(r"^[^\w\n]{0,9}Your id\b[^:\n]*:(.*)$", re.M | re.I)  # no two parts of it can match the same text


class UnreadableError(ValueError):
    """The file is not a notebook that could be graded; the message says why."""


@dataclass
class Submission:
    """A student's answers in the instructor's notebook.

    Cells of the student's own stay behind the cell that they followed. Those behind an answer that is marked by hand
    belong to it: they are shown with the outputs that the student saved, not run, and `continued` names that answer.
    `flags` tell the instructor what to look at.
    """

    notebook: nbformat.NotebookNode
    answers: dict
    outputs: dict
    flags: list = field(default_factory=list)
    continued: set = field(default_factory=set)


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
        if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
            raise UnreadableError("not a notebook: it has no list of cells")
        return nbformat.from_dict({"cells": [cell for cell in map(_cell, found["cells"]) if cell]})
    except UnreadableError:
        raise
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UnreadableError("not a notebook: it holds no JSON text") from error


def _cell(found):
    """A cell reduced to what is used of it, None where it is none."""
    if not isinstance(found, dict) or found.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source, metadata = found.get("source", ""), found.get("metadata")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    source = (source if isinstance(source, str) else "").encode("utf-8", "replace").decode()  # half an emoji
    cell = {"cell_type": found["cell_type"], "source": source}
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


def stated_id(notebook):
    """Whose notebook this is, by the cell that asks for an id. `""` if nobody filled it in."""
    found = [match[1][:100] for cell in notebook.cells for match in STATED.finditer(cell.source)]
    return next(filter(None, (re.sub(r"^[^\w#]+|\W+$", "", said) for said in found)), "")


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
            # With the stub's checksum, nbgrader takes an untouched cell for "no answer".
            untouched = role(problem_set.stubs[name]).get("checksum", "")
            cell.metadata["nbgrader"]["checksum"] = "" if name in extras else untouched
            result.continued |= {name} & set(extras)
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
    """The student's own cells, by the named cell that they come after."""
    named = {place: name for name, place in places.items()}
    printed = {cell.source.strip() for cell in problem_set.release.cells}
    known = [cell.source.strip() for cell in problem_set.release.cells if cell.cell_type == "code"]
    extras, last = {}, None
    for i, cell in enumerate(cells):
        source = cell.source.strip()
        if i in named:
            last = named[i]
            added = _imports(cell.source) - _imports(problem_set.stubs[last].source)
            if added and not is_answer(problem_set.stubs[last]) and not is_test(problem_set.stubs[last]):
                extras.setdefault(last, []).append(_extra("code", "\n".join(sorted(added))))
        elif source and source not in printed and grade_id(cell) not in problem_set.stubs and not is_test(cell):
            by_hand = last is not None and is_marked_by_hand(problem_set.stubs[last])
            if cell.cell_type == "markdown" and by_hand:
                extras.setdefault(last, []).append(_extra("markdown", cell.source))
            elif cell.cell_type == "code" and not difflib.get_close_matches(source, known, n=1, cutoff=0.9):
                outputs = cell.get("outputs", []) if by_hand else None
                extras.setdefault(last, []).append(_extra("code", cell.source, outputs))
    return extras


def _extra(cell_type, source, outputs=None):
    """A cell of the student's own; with outputs, one that is shown and not run."""
    new = nbformat.v4.new_markdown_cell if cell_type == "markdown" else nbformat.v4.new_code_cell
    cell = new(source, metadata={"extra": True} | ({} if outputs is None else {"tags": [SKIP]}))
    if outputs is not None:
        cell.outputs = outputs
    return cell


def _imports(source):
    """The lines of a cell that import something."""
    return set(re.findall(r"^(?:import|from) .+$", source, re.M))


def _tampering(cells, places, problem_set):
    """What an honest submission does not hold, for the instructor to look at."""
    flags = []
    for name, place in places.items():
        stub = problem_set.stubs[name]
        if is_test(stub) and cells[place].source.strip() != stub.source.strip():
            flags.append(f"{name}: the tests were changed (the original ones were run)")
        elif not is_answer(stub) and _without_imports(cells[place].source) != _without_imports(stub.source):
            flags.append(f"{name}: a cell that was given was changed (the original one was run)")
        theirs, ours = role(cells[place]).get("points"), role(stub).get("points")
        if theirs is not None and theirs != ours:
            said = str(theirs)[:20].encode("utf-8", "replace").decode()
            flags.append(f"{name}: the points were changed to {said} (the original ones count)")
    return list(dict.fromkeys(flags))


def _without_imports(source):
    return re.sub(r"^(?:import|from) .+$", "", source, flags=re.M).split()
