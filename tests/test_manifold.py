"""PCA and subspaces against scikit-learn, numpy and geometry."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor

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


def test_judges_that_grow_trees_say_the_same_to_the_bit_on_one_core_and_on_many(rng, monkeypatch):
    x, other = rng.random((2, 60, 6))
    factors = x[:, :2] + 0.1 * other[:, :2]
    asked = []
    fit = RandomForestRegressor.fit
    monkeypatch.setattr(
        RandomForestRegressor, "fit", lambda forest, *data: asked.append(forest.n_jobs) or fit(forest, *data)
    )
    alone, shared = (aelib.factor_recovery(x, factors, other, factors, n_jobs=n_jobs) for n_jobs in (None, 4))
    assert all(np.array_equal(alone[key], shared[key]) for key in alone) and asked == [None, None, 4, 4]
    assert aelib.two_sample_accuracy(x, other) == aelib.two_sample_accuracy(x, other, n_jobs=4)


def test_sparsity_and_dead_units_are_counted_as_by_hand():
    z = np.array([[0.0, 2, 0, -1], [0, 0, 0, 3], [0, 0.4, 0, 0]])
    np.testing.assert_allclose(aelib.active_share(z), [2 / 4, 1 / 4, 1 / 4])
    np.testing.assert_allclose(aelib.active_share(z, threshold=0.5), [2 / 4, 1 / 4, 0])
    np.testing.assert_array_equal(aelib.dead_units(z), [0, 2])
    np.testing.assert_array_equal(aelib.dead_units(z, threshold=2.5), [0, 1, 2])


@pytest.mark.parametrize("judge", [aelib.active_share, aelib.dead_units])
@pytest.mark.parametrize("threshold", [-1, np.inf, "a", None, True])
def test_a_threshold_of_activity_that_is_no_size_is_refused(judge, threshold):
    with pytest.raises(ValueError, match="threshold: expected a finite number of at least 0, got"):
        judge(np.eye(3), threshold)
    with pytest.raises(ValueError, match=r"z: expected shape \(n, any\), got \(3,\)"):
        judge(np.ones(3))


def test_a_probe_says_which_labels_do_not_fit():
    z = np.zeros((4, 2))
    with pytest.raises(ValueError, match=r"y_test: expected one class per code, shape \(4,\), got \(3,\)"):
        aelib.probe_accuracy(z, [0, 1, 0, 1], z, [0, 1, 0])
    with pytest.raises(ValueError, match="y_train: expected at least two classes"):
        aelib.probe_accuracy(z, [1, 1, 1, 1], z, [1, 1, 1, 1])


# Maps and factors


def test_a_copy_is_trustworthy_and_continuous_and_noise_is_neither(rng):
    x = rng.normal(size=(300, 5))
    assert aelib.trustworthiness(x, 3 * x) == aelib.continuity(x, 3 * x) == 1
    noise = rng.normal(size=(300, 2))
    assert 0.4 < aelib.trustworthiness(x, noise) < 0.6 and 0.4 < aelib.continuity(x, noise) < 0.6


def test_a_projection_loses_trust_and_a_cut_loses_continuity(rng):
    circle = rng.uniform(0, 2 * np.pi, 400)
    x = np.column_stack([np.cos(circle), np.sin(circle)])
    flattened, cut = x[:, :1], circle[:, None]
    assert aelib.trustworthiness(x, flattened) < 0.9 < aelib.trustworthiness(x, cut)
    assert aelib.continuity(x, flattened) > aelib.trustworthiness(x, flattened) + 0.05
    assert aelib.continuity(x, cut) < aelib.trustworthiness(x, cut)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_intrinsic_dimension_of_a_sheet_is_found_in_whatever_space_it_lies(rng, dimension):
    x = rng.normal(size=(2000, dimension)) @ rng.normal(size=(dimension, 40))
    assert aelib.intrinsic_dimension(x) == pytest.approx(dimension, rel=0.12)
    if dimension < 3:  # few neighbours are near the edge of the sheet less often
        assert aelib.intrinsic_dimension(x, 3) == pytest.approx(dimension, rel=0.05)
    assert np.isfinite(aelib.intrinsic_dimension(np.concatenate([x, x])))  # equal examples


def test_knn_accuracy_is_one_for_separate_clusters_and_chance_for_noise(rng):
    y = np.repeat([0, 1], 200)
    z = rng.normal(size=(400, 2)) + 10 * y[:, None]
    assert aelib.knn_accuracy(z[::2], y[::2], z[1::2], y[1::2]) == 1
    assert 0.3 < aelib.knn_accuracy(z[::2], rng.permutation(y[::2]), z[1::2], y[1::2]) < 0.7


def test_factors_are_recovered_whole_and_disentangled_where_each_has_a_number_of_its_own(rng):
    factors = rng.normal(size=(3000, 3))
    noise = rng.normal(size=(3000, 1))
    apart = np.column_stack([factors[:, 2] ** 3, factors[:, 0], noise[:, 0], -factors[:, 1]])
    found = aelib.factor_recovery(apart[:2000], factors[:2000], apart[2000:], factors[2000:])
    assert found.r2.min() > 0.95 and found.importance.shape == (4, 3)
    assert found.disentanglement > 0.9 and found.completeness > 0.9
    assert found.importance.argmax(axis=0).tolist() == [1, 3, 0]


def test_a_rotation_mixes_the_numbers_and_a_missing_factor_has_no_r2(rng):
    factors = rng.normal(size=(3000, 3))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    mixed = factors @ rotation
    found = aelib.factor_recovery(mixed[:2000], factors[:2000], mixed[2000:], factors[2000:])
    assert found.r2.min() > 0.7 and found.disentanglement < 0.6
    lost = aelib.factor_recovery(factors[:2000, :2], factors[:2000], factors[2000:, :2], factors[2000:])
    assert lost.r2[2] < 0.1 < 0.9 < lost.r2[:2].min()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: aelib.trustworthiness(x, x[:5]), "z: expected 20 codes, as many as in x, got 5"),
        (lambda x: aelib.trustworthiness(x, x, 15), "n_neighbors: expected at most 9 for so few examples, got 15"),
        (lambda x: aelib.intrinsic_dimension(x, 1), "n_neighbors: expected at least 2, got 1"),
        (lambda x: aelib.intrinsic_dimension(x, 30), "n_neighbors: expected at most 19"),
        (lambda x: aelib.knn_accuracy(x, x[:3, 0], x, x[:, 0]), "y_train: expected one class per code"),
        (lambda x: aelib.continuity(x, x[:5]), "z: expected 20 codes, as many as in x, got 5"),
        (lambda x: aelib.intrinsic_dimension(np.eye(30)), "x: expected points at different distances"),
        (lambda x: aelib.factor_recovery(x, 0 * x, x, x), r"factors_train: .* constant columns \[0, 1, 2\]"),
        (lambda x: aelib.factor_recovery(x, x[:, 0], x, x), r"factors_train: expected shape \(n, any\)"),
        (lambda x: aelib.factor_recovery(x, x[:5], x, x), "factors_train: expected one row per code"),
    ],
)
def test_wrong_arguments_of_maps_and_factors_are_named(rng, call, message):
    with pytest.raises(ValueError, match=message):
        call(rng.normal(size=(20, 3)))


def test_the_mutual_information_gap_of_codes_made_by_hand(rng):
    factors = rng.random((5000, 2))
    noise = rng.random((5000, 2))
    turned = factors @ np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    perfect, rotated, nothing, twice = (
        aelib.mutual_information_gap(z, factors) for z in (factors, turned, noise, np.hstack([factors, factors]))
    )
    assert perfect.shape == (2,) and perfect.min() > 0.95
    assert rotated.max() < 0.05 and nothing.max() < 0.02 and np.allclose(twice, 0, atol=1e-12)
    labels = rng.integers(3, size=(5000, 1))
    both = np.hstack([labels, noise[:, :1]])
    np.testing.assert_allclose(aelib.mutual_information_gap(both, labels), 1, atol=0.02)  # few values keep a bin each


@pytest.mark.parametrize(
    ("z", "factors", "message"),
    [
        (np.ones((3, 2)), np.eye(4), "z: expected 4 codes, as many as factors, got 3"),
        (np.ones((3, 2)), np.ones((3, 1)), r"factors: expected factors that vary, got constant columns \[0\]"),
    ],
)
def test_the_mutual_information_gap_refuses_what_has_none(z, factors, message):
    with pytest.raises(ValueError, match=message):
        aelib.mutual_information_gap(z, factors)
