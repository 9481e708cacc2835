"""Walks through a code: arrays in, arrays out, to be decoded."""

import numpy as np

from aelib.validation import check_array, check_positive_int


def interpolate(start, end, n_steps=9, path="straight"):
    """Points on the way from some codes to others, both ends included. Works for images, too: there it fades over.

    Args:
        start: codes ``(n, latent_dim)``, or arrays of any shape ``(n, ...)``.
        end: as many, of the same shape.
        n_steps: points on each way, at least 2.
        path: ``"straight"``; or ``"spherical"``, along the arc between the two directions (Shoemake, 1985; for codes:
            White, 2016, 1609.04468). Between two draws of a Gaussian the arc keeps their length, while the straight
            way passes nearer to 0 than hardly any draw lies.

    Returns:
        ``(n, n_steps, ...)``.
    """
    start = check_array(start, "start")
    end = check_array(end, "end", start.shape[1:])
    if len(start) != len(end):
        raise ValueError(f"end: expected {len(start)} examples, as in start, got {len(end)}")
    if check_positive_int(n_steps, "n_steps") < 2:
        raise ValueError(f"n_steps: expected at least 2, both ends, got {n_steps}")
    if path not in ("straight", "spherical"):
        raise ValueError(f"path: expected 'straight' or 'spherical', got {path!r}")
    a, b = (points.reshape(len(points), 1, -1).astype("float64") for points in (start, end))
    t = np.linspace(0, 1, n_steps)[None, :, None]
    left, right = 1 - t, t
    if path == "spherical":
        lengths = [np.linalg.norm(points, axis=-1, keepdims=True) for points in (a, b)]
        if not all(length.all() for length in lengths):
            raise ValueError("start, end: expected codes other than 0, which has no direction, for a spherical path")
        cosine = np.sum((a / lengths[0]) * (b / lengths[1]), axis=-1, keepdims=True).clip(-1, 1)
        if cosine.min() < -1 + 1e-9:
            raise ValueError("start, end: expected no opposite directions, between which there are many arcs")
        angle = np.arccos(cosine)
        near = angle < 1e-4  # the arc is straight, and the quotient below would be 0 / 0
        sine = np.where(near, 1, np.sin(angle))
        left = np.where(near, left, np.sin((1 - t) * angle) / sine)
        right = np.where(near, right, np.sin(t * angle) / sine)
    return (left * a + right * b).reshape(len(start), n_steps, *start.shape[1:]).astype("float32")


def traverse(z, values, dimensions=None):
    """One code, with one of its numbers after the other set to each of some values.

    Args:
        z: a code, ``(latent_dim,)``.
        values: ``(n_values,)``, in units of the code.
        dimensions: which numbers to move; all by default.

    Returns:
        ``(n_dimensions, n_values, latent_dim)``.
    """
    z = check_array(np.asarray(z)[None], "z", (None,))[0]
    values = check_array(values, "values", ())
    dimensions = np.arange(len(z)) if dimensions is None else np.atleast_1d(dimensions)
    if not np.isin(dimensions, np.arange(len(z))).all():
        raise ValueError(f"dimensions: expected numbers from 0 to {len(z) - 1}, got {dimensions.tolist()}")
    walks = np.tile(z, (len(dimensions), len(values), 1))
    for walk, dimension in zip(walks, dimensions, strict=True):
        walk[:, dimension] = values
    return walks
