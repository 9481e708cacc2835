"""Sphinx extension: formulas are set at the build, as MathML, which browsers draw without JavaScript.

MathJax would load 1.2 MB, make a tab stop of every formula, and leave raw TeX where JavaScript is off. Browsers need a
font that knows about formulas, so the site brings the letters that it uses of STIX Two Math (SIL OFL 1.1).
"""

import re
from html import escape, unescape
from pathlib import Path

import ziamath
from docutils import nodes
from fontTools import subset
from latex2mathml.converter import convert
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

FONT = Path(ziamath.__file__).parent / "fonts" / "STIXTwoMath-Regular.ttf"
NAMES = "arg|cos|det|diag|exp|lim|log|max|min|sin"
OPENING = r"<mo[^>]*>(?:\(|\[|&#x00028;|&#x0005B;)"
log = logging.getLogger(__name__)


def mathml(latex, display):
    """A formula as MathML, with its LaTeX for those who copy it or hear it."""
    aligned = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{align*}", latex)  # the converter's name for it
    result = convert(aligned, display=display)
    if re.search(r"<m[io]>(&amp;|&|\\[a-zA-Z]*)</m[io]>", result):  # what it does not know it prints
        raise ValueError("the converter knows no command or environment of it")
    # As TeX does: a little space after the name of a function, unless a bracket follows; and large brackets grow.
    result = re.sub(rf"(<m[io]>(?:{NAMES})</m[io]>)(?!{OPENING})", r'\1<mspace width="0.1667em"/>', result)
    # Single and double bars keep their size; browsers would stretch the first of a pair, and not the second.
    result = re.sub(r"<mo>(&#x02016;|&#x02223;)</mo>", r'<mo stretchy="false">\1</mo>', result)
    result = result.replace("<mo minsize=", '<mo stretchy="true" minsize=')
    return result.replace("<math ", f'<math alttext="{escape(" ".join(latex.split()))}" ', 1)


def set_formula(writer, node, display):
    try:
        writer.body.append(mathml(node.astext(), display))
    except Exception as error:  # the converter's errors have no common class
        log.warning("formula %r: %s", node.astext(), error, location=node)
        writer.body.append(escape(node.astext()))


def inline(writer, node):
    set_formula(writer, node, "inline")
    raise nodes.SkipNode


def block(writer, node):
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    if node.get("number"):
        number = get_node_equation_number(writer, node)
        writer.body.append(f'<span class="eqno">({number})</span>')
    set_formula(writer, node, "block")
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def write_font(app, error):
    """The letters of all formulas, with the larger forms of brackets and signs."""
    letters = set()
    for page in Path(app.outdir).rglob("*.html"):
        for formula in re.findall(r"<math .*?</math>", page.read_text("utf-8"), re.S):
            letters |= set(unescape(re.sub(r"<[^>]*>", "", formula)))
    if error or not letters:
        return
    greek = {chr(code) for code in (*range(0x391, 0x3CA), *range(0x1D6E2, 0x1D71C))}
    latin = {chr(code) for code in (*range(0x1D434, 0x1D468), 0x210E)}  # slanted a to Z, and h
    options = subset.Options(flavor="woff", notdef_outline=True)
    font = subset.load_font(FONT, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(letters | greek | latin))
    subsetter.subset(font)
    subset.save_font(font, Path(app.outdir) / "_static" / "math.woff", options)


def setup(app):
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    app.connect("build-finished", write_font)
    return {"version": "1", "parallel_read_safe": True}
