"""`make book` on a small book: a failing cell fails it every time, and what an interrupted run leaves is repaired."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


GOOD = ("def load_images():\n    return 7", "print(load_images())")


def write_notebook(path, *cells):
    code = ["# colab", *cells]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"# {path.stem}"), *map(nbformat.v4.new_code_cell, code)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path.write_text(nbformat.writes(notebook), "utf-8")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book of one page and one notebook, with this project's own settings and tools."""
    root = tmp_path_factory.mktemp("book")
    for name in ("tools", "aelib", "book"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_config.yml", "requirements.lock"):
        shutil.copy(ROOT / name, root / name)
    for page in (root / "book").glob("*.md"):
        page.unlink()
    (root / "book" / "claims.yml").write_text("[]\n", "utf-8")
    (root / "book" / "index.md").write_text("# A small book\n\n{cite}`baldi1989`\n\n```{bibliography}\n```\n", "utf-8")
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/one\n", "utf-8")
    (root / "notebooks").mkdir()
    write_notebook(root / "notebooks" / "one.ipynb")
    return root


def command():
    return [sys.executable, "tools/book.py"]


def environment():
    return os.environ | {"AELIB_DATA": "embedded", "PYTHONUNBUFFERED": "1"}


def build(root):
    done = subprocess.run(command(), cwd=root, env=environment(), capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def test_a_failing_cell_fails_the_build_on_the_first_run_and_on_the_second_and_is_named(book):
    write_notebook(book / "notebooks" / "one.ipynb", "x = 2", "assert x == 3, 'x is not three'")
    for _ in range(2):
        status, output = build(book)
        assert status != 0, output
        assert "FAILED notebooks/one.ipynb, cell 4: AssertionError: x is not three" in output
        assert "make book" in output.splitlines()[-1]


def test_a_warning_that_would_stand_on_a_page_fails_the_build(book):
    write_notebook(book / "notebooks" / "one.ipynb", "import warnings; warnings.warn('old function')")
    status, output = build(book)
    assert status != 0 and "one.ipynb" in output, output


def test_a_good_book_is_built_says_where_to_look_and_on_which_data(book):
    write_notebook(book / "notebooks" / "one.ipynb", *GOOD)
    status, output = build(book)
    assert status == 0, output
    last = output.strip().splitlines()[-1]
    assert re.fullmatch(r"Open _build/html/index.html: built in \d+ s on drawn digits \(embedded\)\.", last)
    page = (book / "_build" / "html" / "notebooks" / "one.html").read_text("utf-8")
    assert "This page was built without MNIST" in page
    assert re.search(r"Run on drawn digits · 20\d\d-\d\d-\d\d, in \d+ seconds · Python 3\.\d+\.\d+, TensorFlow 2", page)
    assert "Traceback" not in page and "0000 00:" not in page  # nor TensorFlow's log


def ensure_built(book):
    """Whatever ran before: the notebook on disk is the good one, and its page is there."""
    page = book / "_build" / "html" / "notebooks" / "one.html"
    if GOOD[0].splitlines()[0] not in (book / "notebooks" / "one.ipynb").read_text("utf-8") or not page.exists():
        test_a_good_book_is_built_says_where_to_look_and_on_which_data(book)


def test_the_colab_button_points_at_the_notebook_in_the_configured_repository(book):
    ensure_built(book)
    page = (book / "_build" / "html" / "notebooks" / "one.html").read_text("utf-8")
    address = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]["url"]
    account_and_name = "/".join(address.split("/")[-2:])
    expected = f"https://colab.research.google.com/github/{account_and_name}/blob/main/notebooks/one.ipynb"
    assert expected in page


def test_the_page_is_searchable_and_needs_no_other_server_for_its_formulas(book):
    ensure_built(book)
    html = book / "_build" / "html"
    assert "notebooks/one" in (html / "searchindex.js").read_text("utf-8")
    assert (html / "_static" / "mathjax" / "tex-chtml.js").exists()
    page = (html / "notebooks" / "one.html").read_text("utf-8")
    scripts = re.findall(r"<(?:script|link)[^>]+(?:src|href)=\"(https?://[^\"]+)\"", page)
    assert not scripts


def test_a_second_run_takes_results_from_the_cache_and_a_change_of_the_library_does_not(book):
    ensure_built(book)
    status, output = build(book)
    assert status == 0 and "Using cached notebook" in output and "Executing notebook" not in output
    with (book / "aelib" / "plots.py").open("a") as file:
        file.write("# changed\n")
    status, output = build(book)
    assert status == 0 and "Executing notebook" in output


def test_a_damaged_cache_is_started_afresh(book):
    ensure_built(book)
    for path in (book / "_build" / ".jupyter_cache").rglob("base.ipynb"):
        path.write_text('{"cells": [', "utf-8")  # as if the disk had been full
    status, output = build(book)
    assert status == 0 and "cache is damaged" in output and "Executing notebook" in output


def test_a_build_killed_in_the_middle_does_not_break_the_next(book, tmp_path):
    flag = tmp_path / "go on"
    write_notebook(
        book / "notebooks" / "one.ipynb",
        f"import pathlib, time\nwhile not pathlib.Path({str(flag)!r}).exists():\n    time.sleep(0.1)",
    )
    process = subprocess.Popen(
        command(), cwd=book, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in process.stdout:
        if "Executing notebook" in line:
            break
    time.sleep(1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    flag.touch()
    status, output = build(book)
    assert status == 0, output


CLAIM = 'import aelib\naelib.claim("C01", "holds when {}", "a share of 97 %", True)'


def test_the_page_of_claims_is_filled_from_the_notebooks_and_marks_other_verdicts_on_other_data(book):
    rows = [
        {"id": "C01", "claim": "It works.", "chapters": ["one"]},
        {"id": "C02", "claim": "So does this.", "chapters": ["two"]},
    ]
    (book / "book" / "claims.yml").write_text(yaml.safe_dump(rows), "utf-8")
    (book / "book" / "index.md").write_text("# Claims\n\n```{claims}\n```\n\n```{bibliography}\n```\n", "utf-8")
    (book / "_build" / "claims").mkdir(parents=True, exist_ok=True)
    other = {"notebooks/one": {"C01": {"verdict": "does not hold", "measured": "3 %"}}}
    (book / "_build" / "claims" / "MNIST.json").write_text(json.dumps(other), "utf-8")
    write_notebook(book / "notebooks" / "one.ipynb", CLAIM.format("it is tried"))
    status, output = build(book)
    assert status == 0, output
    page = re.sub(r"<[^>]+>", "", (book / "_build" / "html" / "book" / "index.html").read_text("utf-8"))
    assert re.search(
        r"C01 It works\.\s*holds when it is tried\s*\(on MNIST: does not hold\)\s*a share of 97 %\. one", page
    )
    assert re.search(r"C02 So does this\.\s*not tested yet", page) and "Of 2 claims 1 have been tested" in page
    assert 'href="../notebooks/one.html#c01"' in (book / "_build" / "html" / "book" / "index.html").read_text("utf-8")
    assert 'id="c01"' in (book / "_build" / "html" / "notebooks" / "one.html").read_text("utf-8")


def test_a_chapter_that_no_longer_records_its_claim_fails_the_build(book):
    rows = [{"id": "C01", "claim": "It works.", "chapters": ["one"]}]
    (book / "book" / "claims.yml").write_text(yaml.safe_dump(rows), "utf-8")
    write_notebook(book / "notebooks" / "one.ipynb", "print('nothing to claim')")
    status, output = build(book)
    assert status != 0 and "notebooks/one records no C01" in output, output
