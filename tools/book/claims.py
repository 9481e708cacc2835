"""Sphinx extension: the page of claims, filled from what the notebooks measured at this build.

`aelib.claim(...)` leaves a box in a notebook's output. This reads the boxes of all executed notebooks, compares them
with `book/claims.yml`, which says what each claim is and which chapters test it, and puts a table where a page has

    ```{claims}
    ```

and one sentence that counts them where it says `:tally:` in the second line.

A chapter that no longer records its claim, or records one that is not its own, is a warning, which fails the build.
"""

import json
import os
import re
from datetime import date
from html import unescape
from importlib.metadata import version
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util import logging
from tables import found, link, register, table

BOX = re.compile(r'<div class="claim" id="(c\d\d)" data-verdict="(.*?)" data-measured="(.*?)"', re.S)
KINDS = ("holds when", "holds in part", "holds", "does not hold")
log = logging.getLogger(__name__)


def kind(verdict):
    """Which of the four verdicts this is, without its explanation."""
    return next(kind for kind in KINDS if verdict.startswith(kind))


def rows(app):
    return yaml.safe_load((Path(app.srcdir) / "book" / "claims.yml").read_text("utf-8"))


def collect(app, doctree):
    """Remember the boxes of one notebook."""
    boxes = {}
    for raw in doctree.findall(nodes.raw):
        for name, verdict, measured in BOX.findall(raw.astext()):
            if name.upper() in boxes:
                log.warning("%s records %s twice", app.env.docname, name.upper())
            boxes[name.upper()] = {"verdict": unescape(verdict), "measured": unescape(measured)}
    return boxes


def check(app, env):
    """Every chapter in the book records its own claims, and no others. Then keep them, for builds on other data."""
    due = {(f"notebooks/{chapter}", row["id"]) for row in rows(app) for chapter in row["chapters"]}
    recorded = {(page, name) for page, boxes in found(env, "claims").items() for name in boxes}
    for page, name in sorted(due - recorded):
        if page in env.found_docs:
            log.warning("%s records no %s, although book/claims.yml says that it tests it", page, name)
    for page, name in sorted(recorded - due):
        log.warning("%s records %s, but book/claims.yml does not say that it tests it", page, name)
    data = os.environ.get("AELIB_BOOK_DATA")
    if data:
        kept = Path(app.outdir).parent / "claims"
        kept.mkdir(exist_ok=True)
        temporary = kept / f"{data}.part"
        content = {"aelib": version("aelib"), "date": f"{date.today()}", "claims": found(env, "claims")}
        temporary.write_text(json.dumps(content, indent=1), "utf-8")
        temporary.replace(kept / f"{data}.json")


def on_other_data(app):
    """What the last build on other data recorded, if there was one here with this aelib: data to page to claim."""
    others = {}
    for file in (Path(app.outdir).parent / "claims").glob("*.json"):
        content = json.loads(file.read_text("utf-8"))
        if file.stem != os.environ.get("AELIB_BOOK_DATA") and content.get("aelib") == version("aelib"):
            others[file.stem] = content["claims"]
    return others


def fill(app, docname, flags):
    """The sentence that counts them, and, unless that is all, the table."""
    return [summary(app)] if "tally" in flags else [summary(app), claims_table(app, docname)]


def summary(app):
    pages = found(app.env, "claims").values()
    kinds = {row["id"]: [kind(boxes[row["id"]]["verdict"]) for boxes in pages if row["id"] in boxes]
             for row in rows(app)}  # fmt: skip
    tested = {name: verdicts for name, verdicts in kinds.items() if verdicts}
    clean = sum(set(verdicts) == {"holds"} for verdicts in tested.values())
    refuted = sum("does not hold" in verdicts for verdicts in tested.values())
    text = (
        f"Of {len(kinds)} claims {len(tested)} have been tested so far. {clean} of these hold as they stand, "
        f"{len(tested) - clean - refuted} hold with a condition or in part, {refuted} "
        f"{'does' if refuted == 1 else 'do'} not hold."
    )
    data = os.environ.get("AELIB_BOOK_DATA")
    others = " and ".join(on_other_data(app))
    text += f" Measured on: {data}." if data else ""
    text += f" Verdicts that came out differently on {others} are marked." if others else ""
    return nodes.paragraph("", text)


def claims_table(app, docname):
    cells = []
    for row in rows(app):
        claim, pages = said(row), sorted(found(app.env, "claims").items())
        results = [(page, boxes[row["id"]]) for page, boxes in pages if row["id"] in boxes]
        for page, result in results:
            verdict = verdict_of(app, row["id"], page, result)
            cells.append((claim, verdict, measured_of(app, docname, row["id"], page, result)))
            claim = nodes.inline("", "", nodes.strong("", row["id"]), nodes.Text(", in another chapter"))
        if not results:
            cells.append((claim, "not tested yet", ""))
    return table("claims", {"claim": 32, "verdict": 22, "measured": 46}, cells)


def said(row):
    """The claim as the notes make it, with the notes that make it, and what is ours in it."""
    whole = nodes.inline(
        "", "", nodes.strong("", row["id"]), nodes.Text(f" {row['claim']} ({', '.join(row['notes'])})")
    )
    if row.get("ours"):
        whole += nodes.emphasis("", f" Ours: {row['ours']}")
    return whole


def verdict_of(app, name, page, result):
    here = nodes.inline("", result["verdict"], classes=["verdict", kind(result["verdict"]).replace(" ", "-")])
    whole = nodes.inline("", "", here)
    for data, pages in on_other_data(app).items():
        there = pages.get(page, {}).get(name)
        if there and kind(there["verdict"]) != kind(result["verdict"]):
            whole += nodes.Text(f" (on {data}: {there['verdict']})")
    return whole


def measured_of(app, docname, name, page, result):
    where = link(app, docname, page, name.lower())
    return nodes.inline("", "", nodes.Text(f"{result['measured']}. "), where)


def setup(app):
    """Called by Sphinx."""
    register(app, "claims", collect, fill, flags=["tally"])
    app.connect("env-check-consistency", check)
    return {"version": "1", "env_version": 2, "parallel_read_safe": False}
