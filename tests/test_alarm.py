"""The alarm over time, on scores whose alarms can be counted by hand."""

import numpy as np
import pytest
from sklearn.base import clone

import aelib


class Known:
    """A detector whose anomaly scores are the frames themselves."""

    def score_samples(self, x):
        return -np.asarray(x, "float64")


def test_the_threshold_allows_as_many_false_alarms_as_asked_and_no_more():
    calm = np.array([0, 5, 0, 3, 3, 0, 4, 0, 1, 2])  # peaks 5, 4, 3, 2
    for per_day, raised in ((1, [1]), (2, [1, 6]), (3, [1, 3, 6])):
        alarm = aelib.Alarm(Known(), frames_per_day=10, false_alarms_per_day=per_day).fit(calm)
        assert alarm.raised(calm).tolist() == raised and alarm.false_alarms_ == per_day
    assert (
        alarm.threshold_ == 2
        and alarm.is_on(calm).tolist() == [False, True, False, True, True, False, True] + [False] * 3
    )


def test_a_lower_threshold_that_merges_alarms_is_not_reached_through_one_that_has_too_many():
    calm = np.array([1.0, 3, 1, 3, 1, 3])  # above 1 three alarms, above 0.5 a single one
    alarm = aelib.Alarm(Known(), frames_per_day=6).fit(calm)
    assert alarm.threshold_ == 3 and alarm.false_alarms_ == 0


def test_the_average_looks_back_only_and_an_odd_frame_does_not_ring():
    alarm = aelib.Alarm(Known(), frames_per_day=4, window=3)
    np.testing.assert_allclose(alarm.score([3, 0, 0, 0, 6, 6]), [3, 1.5, 1, 0, 2, 4])
    calm = np.tile([0.0, 1, 0, 1], 5)
    alarm.set_params(false_alarms_per_day=0.2).fit(calm)
    assert len(alarm.raised([0, 0, 1.9, 0, 0, 0])) <= len(alarm.raised([0, 0, 1.9, 1.9, 1.9, 1.9])) == 1


def test_false_alarms_of_new_calm_days_keep_near_to_what_was_allowed():
    rng = np.random.default_rng(0)
    days, per_day = 50, 2.0
    calm, new = rng.normal(size=(2, 144 * days))
    alarm = aelib.Alarm(Known(), 144, per_day, window=3).fit(calm)
    assert alarm.false_alarms_ == per_day * days
    assert len(alarm.raised(new)) / days == pytest.approx(per_day, abs=0.6)  # three standard errors


def test_it_works_on_the_detector_that_exists():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 6)).astype("float32")
    detector = aelib.AnomalyDetector(epochs=2, random_state=0).fit(x[:150])
    alarm = aelib.Alarm(detector, frames_per_day=50, window=2).fit(x[150:250])
    ill = x[250:].copy()
    ill[30:] += 8
    assert clone(alarm).window == 2 and alarm.false_alarms_ <= 2
    assert alarm.is_on(ill)[31:].all() and (alarm.raised(ill) >= 30).any()


@pytest.mark.parametrize(("arguments", "frames", "message"), [
    ({"detector": 3}, 20, "detector: expected one with score_samples, got int"),
    ({"frames_per_day": 0}, 20, "frames_per_day: expected a number above 0, got 0"),
    ({"false_alarms_per_day": -1}, 20, "false_alarms_per_day: expected a number above 0, got -1"),
    ({"window": 0}, 20, "window: expected an integer of at least 1, got 0"),
    ({"false_alarms_per_day": 0.5}, 19, "X: expected at least 2 days of 10 frames, .* got 19 frames"),
])  # fmt: skip
def test_bad_arguments_are_refused_by_name(arguments, frames, message):
    with pytest.raises(ValueError, match=message):
        aelib.Alarm(**{"detector": Known(), "frames_per_day": 10} | arguments).fit(np.zeros(frames))
