"""An alarm over time, on top of a detector that scores single frames."""

import numbers

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from aelib.validation import check_positive_int


class Alarm(BaseEstimator):
    """Rings when frames of a time-lapse look abnormal, and keeps to so many false alarms per day.

    The anomaly score is averaged over the last frames, so that one odd frame does not ring. The alarm is on while the
    average is above a threshold; it is *raised* in the frame in which it goes on. ``fit`` chooses the threshold on calm
    frames that the detector has not learnt from: the lowest one at which, there, it is not raised more often than
    allowed, nor at any higher threshold.

    Args:
        detector: fitted; anything with ``score_samples(x) -> (n,)``, larger for what is more normal, such as an
            ``AnomalyDetector``.
        frames_per_day: of the camera.
        false_alarms_per_day: how often it may be raised when nothing happens.
        window: how many frames are averaged, the current one and those before it; none after it.

    Attributes:
        threshold_: of the averaged anomaly score.
        false_alarms_: how often it is raised on the frames of ``fit``.

    Example:
        >>> alarm = aelib.Alarm(detector, frames_per_day=144, window=3).fit(calm_week)
        >>> alarm.raised(x)  # numbers of the frames in which the alarm goes on
    """

    def __init__(self, detector, frames_per_day, false_alarms_per_day=1.0, window=1):
        self.detector = detector
        self.frames_per_day = frames_per_day
        self.false_alarms_per_day = false_alarms_per_day
        self.window = window

    def fit(self, X, y=None):  # noqa: N803, scikit-learn's name
        """Choose the threshold on calm frames ``X (n, ...)``, in the order of time; ``y`` is ignored. Returns ``self``.

        They must be long enough for one false alarm to be allowed: with half an alarm per day, two days.
        """
        if not callable(getattr(self.detector, "score_samples", None)):
            raise ValueError(f"detector: expected one with score_samples, got {type(self.detector).__name__}")
        for name in ("frames_per_day", "false_alarms_per_day"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < np.inf:
                raise ValueError(f"{name}: expected a number above 0, got {value!r}")
        allowed = int(self.false_alarms_per_day * len(X) / self.frames_per_day + 1e-9)
        if allowed < 1:
            days = 1 / self.false_alarms_per_day
            raise ValueError(
                f"X: expected at least {days:g} days of {self.frames_per_day:g} frames, for which one false alarm is "
                f"allowed, got {len(X)} frames"
            )
        scores = self.score(X)
        self.threshold_, self.false_alarms_ = np.inf, 0
        for threshold in np.unique(scores)[::-1]:  # on at equality would be one frame more: see `is_on`
            raised = len(_rises(scores > threshold))
            if raised > allowed:
                break
            self.threshold_, self.false_alarms_ = float(threshold), raised
        return self

    def score(self, X):  # noqa: N803
        """The anomaly score of each frame, averaged over the last ``window`` frames: ``(n, ...) -> (n,)``."""
        window = check_positive_int(self.window, "window")
        total = np.concatenate([[0.0], np.cumsum(-np.asarray(self.detector.score_samples(X), "float64"))])
        last = np.arange(1, len(total))
        first = np.maximum(last - window, 0)  # the first frames have fewer before them
        return (total[last] - total[first]) / (last - first)

    def is_on(self, X):  # noqa: N803
        """Whether the alarm is on, for frames in the order of time: ``(n, ...) -> (n,)`` of booleans."""
        check_is_fitted(self)
        return self.score(X) > self.threshold_

    def raised(self, X):  # noqa: N803
        """Numbers of the frames in which the alarm goes on: ``(n, ...) -> (n_alarms,)``."""
        return _rises(self.is_on(X))


def _rises(on):
    return np.flatnonzero(on & ~np.concatenate([[False], on[:-1]]))
