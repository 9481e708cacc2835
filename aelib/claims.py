"""What came out: one line for a claim of the course, and one for a bet; an error where the numbers do not say so."""

import re
import sys
from html import escape

import numpy as np

VERDICTS = ("holds", "holds when ...", "holds in part: ...", "does not hold")


def claim(name, verdict, measured, confirmed):
    """State what came out of a claim: print it, and fail if the numbers do not say so.

    In a notebook the line stands in a box, and the book's page of claims collects it. Everywhere else it is printed.

    Args:
        name: of the claim: ``"C05"``.
        verdict: ``"holds"``, ``"holds when ..."``, ``"holds in part: ..."`` or ``"does not hold"``; a colon and an
            explanation may follow.
        measured: the number, its spread over seeds, and what it is compared with, in one sentence.
        confirmed: whether the measured numbers support the verdict: a comparison, as after ``assert``.

    Raises:
        AssertionError: if ``confirmed`` is false.

    Example:
        >>> aelib.claim("C05", "holds", f"excess error at most {max(excess):.1e}", max(excess) < 1e-3)
    """
    if not re.fullmatch(r"C\d\d", str(name)):
        raise ValueError(f"name: expected a C and two digits, as in 'C05', got {name!r}")
    if not re.fullmatch(r"holds( in part)?(: .+)?|holds when .+|does not hold(: .+)?", str(verdict)):
        raise ValueError(f"verdict: expected one of {VERDICTS}, got {verdict!r}")
    if not isinstance(confirmed, bool | np.bool_):
        raise ValueError(f"confirmed: expected True or False, the result of a comparison, got {confirmed!r}")
    if not confirmed:
        raise AssertionError(f"{name}: the numbers do not support {verdict!r}: {measured}")
    _show(
        f"{name} {verdict}: {measured}",
        f'<div class="claim" id="{name.lower()}" data-verdict="{escape(verdict)}" data-measured="{escape(measured)}" '
        f'style="border-left: 4px solid #0072B2; padding: 0.2em 0.8em"><b>{name} {escape(verdict)}.</b> '
        f"{escape(measured)}</div>",
    )


def bet(*outcomes):
    """Say which answer of a chapter's bet the measured numbers support, in one line.

    In a notebook the line stands in a box, and the book's page says beside it what its reader has bet. Everywhere else
    it is printed.

    Args:
        *outcomes: for each answer, in their order, whether the measured numbers support it: a comparison, as after
            ``assert``. Exactly one must be true.

    Raises:
        AssertionError: if no outcome is true, or more than one.

    Example:
        >>> aelib.bet(error > 0.1, 0.01 < error <= 0.1, error <= 0.01)
    """
    wrong = [outcome for outcome in outcomes if not isinstance(outcome, bool | np.bool_)]
    if len(outcomes) < 2 or wrong:
        got = f"{wrong[0]!r} among them" if wrong else f"{len(outcomes)} of them"
        raise ValueError(f"outcomes: expected True or False for each of two or more answers, got {got}")
    won = [number for number, outcome in enumerate(outcomes, 1) if outcome]
    if len(won) != 1:
        raise AssertionError(f"bet: expected exactly one answer that the numbers support, got {won or 'none'}")
    text = f"The bet: answer {won[0]}."
    box = (
        f'<div class="bet-outcome" data-answer="{won[0]}" data-of="{len(outcomes)}" '
        'style="border-left: 4px solid #E69F00; padding: 0.2em 0.8em">'
    )
    _show(text, f"{box}<b>{text}</b></div>")


def _show(text, html):
    """The box in a notebook, the text everywhere else."""
    ipython = sys.modules.get("IPython")
    if ipython is None or not hasattr(ipython.get_ipython(), "kernel"):
        print(text)
        return
    ipython.display.display({"text/plain": text, "text/html": html}, raw=True)
