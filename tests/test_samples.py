"""Judges of generated examples, on sets where the answer is known."""

import numpy as np
import pytest

import aelib


def test_the_two_sample_test_sees_other_shapes_and_nothing_in_more_of_the_same(images):
    same = aelib.two_sample_accuracy(images[:300], images[300:600])
    blurred = aelib.two_sample_accuracy(images[:300], np.tile(images.mean(axis=0), (300, 1, 1)))
    paler = aelib.two_sample_accuracy(images[:300], images[300:600] * 0.8 + 0.1)
    assert 0.4 < same < 0.6 and 0.4 < paler < 0.6 and blurred > 0.95
    with pytest.raises(ValueError, match="other: expected as many examples as in x, at least 3, got 2 and 3 in x"):
        aelib.two_sample_accuracy(images[:3], images[:2])


def test_precision_falls_with_strangers_and_recall_with_kinds_left_out(rng):
    kinds = rng.normal(size=(2, 2, 300, 4)) + np.array([-20, 20])[None, :, None, None]  # two far apart, drawn twice
    real = np.concatenate(kinds[0])
    alike = aelib.precision_recall(real, np.concatenate(kinds[1]))
    assert alike.precision > 0.8 and alike.recall > 0.8
    one_kind = aelib.precision_recall(real, kinds[1, 0])
    assert one_kind.precision > 0.8 and 0.4 < one_kind.recall < 0.5
    strangers = aelib.precision_recall(real, np.concatenate([kinds[1, 0], 1000 + kinds[1, 1]]))
    assert 0.4 < strangers.precision < 0.5 and 0.4 < strangers.recall < 0.5
    turned = aelib.precision_recall(kinds[1, 0], real)
    assert (turned.precision, turned.recall) == pytest.approx((one_kind.recall, one_kind.precision))
    assert aelib.precision_recall(real, real) == {"precision": 1, "recall": 1}


def test_the_nearest_distance_is_the_smallest_of_all(images):
    found = aelib.nearest_distance(images[:5], images[5:50])
    every = np.linalg.norm((images[:5, None] - images[None, 5:50]).reshape(5, 45, -1), axis=2)
    np.testing.assert_allclose(found, every.min(axis=1), rtol=1e-4)
    np.testing.assert_allclose(aelib.nearest_distance(images[7:9], images[5:50]), 0, atol=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: aelib.precision_recall(x, x[:, :2]), r"generated: expected shape \(n, 28, 28\), got \(9, 2, 28\)"),
        (lambda x: aelib.precision_recall(x, x[:3]), "n_neighbors: expected at most 2 for so few examples, got 3"),
        (lambda x: aelib.precision_recall(x, x, n_neighbors=0), "n_neighbors: expected an integer of at least 1"),
        (lambda x: aelib.nearest_distance(x[:, :2], x), r"x: expected shape \(n, 28, 28\), got \(9, 2, 28\)"),
    ],
)
def test_judges_refuse_sets_that_cannot_be_compared(call, message, images):
    with pytest.raises(ValueError, match=message):
        call(images[:9])
