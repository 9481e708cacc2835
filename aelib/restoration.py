"""Damage photographs with known damage, so that a repair can be measured."""

import numbers

import numpy as np

from aelib.validation import check_array, check_positive_int

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype="float32")  # of linear red, green, blue; ITU-R BT.709


def photo_patches(photo, size):
    """Cut a photo into square patches beside each other, row by row; what fills no patch at its margins is left out.

    Args:
        photo: RGB ``(height, width, 3)``, whole numbers from 0 to 255 or numbers in [0, 1].
        size: side of a patch in pixels.

    Returns:
        float32 ``(n, size, size, 3)`` in [0, 1].
    """
    photo, size = np.asarray(photo), check_positive_int(size, "size")
    if photo.ndim != 3 or photo.shape[-1] != 3:
        raise ValueError(f"photo: expected RGB of shape (height, width, 3), got {photo.shape}")
    photo = check_array(photo / 255 if photo.dtype == np.uint8 else photo, "photo", photo.shape[1:], unit_interval=True)
    height, width = photo.shape[0] // size, photo.shape[1] // size
    if not height or not width:
        raise ValueError(f"size: expected at most the photo's sides, {photo.shape[0]} x {photo.shape[1]}, got {size}")
    tiles = photo[: height * size, : width * size].reshape(height, size, width, size, 3)
    return tiles.swapaxes(1, 2).reshape(-1, size, size, 3)


def without_colour(x):
    """Take the colour away: each pixel's luminance in all three channels.

    Args:
        x: RGB images ``(n, height, width, 3)`` in [0, 1].

    Returns:
        The damaged images, same shape, and a mask ``(n, height, width)`` of the damaged pixels: all of them.
    """
    x = _rgb(x)
    grey = np.repeat(x @ LUMINANCE[:, None], 3, axis=-1)
    return grey, np.ones(x.shape[:3], dtype=bool)


def with_holes(x, share=0.15, seed=0):
    """Punch a black square hole into each image, at a random place.

    Args:
        x: RGB images ``(n, height, width, 3)`` in [0, 1].
        share: of the image that is missing, above 0 and below 1; the side is rounded to whole pixels.
        seed: of the places.

    Returns:
        The damaged images, same shape, and a mask ``(n, height, width)``, true in the holes.
    """
    x, share = _rgb(x), _inside("share", share)
    height, width = x.shape[1:3]
    side = int(np.clip(round((share * height * width) ** 0.5), 1, min(height, width)))
    rng = np.random.default_rng(seed)
    top = rng.integers(height - side + 1, size=(len(x), 1, 1))
    left = rng.integers(width - side + 1, size=(len(x), 1, 1))
    rows, columns = np.arange(height)[:, None], np.arange(width)
    mask = (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side)
    return np.where(mask[..., None], np.float32(0), x), mask


def with_watermark(x, opacity=0.5, period=8, thickness=2, seed=0):
    """Lay white diagonal stripes over each image, from a random start.

    Args:
        x: RGB images ``(n, height, width, 3)`` in [0, 1].
        opacity: of the stripes, above 0 (not to be seen) and below 1 (nothing shines through).
        period: pixels from one stripe to the next, along a row.
        thickness: of a stripe, in pixels along a row; less than ``period``.
        seed: of the starts.

    Returns:
        The damaged images, same shape, and a mask ``(n, height, width)``, true below the stripes.
    """
    x, opacity = _rgb(x), np.float32(_inside("opacity", opacity))
    period, thickness = check_positive_int(period, "period"), check_positive_int(thickness, "thickness")
    if thickness >= period:
        raise ValueError(f"thickness: expected less than the period, {period}, got {thickness}")
    start = np.random.default_rng(seed).integers(period, size=(len(x), 1, 1))
    rows, columns = np.arange(x.shape[1])[:, None], np.arange(x.shape[2])
    mask = (rows + columns + start) % period < thickness
    return np.where(mask[..., None], (1 - opacity) * x + opacity, x), mask


def _rgb(x):
    return check_array(x, "x", (None, None, 3), unit_interval=True)


def _inside(name, value):
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < 1:
        raise ValueError(f"{name}: expected a number above 0 and below 1, got {value!r}")
    return float(value)
