"""Per-example errors against numpy and scikit-learn."""

import numpy as np
import pytest
from keras import ops
from sklearn.metrics import log_loss

from aelib import losses

X, X_HAT = np.random.default_rng(0).random((2, 5, 4, 3), dtype="float32")


def test_squared_error_is_numpys_squared_norm_per_example():
    ours = ops.convert_to_numpy(losses.squared_error(X, X_HAT))
    theirs = np.linalg.norm((X - X_HAT).reshape(5, -1), axis=1) ** 2
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_binary_crossentropy_of_black_and_white_images_is_scikit_learns_log_loss_in_nats():
    x = (X > 0.5).astype("float32")
    ours = ops.convert_to_numpy(losses.binary_crossentropy(x, X_HAT))
    theirs = [
        log_loss(a.ravel(), b.ravel().astype("float64"), normalize=False, labels=[0, 1])
        for a, b in zip(x, X_HAT, strict=True)
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_binary_crossentropy_of_grey_images_is_smallest_at_the_image_itself():
    at_itself = ops.convert_to_numpy(losses.binary_crossentropy(X, X))
    elsewhere = ops.convert_to_numpy(losses.binary_crossentropy(X, X_HAT))
    assert (at_itself < elsewhere).all()


@pytest.mark.parametrize("loss", [losses.squared_error, losses.binary_crossentropy])
def test_a_loss_sums_over_features_so_that_two_copies_of_an_image_cost_twice_as_much(loss):
    once = ops.convert_to_numpy(loss(X, X_HAT))
    twice = ops.convert_to_numpy(loss(np.concatenate([X, X], axis=2), np.concatenate([X_HAT, X_HAT], axis=2)))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-5)


def test_binary_crossentropy_stays_finite_for_a_certain_but_wrong_answer():
    value = ops.convert_to_numpy(losses.binary_crossentropy(np.ones((1, 2), "float32"), np.zeros((1, 2), "float32")))
    assert np.isfinite(value).all() and value[0] > 20


@pytest.mark.parametrize("unknown", ["mse", "", None, 3])
def test_an_unknown_loss_is_refused_by_name(unknown):
    with pytest.raises(ValueError, match=r"reconstruction: expected a callable or one of \['binary_crossentropy'"):
        losses.get(unknown)
