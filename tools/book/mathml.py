"""Sphinx extension: formulas are set at the build, as MathML, which browsers draw without JavaScript.

MathJax would load 1.2 MB, make a tab stop of every formula, and leave raw TeX where JavaScript is off.
"""

import re
from html import escape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

log = logging.getLogger(__name__)


def mathml(latex, display):
    """A formula as MathML, with its LaTeX for those who copy it or hear it."""
    aligned = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{align*}", latex)  # the converter's name for it
    result = convert(aligned, display=display)
    if re.search(r"<m[io]>(&amp;|&|\\[a-zA-Z]*)</m[io]>", result):  # what it does not know it prints
        raise ValueError("the converter knows no command or environment of it")
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


def setup(app):
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"version": "1", "parallel_read_safe": True}
