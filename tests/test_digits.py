"""Drawn digits: the same from the same seed, honest about their factors, and as hard as handwriting."""

import numpy as np
import pytest
from scipy.ndimage import shift
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier

from aelib import make_digits


def factor(digits, name):
    return digits.factors[:, digits.factor_names.index(name)]


def test_the_same_seed_draws_the_same_images_and_another_seed_others():
    a, b, c = make_digits(50, 1), make_digits(50, 1), make_digits(50, 2)
    np.testing.assert_array_equal(a.images, b.images)
    np.testing.assert_array_equal(a.factors, b.factors)
    assert not np.array_equal(a.images, c.images)


def test_images_are_ink_between_0_and_1_on_an_empty_margin(digits):
    assert digits.images.shape == (2000, 28, 28) and digits.images.dtype == np.float32
    assert digits.images.min() == 0 and digits.images.max() == 1
    edge = np.concatenate([digits.images[:, 0], digits.images[:, -1], digits.images[:, :, 0], digits.images[:, :, -1]])
    assert edge.mean() < 0.01
    grey = (digits.images > 0.02) & (digits.images < 0.98)
    assert 0.05 < grey.mean() < 0.3  # anti-aliased edges, but not a blur


def test_classes_are_balanced_and_in_random_order(digits):
    assert (np.bincount(digits.target) == 200).all()
    assert len(np.unique(digits.target[:50])) == 10


def test_factors_do_not_depend_on_the_class_or_on_each_other(digits):
    correlations = np.corrcoef(digits.factors.T) - np.eye(len(digits.factor_names))
    assert np.abs(correlations).max() < 0.1
    means = np.array([digits.factors[digits.target == digit].mean(axis=0) for digit in range(10)])
    assert (means.std(axis=0) < 0.2 * digits.factors.std(axis=0)).all()


def test_ink_grows_in_proportion_to_thickness_and_to_size(digits):
    """ink = length of the stroke x width of the pen: both exponents are 1; wobble and width explain the rest."""
    zeros = digits.target == 0
    logs = np.log([factor(digits, name)[zeros] for name in ("thickness", "size", "width")]).T
    ink = np.log(digits.images[zeros].sum(axis=(1, 2)))
    fit = LinearRegression().fit(logs, ink)
    assert fit.score(logs, ink) > 0.75
    assert fit.coef_[:2] == pytest.approx([1, 1], abs=0.25)


def test_slant_and_rotation_show_as_tilt(digits):
    ones = digits.target == 1
    y, x = np.mgrid[:28, :28] - 13.5
    tilt = -(digits.images[ones] * x * y).sum(axis=(1, 2)) / (digits.images[ones] * y * y).sum(axis=(1, 2))
    lean = factor(digits, "slant")[ones] + np.radians(factor(digits, "rotation")[ones])
    assert LinearRegression().fit(lean[:, None], tilt).score(lean[:, None], tilt) > 0.8


def test_a_factor_is_what_it_says_a_size_in_pixels():
    digits = make_digits(500, 3)
    upright = (digits.target == 1) & (np.abs(factor(digits, "rotation")) < 5)
    for image, size, pen in zip(
        digits.images[upright], factor(digits, "size")[upright], factor(digits, "thickness")[upright], strict=True
    ):
        rows = np.flatnonzero(image.max(axis=1) > 0.5)
        assert abs((rows[-1] - rows[0] + 1) - (size + pen)) < 5


def test_one_nearest_neighbour_finds_them_neither_trivial_nor_absurd():
    digits = make_digits(6000, 4)
    flat = digits.images.reshape(6000, -1)
    accuracy = KNeighborsClassifier(1).fit(flat[:5000], digits.target[:5000]).score(flat[5000:], digits.target[5000:])
    assert 0.88 < accuracy < 0.98


def test_they_are_centred_as_well_as_handwriting_is(digits):
    moved = [shift(image, (3, 0), order=0) for image in digits.images[:200]]
    here, there = (
        np.mean([np.average(np.arange(28), weights=i.sum(axis=1) + 1e-9) for i in images])
        for images in (digits.images[:200], moved)
    )
    assert abs(here - 13.5) < 1 and there - here > 2


@pytest.mark.parametrize("n_samples", [0, -3, 2.5, "ten", None])
def test_a_bad_number_of_samples_is_refused(n_samples):
    with pytest.raises(ValueError, match="n_samples: expected an integer of at least 1, got"):
        make_digits(n_samples)


def test_fewer_images_than_classes_and_more_than_a_chunk_can_be_drawn():
    assert make_digits(3).images.shape == (3, 28, 28)
    assert make_digits(4100).images.shape == (4100, 28, 28)


def test_a_fixed_factor_does_not_vary_and_the_others_stay_as_they_were():
    free, held = make_digits(50, 3), make_digits(50, 3, fixed={"rotation": 0.0, "size": 20.0})
    assert (held.factors[:, [2, 3]] == [0, 20]).all() and (held.target == free.target).all()
    np.testing.assert_array_equal(held.factors[:, [0, 1, 4, 5]], free.factors[:, [0, 1, 4, 5]])
    with pytest.raises(ValueError, match=r"fixed: expected names among .*, got 'colour'"):
        make_digits(5, fixed={"colour": 1})
