"""Photographs, cut and damaged: what is damaged is known to the pixel, and all else is left alone."""

import keras
import numpy as np
import pytest

import aelib
from aelib.restoration import LUMINANCE, photo_patches, with_holes, with_watermark, without_colour


@pytest.fixture
def photo(rng):
    return rng.integers(256, size=(37, 50, 3), dtype=np.uint8)


@pytest.fixture
def patches(photo):
    return photo_patches(photo, 12)


def test_patches_lie_beside_each_other_and_the_margin_is_left_out(photo, patches):
    assert patches.shape == (3 * 4, 12, 12, 3) and patches.dtype == np.float32
    np.testing.assert_array_equal(patches[5] * 255, photo[12:24, 12:24])
    np.testing.assert_array_equal(photo_patches(photo / 255, 12), patches)


@pytest.mark.parametrize(
    ("photo", "size", "message"),
    [
        (np.zeros((20, 20), np.uint8), 8, "photo: expected RGB"),
        (np.zeros((20, 20, 4), np.uint8), 8, "photo: expected RGB"),
        (np.zeros((20, 8, 3), np.uint8), 9, "size: expected at most the photo's sides, 20 x 8, got 9"),
        (np.zeros((20, 20, 3), np.uint8), 0, "size"),
        (np.full((20, 20, 3), 200.0), 8, "photo: expected values in .0, 1."),
    ],
)
def test_what_is_no_photo_or_no_patch_of_it_is_refused(photo, size, message):
    with pytest.raises(ValueError, match=message):
        photo_patches(photo, size)


def test_without_colour_the_brightness_stays_and_every_pixel_is_damaged(patches):
    grey, mask = without_colour(patches)
    assert np.ptp(grey, axis=-1).max() == 0 and mask.shape == patches.shape[:3] and mask.all()
    np.testing.assert_allclose(grey[..., 0], patches @ LUMINANCE, atol=1e-6)
    assert without_colour(np.ones((1, 2, 2, 3)))[0].max() <= 1


def test_a_hole_is_a_black_square_of_that_share_in_a_place_of_its_own(patches):
    damaged, mask = with_holes(patches, share=0.25, seed=3)
    assert (mask.sum(axis=(1, 2)) == 36).all() and not damaged[mask].any()
    np.testing.assert_array_equal(damaged[~mask], patches[~mask])
    for one in mask:
        rows, columns = np.flatnonzero(one.any(axis=1)), np.flatnonzero(one.any(axis=0))
        assert len(rows) == len(columns) == 6 and np.ptp(rows) == np.ptp(columns) == 5
    assert len({one.tobytes() for one in mask}) > 6
    np.testing.assert_array_equal(with_holes(patches, share=0.25, seed=3)[1], mask)
    assert (with_holes(patches, share=0.25, seed=4)[1] != mask).any()


def test_a_watermark_is_stripes_that_whoever_knows_them_can_undo(patches):
    damaged, mask = with_watermark(patches, opacity=0.4, period=6, thickness=2, seed=3)
    assert mask.mean() == pytest.approx(2 / 6)
    np.testing.assert_array_equal(damaged[~mask], patches[~mask])
    np.testing.assert_allclose((damaged[mask] - 0.4) / 0.6, patches[mask], atol=1e-6)
    assert (mask[:, 1:, :-1] == mask[:, :-1, 1:]).all()  # diagonal
    np.testing.assert_array_equal(with_watermark(patches, 0.4, 6, 2, seed=3)[1], mask)
    assert (with_watermark(patches, 0.4, 6, 2, seed=4)[1] != mask).any()


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, -0.1, 1.5, True, "0.5", None, float("nan")])
def test_no_damage_and_full_damage_are_refused(patches, value):
    with pytest.raises(ValueError, match=r"share: expected a number above 0 and below 1, got "):
        with_holes(patches, share=value)
    with pytest.raises(ValueError, match=r"opacity: expected a number above 0 and below 1, got "):
        with_watermark(patches, opacity=value)


def test_stripes_that_leave_nothing_between_them_and_images_that_are_no_rgb_are_refused(patches):
    with pytest.raises(ValueError, match="thickness: expected less than the period, 4, got 4"):
        with_watermark(patches, period=4, thickness=4)
    for damage in (without_colour, with_holes, with_watermark):
        with pytest.raises(ValueError, match=r"x: expected shape \(n, any, any, 3\)"):
            damage(patches[..., :1])
        with pytest.raises(ValueError, match=r"x: expected values in \[0, 1\]"):
            damage(patches * 255)


@pytest.mark.parametrize("reconstruction", ["squared_error", "binary_crossentropy"])
def test_restoration_is_fit_of_damaged_and_clean(patches, reconstruction):
    damaged, mask = with_holes(patches, seed=1)
    shape = {"input_shape": (12, 12, 3), "reconstruction": reconstruction}
    model = aelib.ConvolutionalAutoencoder(16, (8,), **shape)
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(damaged, patches, epochs=60, verbose=0)
    restored = model.predict(damaged)
    assert aelib.mean_squared_error(patches[mask], restored[mask]) < 0.5 * np.mean(patches[mask] ** 2)
