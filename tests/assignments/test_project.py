"""The project's page: the rubric adds up, and its worked examples print what stands there."""

import contextlib
import io
import re

import numpy as np
from classroom import ROOT

PAGE = (ROOT / "book" / "project.md").read_text("utf-8")


def test_the_rubric_adds_up_and_each_example_is_marked_by_it():
    whole = dict(re.findall(r"^\| ([a-z ]+) \| (\d) \| .+ \| .* \| .+ \|$", PAGE, re.M))
    assert sum(map(int, whole.values())) == 20 == int(re.search(r"earns what: (\d+) points", PAGE)[1])
    for example in PAGE.split("### Example ")[1:]:
        rows = re.findall(r"^\| ([a-z ]+) \| (\d) of (\d) \|", example, re.M)
        assert {name: of for name, _, of in rows} == whole
        assert sum(int(earned) for _, earned, _ in rows) == int(re.search(r"\*\*(\d+) of 20\*\*", example)[1])


def test_the_examples_print_what_stands_on_the_page_and_what_b_forgot_is_as_it_says():
    examples = re.findall(r"```python\n(.+?)```\n\n```text\n(.+?)```", PAGE, re.S)
    assert len(examples) == 2
    for program, expected in examples:
        space, printed = {}, io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(program, space)
        assert printed.getvalue() == expected
    odd, scores = space["odd"], space["scores"]
    assert f"accuracy of {np.mean(~odd):.0%}".replace("%", " %") in PAGE
    assert np.mean(scores[odd]) < np.mean(scores[~odd])
