"""One PDF of the whole book: `make pdf`, after `make book`. Chromium prints what Sphinx writes as one long page.

JavaScript is off, so solutions are unfolded and live parts are pictures. Hidden cells are shown.
"""

import sys

from browser import browser
from build import find_data, live_models, run_jupyter_book
from execution import ROOT
from playwright.sync_api import sync_playwright

PRINT = """
@page { size: A4; margin: 18mm 16mm; }
body { font-size: 10pt; }
.bd-header, .bd-sidebar, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .bd-footer, .headerlink,
.skip-link, #pst-back-to-top, #jb-print-docs-body, .copybtn, noscript { display: none !important; }
.bd-container__inner, .bd-main, .bd-content, .bd-article-container, .bd-article { display: block !important;
  max-width: none !important; width: auto !important; margin: 0 !important; padding: 0 !important; }
pre, div.highlight pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 7.5pt !important; }
img, table, .admonition, math, .cell_input, .cell_output, div.highlight { break-inside: avoid; max-width: 100%; }
details.hide > summary { display: none !important; }
.bd-article h1 { display: block !important; }
[id^="document-"] + section { break-before: page; }
h1, h2, h3 { break-after: avoid; }
"""


def main():
    executable = browser()
    if not executable:
        sys.exit("make pdf needs Chromium or Chrome. Name one that is not on the path in AELIB_BROWSER.")
    if not (ROOT / "_build" / ".jupyter_cache").exists():
        sys.exit("There is no book yet: run 'make book' first.")
    data, origin = find_data()
    if run_jupyter_book(data, origin, live_models(data), "singlehtml"):
        sys.exit("The book could not be written as one page; the message above says why.")
    folder = ROOT / "_build" / "singlehtml"
    html = (folder / "book" / "index.html").read_text("utf-8").replace('"../_static/', '"_static/')
    html = html.replace('href="book/index.html#', 'href="#')
    html = html.replace('<details class="admonition hide', '<details open class="admonition hide')
    page_file = folder / "print.html"  # its links are meant from here
    page_file.write_text(html.replace("</head>", f"<style>{PRINT}</style></head>"), "utf-8")
    target = ROOT / "_build" / "autoencoders-tested.pdf"
    with sync_playwright() as started:
        page = started.chromium.launch(executable_path=executable, args=["--no-sandbox"]).new_page(
            java_script_enabled=False
        )
        page.goto(page_file.as_uri())
        number = '<div style="font-size: 8px; width: 100%; text-align: center"><span class="pageNumber"></span></div>'
        look = {"prefer_css_page_size": True, "print_background": True, "outline": True, "tagged": True}
        page.pdf(
            path=target, **look, display_header_footer=True, header_template="<span></span>", footer_template=number
        )
    print(f"Open {target.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
