"""The drawn mountain: what a frame shows follows from its causes, and its masks say where."""

import numpy as np
import pytest

import aelib


def brightness(images):
    return images.mean(axis=(1, 2, 3))


def test_the_same_seed_gives_the_same_frames_and_another_seed_others():
    first, second, other = (aelib.make_mountains(20, random_state=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.images, second.images)
    assert np.abs(first.images - other.images).mean() > 0.02
    assert first.images.shape == (20, 64, 64, 3) and first.images.dtype == "float32"
    assert first.images.min() >= 0 and first.images.max() <= 1
    assert first.factors.shape == (20, len(first.factor_names))


def test_a_time_lapse_begins_at_midnight_and_the_days_are_lighter_than_the_nights():
    week = aelib.make_mountains(1008, start_day=170)
    hour, sun = week.factors[:, 1], week.factors[:, 2]
    assert hour[:7].tolist() == pytest.approx([0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1])
    assert abs(hour[sun.argmax()] - 12) < 0.2 and 60 < sun.max() < 70  # 90 - 46 + 23.4 degrees
    light = brightness(week.images)
    assert light[sun > 20].min() > 2 * light[sun < -12].max()
    steps = np.abs(np.diff(week.images, axis=0)).mean(axis=(1, 2, 3))
    assert np.median(steps) < 0.03  # the weather changes slowly


def test_snow_covers_the_mountain_in_winter_and_leaves_it_in_summer():
    noon = {day: aelib.make_mountains(24, start_day=day, minutes_per_frame=60).images[10:15] for day in (20, 205)}
    rock = (slice(None), slice(20, 36), slice(24, 34))  # of the peak
    assert noon[20][rock].mean() > noon[205][rock].mean() + 0.15
    meadow = (slice(None), slice(60, 64))
    colour = noon[205][meadow].mean(axis=(0, 1, 2))
    assert colour[1] > 1.3 * colour[2]  # green


def test_without_fires_and_oddities_nothing_is_masked():
    frames = aelib.make_mountains(30, random_state=1)
    assert not frames.mask.any() and not frames.oddity.any() and (frames.minutes_burning == -1).all()


def test_a_fire_burns_six_hours_grows_and_changes_the_frame_where_its_mask_says():
    fires = [60, 200]
    calm, burning = (aelib.make_mountains(288, 5, start_day=200, fires=where) for where in ([], fires))
    np.testing.assert_array_equal(calm.factors, burning.factors)
    assert (np.flatnonzero(burning.minutes_burning >= 0) == [*range(60, 96), *range(200, 236)]).all()
    np.testing.assert_array_equal(burning.minutes_burning[60:64], [0, 10, 20, 30])
    fire = burning.mask > 0
    size = fire.sum(axis=(1, 2))
    assert size[60] < size[66] < size[95] and size[59] == size[96] == 0 and (burning.mask[90] == 2).any()
    change = np.abs(burning.images - calm.images).mean(axis=-1)
    assert change[fire].mean() > 3 * change[60:96][~fire[60:96]].mean()


def test_every_oddity_has_a_mask_of_its_own():
    frames = aelib.make_mountains(400, random_state=2, oddity_rate=0.5)
    assert 150 < (frames.oddity > 0).sum() < 250 and set(frames.oddity) == set(range(len(frames.oddities)))
    marked = (frames.mask == 3).any(axis=(1, 2))
    assert not marked[frames.oddity == 0].any()
    for kind in range(1, len(frames.oddities)):
        assert marked[frames.oddity == kind].mean() > 0.9, frames.oddities[kind]
    red = frames.images[frames.oddity == 2][:, 18:26, :10].mean(axis=(0, 1, 2))  # above the horizon
    assert red[0] > 1.3 * red[2]


@pytest.mark.parametrize(("arguments", "message"), [
    ({"n_frames": 0}, "n_frames: expected an integer of at least 1, got 0"),
    ({"minutes_per_frame": 0.5}, "minutes_per_frame: expected an integer of at least 1, got 0.5"),
    ({"fires": [3]}, "fires: expected none without start_day"),
    ({"n_frames": 5, "start_day": 1, "fires": [5]}, r"fires: expected numbers of frames from 0 to 4, got \[5\]"),
    ({"oddity_rate": 2}, r"oddity_rate: expected a share from 0 to 1, got 2"),
])  # fmt: skip
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        aelib.make_mountains(**arguments)
