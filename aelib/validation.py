"""Bad input gets an error that names the argument, what was expected and what came."""

import numbers

import numpy as np


def check_array(x, name, shape=None, unit_interval=False):
    """Return ``x`` as a float32 array after checking it.

    Args:
        x: array-like of shape ``(n, ...)``.
        name: what the caller calls the argument; the error message uses it.
        shape: expected shape of one example, without the batch axis; ``None``, for it or for a side, accepts any.
        unit_interval: whether every value must lie in [0, 1], as a Bernoulli likelihood needs.

    Raises:
        ValueError: if ``x`` is not numeric, is empty, holds NaN or infinity, or has the wrong rank, shape or range.
    """
    try:
        x = np.asarray(x, dtype="float32")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected an array of numbers, got {type(x).__name__} ({error})") from error
    fits = shape is None or (
        x.ndim == len(shape) + 1 and all(b in (None, a) for a, b in zip(x.shape[1:], shape, strict=True))
    )
    if not fits:
        wanted = ", ".join(["n", *("any" if side is None else str(side) for side in shape)])
        hint = " A single example needs a batch axis: x[None]." if x.shape == tuple(shape) else ""
        raise ValueError(f"{name}: expected shape ({wanted}), got {x.shape}.{hint}")
    if x.size == 0:
        raise ValueError(f"{name}: expected at least one example, got an empty array of shape {x.shape}")
    low, high = float(x.min()), float(x.max())  # NaN and infinity show in the extremes: two cheap passes
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{name}: expected finite numbers, got {int((~np.isfinite(x)).sum())} NaN or infinite values")
    if unit_interval and (low < 0 or high > 1):
        hint = " Divide pixels by 255." if high > 2 else ""
        raise ValueError(f"{name}: expected values in [0, 1], got values from {low:g} to {high:g}.{hint}")
    return x


def check_same_shape(target, x_hat):
    """Raise a ``ValueError`` unless a target's shape is its reconstruction's; a stream may leave sizes open (None)."""
    wanted, came = tuple(x_hat)[1:], tuple(target)[1:]
    if len(wanted) != len(came) or any(a != b for a, b in zip(wanted, came, strict=True) if None not in (a, b)):
        raise ValueError(
            f"y: expected one target per reconstruction, of shape (n, {str(wanted)[1:-1]}), got (n, {str(came)[1:-1]})"
        )


def check_positive_int(value, name):
    """Return ``value`` as an ``int`` of at least 1, or raise a ``ValueError`` that names ``name``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"{name}: expected an integer of at least 1, got {value!r}")
    return int(value)
