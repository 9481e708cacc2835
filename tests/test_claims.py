"""A claim and a bet print what came out, and fail where the numbers do not say so."""

import numpy as np
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


def test_a_bet_says_which_answer_won(capsys):
    aelib.bet(0.3 > 0.5, np.float64(0.3) < 0.5, False)
    assert capsys.readouterr().out == "The bet: answer 2.\n"


@pytest.mark.parametrize("outcomes", [(False, False), (True, True, False)])
def test_a_bet_that_nobody_or_two_win_is_an_error(outcomes):
    with pytest.raises(AssertionError, match="expected exactly one answer that the numbers support, got"):
        aelib.bet(*outcomes)


@pytest.mark.parametrize(
    ("outcomes", "message"), [((True,), "two or more answers, got 1 of them"), ((1, 0), "got 1 among them")]
)
def test_outcomes_of_a_bet_are_comparisons(outcomes, message):
    with pytest.raises(ValueError, match=message):
        aelib.bet(*outcomes)
