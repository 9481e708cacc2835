"""One line for a claim of the course: what it says came out, with the number, and an error if it did not."""

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
    text = f"{name} {verdict}: {measured}"
    ipython = sys.modules.get("IPython")
    if ipython is None or not hasattr(ipython.get_ipython(), "kernel"):
        print(text)
        return
    box = (
        f'<div class="claim" id="{name.lower()}" data-verdict="{escape(verdict)}" data-measured="{escape(measured)}" '
        f'style="border-left: 4px solid #0072B2; padding: 0.2em 0.8em"><b>{name} {escape(verdict)}.</b> '
        f"{escape(measured)}</div>"
    )
    ipython.display.display({"text/plain": text, "text/html": box}, raw=True)
