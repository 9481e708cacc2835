"""The built book in a browser: `make test-site`, after `make book`.

Every page: no request to another host, no error in the console, no violation of WCAG 2 A or AA that axe-core finds, in
light and dark; nothing but tables and code scrolls sideways on a phone. Then the live pages and the bets, driven as a
reader would.
"""

import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest

playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("AELIB_SITE", ROOT / "_build" / "html")).resolve()
sys.path.insert(0, str(ROOT / "tools" / "book"))
from browser import browser as find_browser  # noqa: E402

BROWSER = find_browser()
PAGES = sorted(
    page.relative_to(HTML).as_posix()
    for page in HTML.rglob("*.html")
    if "_static" not in page.parts and 'http-equiv="Refresh"' not in page.read_text("utf-8")  # the root leads elsewhere
)
CHAPTERS = [page for page in PAGES if re.fullmatch(r"notebooks/\d\d_\w+\.html", page)]
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here; name one in $AELIB_BROWSER")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser):
    """A function that opens a page of the book, from the disk, in a browser of its own."""
    contexts = []

    def opened(name, script=None, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.errors, page.hosts = [], []
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("request", lambda request: page.hosts.append(request.url))
        if script:
            page.add_init_script(script)
        file, _, query = name.partition("?")
        page.goto(f"{(HTML / file).as_uri()}?{query}")
        page.wait_for_load_state("load")
        return page

    yield opened
    for context in contexts:
        context.close()


def live(page, name):
    """The live part of a page, when it is ready."""
    page.wait_for_selector(f'.live[data-live="{name}"][data-ready="yes"]')
    return page.locator(f'.live[data-live="{name}"]').first


def page_with(name):
    """A page that has this live part."""
    return next(page for page in PAGES if f'data-live="{name}"' in (HTML / page).read_text("utf-8"))


def test_there_is_a_book():
    assert PAGES, f"there is no book in {HTML}: run `make book` first"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_no_other_host_and_has_no_errors(open_page, name):
    page = open_page(name)
    page.wait_for_timeout(200)
    assert [url for url in page.hosts if not url.startswith(("file:", "data:", "blob:"))] == []
    assert page.errors == []


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation_in_light_and_dark(open_page, name):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(name, color_scheme="light", reduced_motion="reduce")
    page.wait_for_function("[...document.querySelectorAll('.live[data-live]')].every((part) => part.dataset.ready)")
    page.evaluate("document.querySelectorAll('.check-answer').forEach((answer) => answer.click())")
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    # The theme changes colours and nothing else, so that only they are looked at again.
    rules = {"light": ("tag", [*STANDARDS, "best-practice", "experimental"]), "dark": ("rule", ["color-contrast"])}
    for scheme, (kind, values) in rules.items():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(300)
        assert page.locator("html").get_attribute("data-theme") == scheme
        found = Axe().run(page, options={"runOnly": {"type": kind, "values": values}}).response["violations"]
        assert [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"][:3]] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_the_whole_width(open_page, name):
    page = open_page(name, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", [page for page in PAGES if page.startswith("book/")] + CHAPTERS)
def test_a_page_is_light(open_page, name):
    """What it loads, without pictures and live models: 1.5 MB at most."""
    page = open_page(name)
    page.wait_for_timeout(200)
    files = {Path(unquote(urlparse(url).path)) for url in page.hosts if url.startswith("file:")}
    counted = [file for file in files if file.suffix not in (".png", ".svg") and "live" not in file.parts]
    assert len(counted) > 5 and sum(file.stat().st_size for file in counted if file.exists()) < 1.5e6


def test_the_search_shows_excerpts_from_the_disk_and_a_chapter_before_the_api(open_page):
    page = open_page("search.html?q=KL")
    page.wait_for_selector("ul.search p.context")
    page.wait_for_function("document.querySelector('.search-summary').textContent.includes('found')")
    assert page.locator("ul.search > li > a").first.get_attribute("href").startswith("notebooks/")
    assert "KL" in page.locator("ul.search p.context").first.inner_text()
    assert page.errors == []


def test_the_live_parts_weigh_little():
    """All together 1.5 MB at most, still pictures included."""
    files = [HTML / "_static" / "live.js", *(HTML / "_static" / "live").iterdir()]
    assert len(files) == 9 and sum(file.stat().st_size for file in files) < 1.5e6


def test_javascript_computes_what_keras_computes(open_page):
    """As published within 1 % of the range of the answers, with 32 bits to the fifth digit."""
    references = json.loads((HTML.parent / "live" / "reference.json").read_text("utf-8"))
    worst = {}
    for reference in references:
        page = open_page(page_with(reference["page"]))
        live(page, reference["page"])
        answers = page.evaluate(
            """({page, place, exact, inputs}) => {
                const eight = place.split("/").reduce((part, key) => part[key], aelibLive.ready[page]);
                const all = exact.map(aelibLive.unpacked);
                return [eight, all].map((network) => inputs.map((x) => Array.from(aelibLive.run(network, x))));
            }""",
            reference,
        )
        keras = np.array(reference["outputs"])
        size = max(1.0, np.ptp(keras))
        name = f"{reference['page']}/{reference['place']}"
        worst[name] = [np.abs(np.array(answer) - keras).max() / size for answer in answers]
    print({name: [f"{value:.1e}" for value in values] for name, values in worst.items()})
    assert max(exact for _, exact in worst.values()) < 1e-5
    assert max(published for published, _ in worst.values()) < 1e-2
    assert len(worst) == 11


def test_strokes_are_prepared_as_mnist_is(open_page):
    """The box of the ink is 20 pixels high or wide, its centre of mass in the middle, and its shape is kept."""
    page = open_page(page_with("draw"))
    live(page, "draw")
    image = page.evaluate(
        """() => {
            const ink = new Float32Array(280 * 280);
            for (let y = 20; y < 120; y++) for (let x = 200; x < 240; x++) ink[280 * y + x] = 1;
            ink[0] = ink[280 * 280 - 1] = 1 / 255; // noise that some browsers add
            return Array.from(aelibLive.prepared(ink, 280));
        }"""
    )
    image = np.reshape(image, (28, 28))
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert np.ptp(rows) + 1 == 20 and np.ptp(columns) + 1 == 8 and np.isclose(image.sum(), 160)
    assert abs(rows.mean() + 0.5 - 14) <= 0.5 and abs(columns.mean() + 0.5 - 14) <= 0.5
    assert page.evaluate("aelibLive.prepared(new Float32Array(280 * 280), 280)") is None


def captions(part):
    return part.locator("figcaption").all_inner_texts()


def draw_a_line(page, part):
    sheet = part.locator(".live-sheet")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + 120, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, box["y"] + 190, steps=8)
    page.mouse.up()


def test_a_drawn_digit_gets_a_code_and_is_redrawn(open_page):
    page = open_page(page_with("draw"))
    part = live(page, "draw")
    draw_a_line(page, part)
    part.get_by_text(re.compile(r"^from the code: error \d+\.\d")).wait_for()
    page.wait_for_timeout(100)  # until the last stroke has been read
    first = captions(part)
    assert re.search(r"PCA: error \d", " ".join(first))
    part.locator(".live-sliders input").first.fill("0")
    assert captions(part)[1] != first[1] and captions(part)[2] == first[2]
    part.get_by_label("32 numbers").check()
    assert part.locator(".live-sliders input").count() == 32
    part.get_by_role("button", name="Clear").click()
    assert captions(part) == ["as the network sees it", "from the code", "PCA"]
    assert page.errors == []


def test_a_digit_can_be_drawn_with_the_keyboard(open_page):
    page = open_page(page_with("draw"))
    part = live(page, "draw")
    part.locator(".live-sheet").focus()
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    part.get_by_text(re.compile(r"^from the code: error")).wait_for()


def test_the_plane_can_be_walked(open_page):
    page = open_page(page_with("explorer"))
    part = live(page, "explorer")
    sheet = part.locator(".live-sheet")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25)
    assert captions(part)[0] == "decoded from (1.8, 1.8)" or captions(part)[0] == "decoded from (1.7, 1.8)"
    part.get_by_label("from A to B").fill("0")
    part.get_by_role("button", name="Hold as A").click()
    held = part.locator("canvas").nth(2).evaluate("(canvas) => canvas.toDataURL()")
    part.get_by_label("z1").fill("-1")
    assert captions(part)[0].startswith("decoded from (-1.0, ")
    assert part.locator("canvas").nth(2).evaluate("(canvas) => canvas.toDataURL()") == held  # A stays where it is
    milliseconds = part.get_by_label("z1").evaluate(
        """(slider) => {
            const start = performance.now();
            for (let i = 0; i < 50; i++) { slider.value = i / 25; slider.dispatchEvent(new Event("input")); }
            return (performance.now() - start) / 50;
        }"""
    )
    print(f"{milliseconds:.1f} ms to draw the plane and its three images anew")


def test_a_three_is_normal_and_others_are_judged(open_page):
    page = open_page(page_with("normal"))
    part = live(page, "normal")
    said = []
    for _ in range(12):
        part.get_by_role("button", name="An unseen digit").click()
        said.append(part.locator(".live-verdict").inner_text())
    assert all(re.fullmatch(r"Error [\d.]+, threshold [\d.]+: .+", text) for text in said)
    assert any("a normal three" in text for text in said) and any("It rings" in text for text in said)


def test_one_slider_redraws_ten_digits(open_page):
    page = open_page(page_with("numbers"))
    part = live(page, "numbers")
    for place, words in (("0", "1 number:"), ("11", "64 numbers:")):
        part.get_by_label("numbers in the code").fill(place)
        assert part.locator(".live-verdict").inner_text().startswith(words)


def test_weights_of_another_version_are_a_sentence_and_the_picture_stays(open_page):
    page = open_page(page_with("draw"))
    live(page, "draw")
    page.evaluate(
        """() => {
            const part = document.querySelector('.live');
            part.replaceChildren(Object.assign(document.createElement("img"), {className: "live-still"}));
            aelibLive.receive("draw", {version: 999});
            aelibLive.receive("draw", {version: 1, models: {"3": 7}});
        }"""
    )
    said = page.locator(".live-sorry").all_inner_texts()
    assert any("another version" in text for text in said) and any("could not be read" in text for text in said)
    assert page.locator(".live-still").count() == 1


def test_without_javascript_formulas_pictures_and_folds_are_there(open_page):
    page = open_page(page_with("draw"), java_script_enabled=False)
    assert page.locator(".live-still").first.is_visible()
    page = open_page("notebooks/11_variational_autoencoder.html", java_script_enabled=False)
    assert page.locator("math").count() > 40 and page.locator("math").first.is_visible()
    assert page.locator(".admonition.bet ol li").count() == 3


def test_a_bet_is_kept_and_counted(open_page):
    page = open_page(CHAPTERS[1])
    box = page.locator(".admonition.bet")
    answers = box.locator("input")
    won = int(page.locator(".bet-outcome").get_attribute("data-answer"))
    assert "You have not bet" in page.locator(".bet-said").inner_text()
    answers.nth(won % answers.count()).check()
    assert "and lost" in page.locator(".bet-said").inner_text()
    answers.nth(won - 1).focus()
    page.keyboard.press("Space")
    assert "and won" in page.locator(".bet-said").inner_text()
    page.goto((HTML / "book" / "bets.html").as_uri())
    assert f"{won} ✓ won" in page.locator("table.bets").inner_text()
    assert re.search(r"You placed 1 bet and won 1. Blind guesses would have won 0\.\d", page.inner_text(".bet-score"))
    page.reload()
    assert "You placed 1 bet" in page.inner_text(".bet-score")
    page.get_by_role("button", name="Forget my bets").click()
    assert "You have not placed a bet yet" in page.inner_text(".bet-score")
    assert page.errors == []


@pytest.mark.parametrize("kept", ["{", "[1, 2]", '{"01_first_autoencoder": "two"}', '{"01_first_autoencoder": 99}'])
def test_a_damaged_memory_of_bets_is_ignored(open_page, kept):
    page = open_page("book/bets.html", script=f"localStorage.setItem('aelib-bets', {json.dumps(kept)})")
    assert "You have not placed a bet yet" in page.inner_text(".bet-score") and page.errors == []


def test_claims_can_be_filtered(open_page):
    page = open_page("book/claims.html")
    rows = page.locator("table.claims tbody tr:visible")
    everything = rows.count()
    page.get_by_label("does not hold").check()
    assert 0 < rows.count() < everything
    assert set(
        page.locator("table.claims tbody tr:visible .verdict").evaluate_all("all => all.map(v => v.className)")
    ) == {"verdict does-not-hold"}


def test_a_question_tells_right_from_wrong_and_why(open_page):
    page = open_page(CHAPTERS[1])
    question = page.locator(".admonition.check > ol > li").first
    answers = question.locator(".check-answer")
    for i in range(answers.count()):
        answers.nth(i).focus()
        page.keyboard.press("Enter")
    told = question.locator(".check-told").all_inner_texts()
    assert sum(text.strip().startswith("✓ Right.") for text in told) == 1
    assert sum(text.strip().startswith("✗ No.") for text in told) == len(told) - 1
    assert all(len(text) > 25 for text in told) and page.errors == []
