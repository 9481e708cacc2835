"""`make book` on a small book: what stops it, and what stands on its pages."""

import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow

CLAIM = 'import aelib\naelib.claim("C01", "holds when it is tried", "a share of 97 %", True)'
BOX = "```{admonition} Place your bet\n:class: tip\nWhich?\n\n1. This.\n2. That.\n```"
TERMS = "`latent space`, [latent space](https://example.org), *non-latent spaces, latent spaces*; latent space."
LIST = "**In Korean.** code 코드 · latent space 잠재 공간"
TEXT = f"Text, and $\\lVert\\hat{{x}}_i\\rVert$.\n\n{BOX}\n\n{TERMS}\n\n{LIST}"
GOOD = (CLAIM, "aelib.bet(1 > 2, 2 > 1)", "def load_images():\n    return 7", "print(load_images())")
ROWS = [
    {"id": "C01", "claim": "It works.", "notes": ["N1", "N3"], "ours": "when it is tried", "chapters": ["one"]},
    {"id": "C02", "claim": "So does this.", "notes": ["N0"], "chapters": ["two"]},
]


def write_notebook(path, *cells, text=TEXT):
    code = ["# colab", *cells]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"# {path.stem}\n\n{text}"), *map(nbformat.v4.new_code_cell, code)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path.write_text(nbformat.writes(notebook), "utf-8")


def new_book(root, *cells, **options):
    """A book of one page and one notebook, with this project's own settings and tools, and a cache of its own."""
    for name in ("tools", "aelib", "book"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_config.yml", "requirements.lock"):
        shutil.copy(ROOT / name, root / name)
    for page in (root / "book").glob("*.md"):
        page.unlink()
    (root / "book" / "claims.yml").write_text(yaml.safe_dump(ROWS), "utf-8")
    places = ("{claims}\n:tally:", "{claims}", "{bets}", "{terms}", "{bibliography}")
    index = "\n\n".join(["# Claims", "{cite}`baldi1989`", *(f"```{place}\n```" for place in places), ""])
    (root / "book" / "index.md").write_text(index, "utf-8")
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/one\n", "utf-8")
    (root / "notebooks").mkdir()
    write_notebook(root / "notebooks" / "one.ipynb", *cells, **options)
    return root


def command():
    return [sys.executable, "tools/book/build.py"]


def environment(cache):
    return os.environ | {"AELIB_DATA": "embedded", "AELIB_CACHE": str(cache)}


def build(root, cache):
    done = subprocess.run(command(), cwd=root, env=environment(cache), capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def page(root, name="notebooks/one"):
    return (root / "_build" / "html" / f"{name}.html").read_text("utf-8")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def book(tmp_path_factory, cache):
    """A good book, built, where builds on other data left their verdicts: one with this aelib, one with an older."""
    root = new_book(tmp_path_factory.mktemp("books") / "book", *GOOD)
    (root / "_build" / "claims").mkdir(parents=True)
    for data, aelib in (("MNIST", version("aelib")), ("old data", "0.0.1")):
        verdicts = {"notebooks/one": {"C01": {"verdict": "does not hold", "measured": "3 %"}}}
        content = {"aelib": aelib, "date": "2026-01-01", "claims": verdicts}
        (root / "_build" / "claims" / f"{data}.json").write_text(json.dumps(content), "utf-8")
    status, output = build(root, cache)
    assert status == 0, output
    last = output.strip().splitlines()[-1]
    assert re.fullmatch(r"Open _build/html/index.html: built in \d+ s on drawn digits \(embedded\)\.", last)
    assert "notebooks/one.ipynb: done in" in output and "0000 00:" not in output
    return root


def test_a_page_says_on_which_data_when_and_how_long_it_ran(book):
    html = page(book)
    assert "This page was built without MNIST" in html
    assert re.search(r"Run on drawn digits · 20\d\d-\d\d-\d\d, in \d+ seconds · Python 3\.\d+\.\d+, TensorFlow 2", html)
    assert "Traceback" not in html and "0000 00:" not in html  # nor TensorFlow's log


def test_the_colab_button_points_at_the_notebook_in_the_configured_repository(book):
    address = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]["url"]
    account_and_name = "/".join(address.split("/")[-2:])
    assert f"https://colab.research.google.com/github/{account_and_name}/blob/main/notebooks/one.ipynb" in page(book)


def test_the_page_is_searchable_and_loads_little_and_nothing_from_other_servers(book):
    html = book / "_build" / "html"
    assert "notebooks/one" in (html / "searchindex.js").read_text("utf-8")
    scripts = re.findall(r"<(?:script|link)[^>]+(?:src|href)=\"(https?://[^\"]+)\"", page(book))
    assert not scripts
    assert "fontawesome.js" not in page(book) and "sphinx-thebe" not in page(book)
    assert not list(html.rglob("*.map")) and not list(html.rglob("mathjax*"))
    fonts = list((html / "_static" / "vendor").rglob("*.ttf"))
    assert fonts and sum(font.stat().st_size for font in fonts) < 30_000


def test_formulas_are_set_at_the_build_with_the_letters_that_they_need(book):
    assert '<math alttext="\\lVert\\hat{x}_i\\rVert"' in page(book) and "<msub><mover" in page(book)
    assert page(book).count('<mo stretchy="false">&#x02016;</mo>') == 2
    assert 5_000 < (book / "_build" / "html" / "_static" / "math.woff").stat().st_size < 100_000


def test_a_bet_has_a_result_and_stands_in_the_table(book):
    assert 'id="bet-one"' in page(book) and 'class="bet-outcome" data-answer="2"' in page(book)
    text = re.sub(r"<[^>]+>", "", page(book, "book/index"))
    assert re.search(r"one\s*–\s*Answer 2: That\.", text)


def test_the_glossary_is_made_of_the_chapters_last_lines(book):
    text = re.sub(r"<[^>]+>", "", page(book, "book/index"))
    assert re.search(r"latent space\s*잠재 공간\s*one", text)


def test_the_first_use_of_a_term_in_running_text_leads_to_the_glossary(book):
    assert 'id="term-latent-space"' in page(book, "book/index")
    links = re.findall(r'<a class="[^"]*\bterm\b[^"]*" href="([^"]+)" title="([^"]+)">([^<]+)<', page(book))
    assert links == [("../book/index.html#term-latent-space", "잠재 공간", "latent spaces")]
    assert re.search(r"<em>non-latent spaces, <a [^>]*>latent spaces</a></em>", page(book))


def test_the_edition_stands_at_the_foot_and_the_site_is_one_file_as_well(book):
    assert re.search(rf"Version {version('aelib')} · built on 20\d\d-\d\d-\d\d · data: drawn digits", page(book))
    with zipfile.ZipFile(book / "_build" / "html" / "autoencoders-tested.zip") as archive:
        assert "html/notebooks/one.html" in archive.namelist()


def test_the_page_of_claims_is_filled_from_the_notebooks_and_marks_other_verdicts_on_other_data(book):
    text = re.sub(r"<[^>]+>", "", page(book, "book/index"))
    found = r"C01 It works\. \(N1, N3\) Ours: when it is tried\s*holds when it is tried"
    found += r"\s*\(on MNIST: does not hold\)\s*a share of 97 %\. one"
    assert re.search(found, text)
    assert (
        re.search(r"C02 So does this\. \(N0\)\s*not tested yet", text)
        and text.count("Of 2 claims 1 have been tested") == 2
    )
    assert 'href="../notebooks/one.html#c01"' in page(book, "book/index")
    assert 'id="c01"' in page(book)


def test_verdicts_of_another_version_of_the_library_are_ignored(book):
    assert "on MNIST" in page(book, "book/index") and "old data" not in page(book, "book/index")
    kept = json.loads((book / "_build" / "claims" / "drawn digits.json").read_text("utf-8"))
    assert kept["aelib"] == version("aelib") and datetime.date.fromisoformat(kept["date"])
    assert kept["claims"]["notebooks/one"]["C01"]["measured"] == "a share of 97 %"


def test_a_second_clone_runs_nothing_shows_its_own_text_and_the_day_on_which_the_notebook_ran(book, cache, tmp_path):
    (kept,) = (cache / "executed").glob("*.ipynb")
    ran = re.sub(r'"date": "\d+-\d\d-\d\d', '"date": "2024-02-29', kept.read_text("utf-8"))
    kept.write_text(ran, "utf-8")
    clone = new_book(tmp_path / "clone", *GOOD, text=f"Other words.\n\n{BOX}")
    status, output = build(clone, cache)
    assert status == 0 and "notebooks/one.ipynb: kept from an earlier run" in output, output
    assert "Run on drawn digits · 2024-02-29, in" in page(clone) and "Other words." in page(clone)
    assert "a share of 97 %" in page(clone)


def test_a_failing_cell_fails_the_build_on_the_first_run_and_on_the_second_and_is_named(cache, tmp_path):
    root = new_book(tmp_path / "book", "x = 2", "assert x == 3, 'x is not three'")
    for _ in range(2):
        status, output = build(root, cache)
        assert status != 0, output
        assert "FAILED notebooks/one.ipynb, cell 4: AssertionError: x is not three" in output
        assert "make book" in output.splitlines()[-1]


def test_a_warning_on_a_page_or_a_chapter_without_its_claim_fails_the_build_every_time(cache, tmp_path):
    root = new_book(tmp_path / "book", "import warnings; warnings.warn('old function')")
    for _ in range(2):
        status, output = build(root, cache)
        assert status != 0 and re.search(r"one\.ipynb.*WARNING.*stderr", output), output
        assert "notebooks/one records no C01" in output
        assert "make book" in output.splitlines()[-1]


def test_a_bet_without_a_result_and_a_formula_that_cannot_be_set_fail_the_build(cache, tmp_path):
    text = f"{BOX}\n\n$\\nonsense + x$"
    root = new_book(tmp_path / "book", CLAIM, text=text)
    status, output = build(root, cache)
    assert status != 0, output
    assert (
        "notebooks/one: expected one box 'Place your bet'" in output and "2 answers, won (of so many): none" in output
    )
    assert "formula " in output and "nonsense" in output


def test_a_bet_with_more_outcomes_than_answers_and_a_malformed_question_fail_the_build(cache, tmp_path):
    check = "```{admonition} Check yourself\n:class: check\n1. Which?\n\n   - This. *Why.*\n   - That.\n```"
    root = new_book(tmp_path / "book", CLAIM, "aelib.bet(1 > 2, 2 > 1, 3 < 1)", text=f"{BOX}\n\n{check}")
    status, output = build(root, cache)
    assert status != 0 and "2 answers, won (of so many): [(2, 3)]" in output, output
    assert "got 2 answers, 0 ticks, 1 without a reason" in output


def test_an_interrupted_build_says_what_to_do(cache, tmp_path):
    root = new_book(tmp_path / "book", "import time; time.sleep(60)")
    process = subprocess.Popen(
        command(), cwd=root, env=environment(cache), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "notebooks/one.ipynb: running\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors == "\nInterrupted. Finished chapters are kept; run `make book` to go on.\n"
