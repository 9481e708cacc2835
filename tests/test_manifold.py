"""PCA and subspaces against scikit-learn, numpy and geometry."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

import aelib


def test_the_pca_baseline_reconstructs_as_scikit_learns_pca_does(images):
    flat = images.reshape(len(images), -1)
    theirs = PCA(8, svd_solver="full").fit(flat)
    ours = aelib.PCABaseline(8).fit(images)
    expected = theirs.inverse_transform(theirs.transform(flat)).reshape(images.shape)
    np.testing.assert_allclose(ours.predict(images), expected, atol=1e-4)
    assert ours.encode(images).shape == (len(images), 8) and ours.components.shape == (8, 784)


def test_the_pca_error_is_the_sum_of_the_variances_left_out(images):
    every = PCA(svd_solver="full").fit(images.reshape(len(images), -1))
    error = aelib.mean_squared_error(images, aelib.PCABaseline(10).fit(images).predict(images))
    left_out = every.explained_variance_[10:].sum() * (len(images) - 1) / len(images)
    assert 784 * error == pytest.approx(left_out, rel=1e-4)


def test_more_components_than_examples_or_features_are_refused(images):
    with pytest.raises(ValueError, match="latent_dim: expected at most 5, the smaller of the 5 examples and 784"):
        aelib.PCABaseline(6).fit(images[:5])


def test_bad_input_to_the_baseline_is_refused_by_name(images):
    pca = aelib.PCABaseline(3).fit(images[:50])
    with pytest.raises(ValueError, match="x: expected finite"):
        pca.encode(images[:5] * np.nan)
    with pytest.raises(ValueError, match=r"z: expected shape \(n, 3\)"):
        pca.decode(np.zeros((5, 4)))
    with pytest.raises(ValueError, match="latent_dim: expected an integer of at least 1, got 0"):
        aelib.PCABaseline(0)


@pytest.mark.parametrize("degrees", [0.0, 0.5, 30.0, 90.0])
def test_two_planes_that_share_a_line_meet_at_the_angle_they_were_tilted_by(degrees):
    tilt = np.radians(degrees)
    a = [[1, 0, 0], [0, 1, 0]]
    b = [[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)]]
    np.testing.assert_allclose(aelib.principal_angles(a, b), [degrees, 0], atol=1e-4)


def test_principal_angles_see_the_subspace_and_not_its_axes(rng):
    a = rng.normal(size=(4, 30))
    mixed = rng.normal(size=(4, 4)) @ a
    assert aelib.principal_angles(a, mixed).max() < 1e-3


def test_the_excess_of_the_optimum_is_zero_and_of_a_doubled_error_three(images):
    x_hat = images * 0.9
    assert aelib.excess_error(images, x_hat, x_hat) == 0
    assert aelib.excess_error(images, images * 0.8, x_hat) == pytest.approx(3, rel=1e-4)


def test_mean_squared_error_is_numpys(rng):
    x, x_hat = rng.random((2, 7, 4, 3), dtype="float32")
    assert aelib.mean_squared_error(x, x_hat) == pytest.approx(np.mean((x - x_hat) ** 2), rel=1e-6)
    with pytest.raises(ValueError, match=r"x_hat: expected shape \(n, 4, 3\)"):
        aelib.mean_squared_error(x, x_hat[:, :2])


def test_psnr_counts_ten_decibels_for_a_tenth_of_the_squared_error_image_by_image():
    x = np.full((2, 4, 4), 0.5, "float32")
    assert aelib.psnr(x, x + 0.1) == pytest.approx(20, abs=1e-4)
    uneven = x + np.array([0.1, 0.01], "float32")[:, None, None]
    assert aelib.psnr(x, uneven) == pytest.approx((20 + 40) / 2, abs=1e-2)
    assert aelib.psnr(x, x) == np.inf
    assert aelib.psnr(np.ones((1, 2)), np.full((1, 2), 7.0)) == np.inf  # a screen would clip it
    with pytest.raises(ValueError, match="x_hat: expected 2 examples, as in x, got 1"):
        aelib.psnr(x, x[:1])


def test_a_probe_reads_what_is_written_linearly_and_nothing_else(rng):
    z, other = rng.normal(size=(2, 400, 3))
    labels = (z[:, 0] > 0).astype(int)
    assert aelib.probe_accuracy(z[:300], labels[:300], z[300:], labels[300:]) > 0.9
    assert aelib.probe_accuracy(other[:300], labels[:300], other[300:], labels[300:]) < 0.7


def test_the_two_sample_test_sees_other_shapes_and_nothing_in_more_of_the_same(images):
    same = aelib.two_sample_accuracy(images[:300], images[300:600])
    blurred = aelib.two_sample_accuracy(images[:300], np.tile(images.mean(axis=0), (300, 1, 1)))
    paler = aelib.two_sample_accuracy(images[:300], images[300:600] * 0.8 + 0.1)
    assert 0.4 < same < 0.6 and 0.4 < paler < 0.6 and blurred > 0.95
    with pytest.raises(ValueError, match="other: expected as many examples as in x, at least 3, got 2 and 3 in x"):
        aelib.two_sample_accuracy(images[:3], images[:2])


def test_a_probe_says_which_labels_do_not_fit():
    z = np.zeros((4, 2))
    with pytest.raises(ValueError, match=r"y_test: expected one class per code, shape \(4,\), got \(3,\)"):
        aelib.probe_accuracy(z, [0, 1, 0, 1], z, [0, 1, 0])
    with pytest.raises(ValueError, match="y_train: expected at least two classes"):
        aelib.probe_accuracy(z, [1, 1, 1, 1], z, [1, 1, 1, 1])
