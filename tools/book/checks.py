"""Sphinx extension: the boxes "Check yourself" are well formed, or the build fails.

A box is an admonition of class `check` with numbered questions. Each has a list of answers; one begins with a tick, and
each ends with its reason in italics. Without JavaScript it reads as it stands; `bets.js` makes the answers clickable.
"""

from docutils import nodes
from sphinx.util import logging

log = logging.getLogger(__name__)


def verify(app, doctree):
    for box in doctree.findall(nodes.admonition):
        if "check" not in box["classes"]:
            continue
        questions = [item for numbered in box.findall(nodes.enumerated_list) for item in numbered]
        if not questions:
            log.warning("a box 'Check yourself' without numbered questions", location=box)
        for number, question in enumerate(questions, 1):
            answers = [item for bullets in question.findall(nodes.bullet_list) for item in bullets]
            right = [answer for answer in answers if answer.astext().startswith("✓")]
            unexplained = [
                a for a in answers if not (a.children and a[0].children and isinstance(a[0][-1], nodes.emphasis))
            ]
            if len(answers) < 2 or len(right) != 1 or unexplained:
                log.warning(
                    "question %d: expected answers, one of which begins with a tick and each of which ends with its "
                    "reason in italics, got %d answers, %d ticks, %d without a reason",
                    *(number, len(answers), len(right), len(unexplained)),
                    location=box,
                )


def setup(app):
    """Called by Sphinx."""
    app.connect("doctree-read", verify)
    return {"version": "1", "parallel_read_safe": True}
