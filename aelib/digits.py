"""Handwritten digits drawn from stroke skeletons: data with known factors that needs no download.

A digit is one to three pen strokes, each a spline through a few control points in a box one unit high. Every image
moves the control points a little, resamples the strokes as points of ink, and lays the points through a rotation, a
slant and a size. A point of ink is a Gaussian blob; the blob of a point is the outer product of a row and a column
profile, so an image is one small matrix product and 60,000 of them take seconds.
"""

import numpy as np
from scipy.interpolate import CubicSpline
from sklearn.utils import Bunch

from aelib.validation import check_positive_int

# Control points (x to the right, y downwards) of the strokes of each digit, in two or three ways of writing it.
SKELETONS = {
    0: [
        [[(0.02, -0.5), (-0.27, -0.28), (-0.3, 0.12), (-0.05, 0.5), (0.26, 0.27), (0.3, -0.15), (0.02, -0.5)]],
        [
            [
                (0.1, -0.47),
                (-0.2, -0.35),
                (-0.31, 0.1),
                (-0.08, 0.48),
                (0.2, 0.36),
                (0.3, -0.05),
                (0.16, -0.42),
                (-0.08, -0.44),
            ]
        ],
    ],
    1: [
        [[(0.0, -0.5), (0.0, -0.17), (0.0, 0.17), (0.0, 0.5)]],
        [[(-0.18, -0.28), (-0.08, -0.38), (0.03, -0.5)], [(0.03, -0.5), (0.03, -0.1), (0.03, 0.5)]],
    ],
    2: [
        [
            [(-0.28, -0.28), (-0.05, -0.5), (0.24, -0.33), (0.12, 0.0), (-0.28, 0.46)],
            [(-0.28, 0.46), (0.0, 0.45), (0.3, 0.44)],
        ],
        [
            [
                (-0.26, -0.33),
                (0.0, -0.5),
                (0.23, -0.28),
                (0.05, 0.12),
                (-0.24, 0.42),
                (-0.3, 0.25),
                (-0.08, 0.3),
                (0.12, 0.45),
                (0.32, 0.4),
            ]
        ],
    ],
    3: [
        [
            [(-0.25, -0.38), (0.0, -0.5), (0.22, -0.3), (-0.04, -0.04)],
            [(-0.04, -0.04), (0.26, 0.14), (0.12, 0.44), (-0.12, 0.49), (-0.28, 0.34)],
        ],
        [
            [(-0.24, -0.46), (0.0, -0.47), (0.24, -0.46)],
            [(0.24, -0.46), (0.1, -0.26), (-0.03, -0.07)],
            [(-0.03, -0.07), (0.25, 0.1), (0.14, 0.42), (-0.1, 0.49), (-0.28, 0.36)],
        ],
    ],
    4: [
        [
            [(-0.22, -0.46), (-0.27, -0.15), (-0.24, 0.06), (0.02, 0.07), (0.28, 0.02)],
            [(0.22, -0.44), (0.17, 0.0), (0.14, 0.5)],
        ],
        [
            [(0.1, -0.5), (-0.1, -0.22), (-0.3, 0.12)],
            [(-0.3, 0.12), (0.0, 0.13), (0.32, 0.12)],
            [(0.1, -0.5), (0.1, 0.0), (0.1, 0.5)],
        ],
    ],
    5: [
        [
            [(0.28, -0.48), (0.03, -0.47), (-0.2, -0.46)],
            [(-0.2, -0.46), (-0.22, -0.28), (-0.24, -0.08)],
            [(-0.24, -0.08), (0.04, -0.13), (0.26, 0.1), (0.14, 0.42), (-0.1, 0.5), (-0.28, 0.38)],
        ],
        [
            [
                (0.26, -0.5),
                (-0.02, -0.42),
                (-0.17, -0.22),
                (-0.1, -0.05),
                (0.14, 0.06),
                (0.22, 0.28),
                (0.0, 0.49),
                (-0.26, 0.4),
            ]
        ],
    ],
    6: [
        [
            [
                (0.18, -0.5),
                (-0.1, -0.25),
                (-0.26, 0.12),
                (-0.12, 0.46),
                (0.14, 0.46),
                (0.24, 0.22),
                (0.08, 0.03),
                (-0.2, 0.18),
            ]
        ],
        [[(0.02, -0.5), (-0.2, -0.15), (-0.24, 0.25), (0.0, 0.5), (0.24, 0.3), (0.1, 0.06), (-0.18, 0.2)]],
    ],
    7: [
        [[(-0.28, -0.42), (0.0, -0.44), (0.28, -0.45)], [(0.28, -0.45), (0.1, -0.08), (-0.06, 0.5)]],
        [[(-0.27, -0.36), (-0.24, -0.46), (0.02, -0.44), (0.26, -0.46)], [(0.26, -0.46), (0.14, -0.1), (0.06, 0.5)]],
        [
            [(-0.28, -0.44), (0.0, -0.45), (0.28, -0.45)],
            [(0.28, -0.45), (0.1, -0.05), (-0.08, 0.5)],
            [(-0.16, 0.02), (0.05, 0.0), (0.26, -0.02)],
        ],
    ],
    8: [
        [
            [
                (0.2, -0.38),
                (-0.04, -0.5),
                (-0.22, -0.3),
                (0.0, -0.04),
                (0.22, 0.24),
                (0.02, 0.5),
                (-0.22, 0.28),
                (0.0, -0.02),
                (0.22, -0.28),
                (0.2, -0.38),
            ]
        ],
        [
            [(0.02, -0.5), (-0.2, -0.3), (0.0, -0.06), (0.2, -0.28), (0.02, -0.5)],
            [(0.0, -0.06), (-0.24, 0.22), (0.0, 0.5), (0.24, 0.24), (0.0, -0.06)],
        ],
    ],
    9: [
        [
            [(0.22, -0.3), (0.02, -0.5), (-0.2, -0.32), (-0.1, -0.06), (0.14, -0.12), (0.23, -0.34)],
            [(0.23, -0.34), (0.2, 0.08), (0.12, 0.5)],
        ],
        [
            [
                (0.2, -0.36),
                (-0.04, -0.5),
                (-0.22, -0.26),
                (-0.04, -0.04),
                (0.18, -0.2),
                (0.22, -0.36),
                (0.2, 0.05),
                (0.08, 0.4),
                (-0.18, 0.48),
            ]
        ],
    ],
}
FACTOR_NAMES = ("thickness", "slant", "rotation", "size", "width", "wobble")
_POINTS = 100  # of ink per digit: about half a pixel apart, closer than the thinnest pen is wide
_CHUNK = 4096  # images whose strokes are drawn at once, which bounds the memory
_RENDERED_AT_ONCE = 64  # few enough for the processor's cache


def make_digits(n_samples=60_000, random_state=0, fixed=None):
    """Draw 28x28 anti-aliased digits with known factors of variation.

    The classes are balanced and in random order. Every factor is independent of the class and of the other factors.

    Args:
        n_samples: how many images.
        random_state: seed; the same seed gives the same images.
        fixed: factors that shall not vary, as a dict of name to value; the others stay as they would have been.

    Returns:
        A scikit-learn ``Bunch``:

        - ``images``: float32 ``(n, 28, 28)``, ink in [0, 1];
        - ``target``: int64 ``(n,)``, the class, 0 to 9;
        - ``factors``: float32 ``(n, 6)``, in the order of ``factor_names``:
          thickness (width of the pen in pixels), slant (shear: shift to the right per unit of height), rotation
          (degrees, clockwise), size (height in pixels), width (a factor on the horizontal extent),
          wobble (standard deviation of the control points, as a fraction of the height).

    Example:
        >>> digits = aelib.make_digits(1000, random_state=0)
        >>> digits.images.shape, dict(zip(digits.factor_names, digits.factors[0]))
    """
    n_samples = check_positive_int(n_samples, "n_samples")
    rng = np.random.default_rng(random_state)
    target = rng.permutation(np.arange(n_samples) % 10)
    factors = _draw_factors(rng, n_samples)
    for name, value in (fixed or {}).items():
        if name not in FACTOR_NAMES:
            raise ValueError(f"fixed: expected names among {FACTOR_NAMES}, got {name!r}")
        factors[:, FACTOR_NAMES.index(name)] = value
    images = np.empty((n_samples, 28, 28), "float32")
    for start in range(0, n_samples, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        ink = _ink_points(rng, target[chunk], factors[chunk, 5])
        x, y = _place(ink, factors[chunk])
        for i in range(0, len(x), _RENDERED_AT_ONCE):
            few = slice(i, i + _RENDERED_AT_ONCE)
            images[chunk][few] = _render((x[few], y[few]), factors[chunk, 0][few])
    return Bunch(images=images, target=target, factors=factors, factor_names=FACTOR_NAMES)


def _draw_factors(rng, n):
    return np.column_stack(
        [
            rng.gamma(6.0, 0.2, n) + 1.3,  # thickness: mean 2.5 pixels, skewed towards bold
            rng.normal(0.15, 0.25, n),  # slant: right-handed writers lean to the right
            rng.normal(0.0, 9.0, n),  # rotation
            rng.normal(18.5, 1.5, n).clip(14.0, 22.0),  # size
            rng.normal(1.0, 0.18, n).clip(0.5, 1.5),  # width
            rng.gamma(6.0, 0.008, n) + 0.015,  # wobble
        ]
    ).astype("float32")


def _ink_points(rng, target, wobble):
    """Points of ink along the wobbled strokes, ``(n, points, 2)``, in units of the digit's height."""
    points = np.empty((len(target), _POINTS, 2), "float32")
    for digit, ways in SKELETONS.items():
        members = np.flatnonzero(target == digit)
        way = rng.integers(len(ways), size=len(members))
        for i, strokes in enumerate(ways):
            rows = members[way == i]
            if len(rows):
                points[rows] = _wobbled(rng, strokes, wobble[rows])
    return points


def _wobbled(rng, strokes, wobble):
    """Move the control points, then put ink evenly along the splines through them."""
    lengths = np.array([np.linalg.norm(np.diff(stroke, axis=0), axis=1).sum() for stroke in strokes])
    ends = np.round(np.cumsum(lengths) / lengths.sum() * _POINTS).astype(int)
    counts = np.diff(ends, prepend=0)
    nodes = sorted({node for stroke in strokes for node in stroke})  # a node shared by two strokes moves once
    moves = rng.normal(size=(len(wobble), len(nodes), 2)).clip(-2, 2) * wobble[:, None, None]
    drawn = []
    for stroke, count in zip(strokes, counts, strict=True):
        at = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(stroke, axis=0), axis=1))]
        control = np.array(stroke) + moves[:, [nodes.index(node) for node in stroke]]
        drawn.append(CubicSpline(at, control, axis=1)(np.linspace(0, at[-1], count)))
    return np.concatenate(drawn, axis=1)


def _place(ink, factors):
    """Height units to pixels: width, slant, rotation, size; then the middle of the ink to the middle of the image."""
    _, slant, degrees, size, width, _ = (column[:, None] for column in factors.T)
    x, y = ink[..., 0] * width, ink[..., 1]
    x = x - slant * y
    angle = np.radians(degrees)
    x, y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    x, y = x * size, y * size
    middle = 13.5
    return x - x.mean(1, keepdims=True) + middle, y - y.mean(1, keepdims=True) + middle


def _render(place, thickness):
    """Blur the points with a Gaussian, then cut at half its height: the edge lies half a pen width from the stroke."""
    x, y = place
    sigma = (thickness / 2 / np.sqrt(2 * np.log(2)))[:, None, None]
    pixels = np.arange(28, dtype="float32")
    across = np.exp(-0.5 * np.square((pixels - x[..., None]) / sigma))  # (n, points, 28)
    down = np.exp(-0.5 * np.square((pixels - y[..., None]) / sigma))
    step = np.hypot(np.diff(x, axis=1), np.diff(y, axis=1))
    step = np.minimum(np.pad(step, ((0, 0), (0, 1)), mode="edge"), 2.0)  # no ink for the jump between two strokes
    down *= (step / (sigma[..., 0] * np.sqrt(2 * np.pi)))[..., None]  # ink per length, whatever the spacing
    ink = np.matmul(down.transpose(0, 2, 1), across)  # (n, 28, 28), about 1 on the middle of a stroke
    slope = sigma * 2 / np.sqrt(2 * np.log(2))  # makes the edge one pixel wide
    return np.clip(0.5 + (ink - 0.5) * slope, 0.0, 1.0).astype("float32")
