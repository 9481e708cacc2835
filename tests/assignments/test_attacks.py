"""No trick wins a point, and no right answer loses one because of what it is called or how it is stored."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import numpy as np
import pytest
from answers import notebook
from attacks import FAST, PROGRAMS, everything, hollow
from classroom import bank
from grading import execution, sandbox, wire, workers
from grading.problem_set import ProblemSet, hidden_lines
from grading.submission import rebuild

BANK = bank()
SETS = {name: found for name, (found, _) in BANK.items()}
RIGHT = {name: {q: given[0].source for q, given in listed.items()} for name, (_, listed) in BANK.items()}


def graded(source, answers, isolated):
    """The verdict on a notebook with these answers; in a process of its own, so that nothing is left of it here."""
    problem_set = ProblemSet(source)
    submitted = nbformat.from_dict(notebook(problem_set, answers))
    return execution.run(rebuild(submitted, problem_set), problem_set, sandbox.Limits(20, 100), isolated=isolated)


@pytest.fixture(scope="module")
def grade():
    """Grade answers to a problem set."""
    try:
        sandbox.check_isolation()
        isolated = True
    except sandbox.NoIsolationError:
        isolated = False
    spawn, memory = multiprocessing.get_context("spawn"), 2 * sandbox.Limits.memory
    with ProcessPoolExecutor(1, spawn, workers.start, (memory,)) as pool:
        yield lambda found, answers: pool.submit(graded, found.source_path, answers, isolated).result()


@pytest.mark.slow
def test_no_trick_wins_a_point(grade):
    won = {}
    for title, problem_set, answers in everything(SETS):
        questions = grade(problem_set, answers)["questions"]
        questions.pop("bet")  # which an honest bet wins
        won |= {f"{title}: {name}": given["points"] for name, given in questions.items() if given["points"]}
    assert won == {} and not Path("/tmp/won").exists()


def test_what_is_no_reply_is_said_to_be_none(grade):
    reasons = {"what is sent is no reply": "it sent what is no reply", "the line to the grader is cut": ""}
    for title, reason in reasons.items():
        result = grade(SETS[FAST], RIGHT[FAST] | {"bet": PROGRAMS[title]})
        assert any(flag.startswith("stopped at bet: " + reason) for flag in result["flags"]), result["flags"]
        assert result["questions"]["auroc"]["points"] == 0


def test_right_answers_pass_whatever_the_student_did_to_the_interpreter(grade):
    vandal = "range = zip = expected = rng = means = axes = used = isinstance = None\n"
    vandal += "np.allclose = np.isclose = np.all = None\nbet = dict(auroc=1, beats_pca=True)"
    result = grade(SETS[FAST], RIGHT[FAST] | {"bet": vandal})
    assert {name for name, given in result["questions"].items() if not given["points"]} == {"sum", "experiment"}


SPIES = [
    "def kl_divergence(mean, log_var):\n    raise ValueError(str(mean.tolist()))",
    "def kl_divergence(mean, log_var):\n    raise type(str(mean.tolist()), (Exception,), {})('x')",
    "import linecache\ndef kl_divergence(*a):\n    raise AssertionError(str(linecache.cache))",
    "import gc\ndef kl_divergence(*a):\n    raise AssertionError(' '.join(map(str, gc.get_objects())))",
    "import base64\ndef kl_divergence(mean, log_var):\n    seen = base64.b64encode(mean.tobytes())\n"
    "    print(seen)\n    return seen.decode()",
    "kept = []\ndef kl_divergence(*a):\n    kept.append(a)\n    return 0.0",
]  # fmt: skip


@pytest.mark.parametrize("spy", SPIES)
def test_an_answer_that_spies_finds_no_test_and_its_errors_say_their_type_alone(spy, grade):
    late = "raise ValueError(repr(kept) if 'kept' in globals() else 'what I know')"
    result = grade(SETS[FAST], hollow(SETS[FAST], visible=False) | {"kl": spy, "threshold": late})
    said = json.dumps([given["message"] for given in result["questions"].values()])
    hidden = [line.strip() for cell in SETS[FAST].cells.values() for line in hidden_lines(cell.source)]
    assert not [line for line in hidden if len(line) > 15 and line in said]
    kl, threshold = (result["questions"][name]["message"] for name in ("kl", "threshold"))
    assert len(kl) < 200 and "0.0, 0.0" not in kl
    assert threshold.startswith("Your answer stopped with ValueError in line 1.") and "what I know" not in threshold


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 2.5, "text", float("nan"), np.float32(0.5), np.int64(7), np.bool_(True), [1, (2, "x")],
        np.arange(6, dtype="int8").reshape(2, 3), np.zeros((0, 3)), np.float64(3), (), 10**30, -np.inf,
        {"a": [1]}, {1: np.ones(2)},
    ],
)  # fmt: skip
def test_plain_data_arrive_as_they_were_sent(value):
    back = wire.unpack(json.loads(wire.text(wire.pack(value))))
    assert type(back) is type(value)
    np.testing.assert_equal(back, value)
    if isinstance(value, np.ndarray):
        assert back.dtype == value.dtype and back.flags.writeable


def test_what_is_no_plain_data_is_equal_to_nothing():
    for odd in (object(), np.array(["a"]), np.array([object()]), {1, 2}, wire, type("<b>evil</b>", (), {})()):
        back = wire.unpack(json.loads(wire.text(wire.pack(odd))))
        assert isinstance(back, wire.Opaque) and back != odd and "<b>" not in repr(back)
    deep = []
    deep.append(deep)
    assert "nested too deep" in json.dumps(wire.pack(deep))


def test_what_a_call_changes_is_changed_on_the_other_side_too():
    x, rng, kept = np.arange(4.0), np.random.default_rng(3), np.ones(2)
    mine, theirs = [], []
    sent = wire.pack([x, rng, x, kept], mine)
    a, b, again, c = wire.unpack(json.loads(wire.text(sent)), theirs)
    before = [wire.pack(value) for value in theirs]
    assert again is a and c is not kept
    a += 1
    drawn = b.normal(size=3)
    wire.apply(wire.changes(theirs, before), mine)
    assert x.tolist() == [1, 2, 3, 4] and kept.tolist() == [1, 1]
    assert np.array_equal(np.random.default_rng(3).normal(size=3), drawn) and rng.normal() == b.normal()
    theirs[0].resize((2, 2), refcheck=False)
    with pytest.raises(AssertionError, match="changes the shape of its argument"):
        wire.apply(wire.changes(theirs, before), mine)


def test_only_models_of_common_layers_are_built_again():
    import keras

    import aelib

    keras.utils.set_random_seed(0)
    model = aelib.StackedAutoencoder(3, hidden_units=(5,))
    model.compile(optimizer=keras.optimizers.Adam(0.003))
    x = np.random.default_rng(0).random((40, 28, 28), dtype="float32")
    model.fit(x, epochs=2, batch_size=16, verbose=0)
    back = wire.unpack(json.loads(wire.text(wire.pack(model))))
    assert type(back) is aelib.StackedAutoencoder and np.allclose(back(x), model(x), atol=1e-6)
    assert int(back.optimizer.iterations) == 6 and np.isclose(float(back.optimizer.learning_rate), 0.003)
    for layer in (keras.layers.Lambda(abs), keras.layers.StringLookup(vocabulary=["a"])):
        with pytest.raises(wire.ModelError, match=r"does not build a model with <(Lambda|StringLookup)>"):
            wire.unpack(json.loads(wire.text(wire.pack(keras.Sequential([keras.Input((3,)), layer])))))
