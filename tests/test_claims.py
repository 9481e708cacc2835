"""A claim prints what came out, and fails where the numbers do not say so."""

import pytest

import aelib


def test_a_confirmed_claim_is_printed_with_its_verdict_and_number(capsys):
    aelib.claim("C05", "holds when the data are centred", "angle 0.3 degrees", confirmed=True)
    assert capsys.readouterr().out == "C05 holds when the data are centred: angle 0.3 degrees\n"


def test_a_claim_that_the_numbers_do_not_support_is_an_error():
    with pytest.raises(AssertionError, match="C05: the numbers do not support 'holds': angle 80 degrees"):
        aelib.claim("C05", "holds", "angle 80 degrees", confirmed=False)


@pytest.mark.parametrize(
    ("name", "verdict", "message"),
    [
        ("C05", "holds for MNIST", "verdict: expected one of"),
        ("5", "holds", "name: expected a C and two digits"),
        ("C05", "true", "verdict: expected one of"),
    ],
)
def test_wrong_arguments_are_named(name, verdict, message):
    with pytest.raises(ValueError, match=message):
        aelib.claim(name, verdict, "", True)
