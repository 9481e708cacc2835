"""Search places that students can see for what only instructors may: `python tools/assignments/leaks.py PLACE ...`.

Places are files and folders: the release, the built book with its `_sources` and search index, an sdist, feedback.
Looked for are the lines of solutions, model answers, rubrics and hidden tests that no student version holds.
"""

import argparse
import html
import json
import sys
import tarfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from grading.problem_set import ASSIGNMENTS, problem_sets
from grading.sandbox import ROOT
from versions import public_lines, secrets


def files(place):
    """`(name, text)` of everything below a place, also inside archives."""
    for path in [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file()):
        if tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                for member in filter(tarfile.TarInfo.isfile, archive):
                    yield f"{path}:{member.name}", archive.extractfile(member).read()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path}:{name}", archive.read(name)
        else:
            yield str(path), path.read_bytes()


def forms(string):
    """How a string may stand in a file: as it is, in JSON, in HTML."""
    return {string, json.dumps(string)[1:-1], html.escape(string), html.escape(string, quote=False)}


def search(places, strings):
    """Yield `(file, string)` for each string that a file below the places holds. Highlighting is looked through."""
    from bs4 import BeautifulSoup

    wanted = {string: [form.encode() for form in forms(string)] for string in strings}
    for place in places:
        for name, data in files(Path(place)):
            seen = data
            if name.endswith((".html", ".htm")) and data.strip():
                seen += b"\0" + BeautifulSoup(data, "html.parser").get_text().encode()
            for string, ways in wanted.items():
                if any(way in seen for way in ways):
                    yield name, string


def guarded(course=ASSIGNMENTS):
    """The lines of a course that must not be found: not those that questions, chapters or the library show as well."""
    sources = [problem_set.source for problem_set in problem_sets(course).values()]
    shown = ["\n".join(set().union(*map(public_lines, sources)))]
    for pattern in ("notebooks/*.ipynb", "book/*.md", "aelib/**/*.py", "tests/*.py"):
        for path in ROOT.glob(pattern):
            text = path.read_text("utf-8")
            cells = json.loads(text)["cells"] if path.suffix == ".ipynb" else [{"source": text}]
            shown += ["".join(cell["source"]) for cell in cells]
    return {line for line in set().union(*map(secrets, sources)) if not any(line in text for text in shown)}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+", type=Path)
    parser.add_argument("--course", type=Path, default=ASSIGNMENTS)
    parser.add_argument("--string", action="append", default=[], help="look for this as well")
    chosen = parser.parse_args(arguments)
    strings = guarded(chosen.course) | set(chosen.string)
    leaks = 0
    for place in chosen.places:
        if not place.exists():
            sys.exit(f"{place}: expected a file or a folder")
        found = list(search([place], strings))
        leaks += len(found)
        print(f"{place}: {sum(1 for _ in files(place))} files, {len(strings)} strings looked for, {len(found)} found")
        for name, string in found[:20]:
            print(f"  {name}: {string}")
    sys.exit(leaks > 0)


if __name__ == "__main__":
    main()
