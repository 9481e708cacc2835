"""Heartbeats drawn as sums of waves: signals with known causes that need no download.

An electrocardiogram of one beat is a row of bumps with names: P, Q, R, S and T. Each is drawn as a Gaussian in time, as
in the model of McSharry, Clifford, Tarassenko & Smith (2003). Where a bump lies, how wide and how high it is depends on
the kind of beat, and a little on chance.
"""

import numpy as np
from sklearn.utils import Bunch

from aelib.validation import check_positive_int

SAMPLES_PER_SECOND = 140  # of a beat as it is recorded; at 60 beats per minute one lasts 140 samples
KINDS = ("normal", "ventricular", "supraventricular", "ST depression")
FACTOR_NAMES = ("rate", "r_height", "t_height", "delay", "wander", "noise")
_SHARES = (0.6, 0.2, 0.1, 0.1)  # of the kinds
# Of each wave: seconds after the R wave, width in seconds (standard deviation), height in millivolts.
_NORMAL = {"P": (-0.18, 0.022, 0.15), "Q": (-0.035, 0.011, -0.12), "R": (0.0, 0.012, 1.0)}
_NORMAL |= {"S": (0.035, 0.012, -0.25), "ST": (0.13, 0.04, 0.0), "T": (0.27, 0.045, 0.3)}
_WAVES = {
    "normal": _NORMAL,
    # Starts in the ventricle: no P wave, everything wide, and a T wave that points the other way.
    "ventricular": _NORMAL
    | {"P": (-0.18, 0.022, 0.0), "Q": (-0.07, 0.03, -0.1), "R": (0.0, 0.04, 1.2), "S": (0.1, 0.04, -0.5)}
    | {"T": (0.29, 0.06, -0.35)},
    # Starts in the atrium, at another place: the P wave is early and inverted, all else normal.
    "supraventricular": _NORMAL | {"P": (-0.11, 0.02, -0.12)},
    # Too little blood for the heart's own muscle: the line between S and T sinks, T is flat.
    "ST depression": _NORMAL | {"ST": (0.13, 0.05, -0.2), "T": (0.27, 0.045, 0.12)},
}


def make_heartbeats(n_samples=5000, random_state=0, n_steps=140, fixed=None):
    """Draw single heartbeats with known causes; 60 % are normal, the rest are of three kinds of abnormal beats.

    Args:
        n_samples: how many beats.
        random_state: seed; the same seed gives the same beats.
        n_steps: samples of each beat, all stretched to this length, as in ECG5000; ``None`` leaves each beat as long as
            it lasts, at 140 samples per second.
        fixed: factors that shall not vary, as a dict of name to value.

    Returns:
        A scikit-learn ``Bunch``:

        - ``signals``: float32 ``(n, n_steps)`` in millivolts; with ``n_steps=None`` a list of ``n`` arrays
          ``(length,)``, 70 to 210 samples each;
        - ``target``: int64 ``(n,)``, the kind, an index into ``kinds``; 0 is normal;
        - ``factors``: float32 ``(n, 6)``, in the order of ``factor_names``: rate (beats per minute), r_height and
          t_height (factors on the heights of the R and the T wave), delay (seconds by which the whole beat comes
          later), wander (millivolts, of the slow drift of the baseline), noise (millivolts, standard deviation);
        - ``kinds``, ``factor_names``: names.

    Example:
        >>> beats = aelib.make_heartbeats(1000, random_state=0)
        >>> normal = beats.signals[beats.target == 0]
    """
    n_samples = check_positive_int(n_samples, "n_samples")
    if n_steps is not None:
        n_steps = check_positive_int(n_steps, "n_steps")
    rng = np.random.default_rng(random_state)
    target = rng.permutation(np.searchsorted(np.cumsum(_SHARES), (np.arange(n_samples) + 0.5) / n_samples))
    factors = _draw_factors(rng, n_samples)
    for name, value in (fixed or {}).items():
        if name not in FACTOR_NAMES:
            raise ValueError(f"fixed: expected names among {FACTOR_NAMES}, got {name!r}")
        factors[:, FACTOR_NAMES.index(name)] = value
    if (factors[:, 0] <= 0).any():
        raise ValueError(f"fixed: expected a rate above 0 beats per minute, got {fixed['rate']}")
    seconds = 60 / factors[:, :1]  # that a beat lasts
    lengths = np.round(seconds[:, 0] * SAMPLES_PER_SECOND).astype(int)
    longest = n_steps or lengths.max()
    step = seconds / n_steps if n_steps else np.full_like(seconds, 1 / SAMPLES_PER_SECOND)
    time = np.arange(longest) * step  # (n, longest), seconds since the beat began
    signals = _waves(rng, time, seconds, target, factors) + _disturbances(rng, time, factors)
    signals = signals.astype("float32")
    if n_steps is None:
        signals = [signal[:length] for signal, length in zip(signals, lengths, strict=True)]
    return Bunch(signals=signals, target=target, factors=factors, kinds=KINDS, factor_names=FACTOR_NAMES)


def _draw_factors(rng, n):
    return np.column_stack(
        [
            rng.normal(72, 12, n).clip(40, 120),  # rate
            rng.lognormal(0.0, 0.15, n),  # r_height
            rng.lognormal(0.0, 0.2, n),  # t_height
            rng.normal(0.0, 0.008, n),  # delay
            rng.gamma(2.0, 0.03, n),  # wander
            rng.gamma(4.0, 0.006, n),  # noise
        ]
    ).astype("float32")


def _waves(rng, time, seconds, target, factors):
    """The sum of the waves, ``(n, steps)``: R stands at a third of the beat, P and T move with the rate."""
    n = len(time)
    table = np.array([[_WAVES[kind][wave] for wave in _NORMAL] for kind in KINDS])  # (kinds, waves, 3)
    centre, width, height = np.moveaxis(table[target], 2, 0)[..., None]  # each (n, waves, 1)
    at_rate = np.sqrt(seconds / 0.8)  # a fast heart relaxes faster, by about the root (Bazett, 1920)
    stretch = np.where(np.isin(list(_NORMAL), ("P", "ST", "T"))[:, None], at_rate[:, None], 1.0)
    chance = 1 + 0.06 * rng.normal(size=(3, n, len(_NORMAL), 1))
    height = height * chance[0]
    for wave, column in (("R", 1), ("T", 2)):
        height[:, list(_NORMAL).index(wave), 0] *= factors[:, column]
    r_wave = (seconds / 3 + factors[:, 3:4])[:, None]
    since = time[:, None] - r_wave - centre * stretch * chance[1]
    return (height * np.exp(-0.5 * (since / (width * chance[2])) ** 2)).sum(axis=1)


def _disturbances(rng, time, factors):
    """What the electrodes add: a slow drift of the baseline, as breathing makes it, and noise."""
    breaths = rng.uniform(0.15, 0.4, (len(time), 1))  # per second
    drift = np.sin(2 * np.pi * (breaths * time + rng.random((len(time), 1))))
    return factors[:, 4:5] * drift + factors[:, 5:6] * rng.normal(size=time.shape)
