"""Drawn heartbeats: the waves are where and as high as their factors say."""

import numpy as np
import pytest

import aelib
from aelib.heartbeats import FACTOR_NAMES, SAMPLES_PER_SECOND

STILL = {"rate": 60.0, "r_height": 1.0, "t_height": 1.0, "delay": 0.0, "wander": 0.0, "noise": 0.0}


def test_the_same_seed_gives_the_same_beats_and_another_seed_others():
    first, second, other = (aelib.make_heartbeats(50, random_state=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.signals, second.signals)
    assert not np.array_equal(first.signals, other.signals)
    assert first.signals.shape == (50, 140) and first.signals.dtype == "float32" and np.isfinite(first.signals).all()
    assert first.factors.shape == (50, len(FACTOR_NAMES)) and len(first.kinds) == 4


def test_sixty_per_cent_are_normal_whatever_the_number():
    for n in (10, 999, 2000):
        target = aelib.make_heartbeats(n, n_steps=20).target
        assert np.mean(target == 0) == pytest.approx(0.6, abs=0.6 / n + 1e-9)
    assert np.bincount(target).tolist() == [1200, 400, 200, 200]


def test_the_highest_point_of_a_still_normal_beat_is_its_r_wave_a_third_of_the_way():
    beats = aelib.make_heartbeats(300, fixed=STILL)
    normal = beats.signals[beats.target == 0]
    assert np.abs(normal.argmax(axis=1) - 140 / 3).max() <= 1.5
    assert normal.max(axis=1).mean() == pytest.approx(1, abs=0.05)
    quiet = normal[:, -15:]  # after the T wave
    assert np.abs(quiet).max() < 0.02


@pytest.mark.parametrize(("name", "value", "measured"), [
    ("r_height", 2.0, lambda x: x.max(axis=1)),
    ("t_height", 2.0, lambda x: x[:, 75:].max(axis=1)),
])  # fmt: skip
def test_a_height_twice_as_large_draws_its_wave_twice_as_high(name, value, measured):
    still, changed = (aelib.make_heartbeats(300, fixed=STILL | {name: height}) for height in (1.0, value))
    normal = still.target == 0
    ratio = measured(changed.signals[normal]) / measured(still.signals[normal])
    assert ratio.mean() == pytest.approx(value, rel=0.03)


def test_a_delay_moves_the_beat_and_noise_has_its_standard_deviation():
    still, late, noisy = (
        aelib.make_heartbeats(300, fixed=STILL | extra) for extra in ({}, {"delay": 0.1}, {"noise": 0.05})
    )
    normal = still.target == 0
    moved = late.signals[normal].argmax(axis=1) - still.signals[normal].argmax(axis=1)
    assert np.abs(moved - 0.1 * SAMPLES_PER_SECOND).max() <= 1
    assert (noisy.signals - still.signals).std() == pytest.approx(0.05, rel=0.02)


def test_beats_that_are_not_stretched_last_as_long_as_their_rate_says():
    beats = aelib.make_heartbeats(200, n_steps=None)
    lengths = np.array([len(signal) for signal in beats.signals])
    np.testing.assert_array_equal(lengths, np.round(60 / beats.factors[:, 0] * SAMPLES_PER_SECOND).astype(int))
    assert lengths.min() >= 70 and lengths.max() <= 210 and len(set(lengths)) > 20


def test_the_kinds_differ_as_their_names_say():
    beats = aelib.make_heartbeats(2000, fixed=STILL)
    mean = {kind: beats.signals[beats.target == i].mean(axis=0) for i, kind in enumerate(beats.kinds)}
    r_wave = slice(30, 65)
    width = {kind: (signal[r_wave] > 0.5 * signal.max()).sum() for kind, signal in mean.items()}
    assert width["ventricular"] > 2 * width["normal"]
    late = slice(75, 100)
    assert mean["ventricular"][late].min() < -0.2 and mean["normal"][late].min() > -0.05
    early = slice(15, 40)
    assert mean["supraventricular"][early].min() < -0.08 < mean["normal"][early].min()
    assert mean["ST depression"][60:70].mean() < mean["normal"][60:70].mean() - 0.1


@pytest.mark.parametrize(("arguments", "message"), [
    ({"n_samples": 0}, "n_samples: expected an integer of at least 1, got 0"),
    ({"n_steps": 0}, "n_steps: expected an integer of at least 1, got 0"),
    ({"fixed": {"speed": 1}}, "fixed: expected names among .*rate.* got 'speed'"),
    ({"fixed": {"rate": 0}}, "fixed: expected a rate above 0 beats per minute, got 0"),
])  # fmt: skip
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        aelib.make_heartbeats(**arguments)
