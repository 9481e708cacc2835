"""Arrays in, figure out. Nothing here trains or predicts."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

# One colour per class. The eight of Okabe & Ito (2008), which survive colour blindness, the yellow darkened so that it
# shows on white; and a grey and a wine red to make ten.
CLASS_COLOURS = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#B5A400", "#0072B2", "#D55E00", "#CC79A7", "#999999", "#882255",
)  # fmt: skip
# The same colour for the same model in the whole book.
MODEL_COLOURS = {
    "PCA": "#000000",
    "autoencoder": "#0072B2",  # plain and dense
    "untrained": "#56B4E9",
    "denoising": "#D55E00",
    "convolutional": "#009E73",
    "VAE": "#CC79A7",
    "forest": "#B5A400",
    "baseline": "#999999",  # and whatever stays in the background
    "other": "#E69F00",  # whatever has no colour of its own, or shall stand out
}
SHADES = ("#56B4E9", "#0072B2", "#003350")  # three amounts of one quantity, the smallest first


def reconstructions(rows, titles=None, value_range=(0, 1)):
    """Rows of images, one above the other: originals above their reconstructions.

    Args:
        rows: a dict of row label to images ``(n, height, width)`` or ``(n, height, width, 3)``; equal n.
        titles: ``n`` texts above the columns.
        value_range: pixel values shown as white and as black.

    Returns:
        The matplotlib ``Figure``.
    """
    n = len(next(iter(rows.values())))
    if any(len(images) != n for images in rows.values()):
        raise ValueError(f"rows: expected rows of equal length, got {[len(images) for images in rows.values()]}")
    figure, axes = plt.subplots(
        len(rows), n, squeeze=False, figsize=(0.85 * n + 1.2, 0.85 * len(rows) + 0.4), layout="constrained"
    )
    for row, (label, images) in enumerate(rows.items()):
        for column, image in enumerate(images):
            axes[row, column].imshow(image, cmap="gray_r", vmin=value_range[0], vmax=value_range[1])
            axes[row, column].set(xticks=[], yticks=[])
        axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center")
    for column, title in enumerate([] if titles is None else titles):
        axes[0, column].set_title(title, fontsize="small")
    return figure


def codes(z, labels, names=None, ax=None):
    """Scatter of 2-D or 3-D codes, coloured by label, each class named at its median.

    Args:
        z: ``(n, 2)`` or ``(n, 3)``.
        labels: ``(n,)`` integers, at most ten different ones.
        names: the axes' labels; ``code 1``, ``code 2``, ... by default.
        ax: axes to draw into, three-dimensional for three columns; a new figure by default.

    Returns:
        The matplotlib ``Figure``.
    """
    z, labels = np.asarray(z), np.asarray(labels)
    if z.ndim != 2 or z.shape[1] not in (2, 3):
        raise ValueError(f"z: expected shape (n, 2) or (n, 3), got {z.shape}")
    names = names or [f"code {i + 1}" for i in range(z.shape[1])]
    if ax is None:
        _, ax = plt.subplots(
            figsize=(7, 6), layout="constrained", subplot_kw={"projection": "3d" if z.shape[1] == 3 else None}
        )
    classes = np.unique(labels)
    for label in classes:
        own = z[labels == label]
        colour = CLASS_COLOURS[int(label) % len(CLASS_COLOURS)]
        ax.scatter(*own.T, s=9, color=colour, alpha=0.7, linewidths=0, label=str(label))
        ax.text(
            *np.median(own, axis=0),
            str(label),
            weight="bold",
            ha="center",
            va="center",
            zorder=10,
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour, "alpha": 0.85},
        )
    for axis, name in zip("xyz", names, strict=False):
        getattr(ax, f"set_{axis}label")(name)
    return ax.figure


def loss_curves(histories, key="loss", ylabel=None, ax=None):
    """One quantity over the epochs, training solid and validation dashed.

    Args:
        histories: a dict of label to Keras ``History`` or to its ``history`` dict. A label of ``MODEL_COLOURS`` gets
            its colour.
        key: which logged quantity.
        ylabel: the axis label with its unit; ``key`` by default.
        ax: axes to draw into; a new figure by default.

    Returns:
        The matplotlib ``Figure``.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
    named = {label: MODEL_COLOURS[label] for label in histories if label in MODEL_COLOURS}
    free = cycle(colour for colour in CLASS_COLOURS[5:] + CLASS_COLOURS[:5] if colour not in named.values())
    for label, history in histories.items():
        logged = getattr(history, "history", history)
        if key not in logged:
            raise ValueError(f"key: expected one of {sorted(logged)}, got {key!r}")
        epochs = np.arange(1, len(logged[key]) + 1)
        colour = named.get(label) or next(free)
        ax.plot(epochs, logged[key], color=colour, label=f"{label}, training")
        if f"val_{key}" in logged:
            ax.plot(epochs, logged[f"val_{key}"], "--", color=colour, label=f"{label}, validation")
    ax.set(xlabel="epoch", ylabel=ylabel or key)
    ax.legend(frameon=False)
    return ax.figure


def decoding_grid(images, x_values, y_values, xlabel="code 1", ylabel="code 2"):
    """A sheet of decoded images, each drawn at the place of its 2-D code.

    Args:
        images: ``(len(y_values), len(x_values), height, width)``; row 0 belongs to ``y_values[0]``.
        x_values: ``(columns,)``, increasing.
        y_values: ``(rows,)``, increasing.
        xlabel: name of the horizontal code.
        ylabel: name of the vertical code.

    Returns:
        The matplotlib ``Figure``.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[:2] != (len(y_values), len(x_values)):
        raise ValueError(
            f"images: expected shape ({len(y_values)}, {len(x_values)}, height, width), got {images.shape}"
        )
    sheet = np.concatenate(np.concatenate(images[::-1], axis=1), axis=1)  # the largest y on top
    edges = [_outer_edges(x_values), _outer_edges(y_values)]
    figure, ax = plt.subplots(figsize=(6, 6), layout="constrained")
    ax.imshow(sheet, cmap="gray_r", vmin=0, vmax=1, extent=[*edges[0], *edges[1]], aspect="auto")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return figure


def _outer_edges(values):
    half = (values[-1] - values[0]) / max(len(values) - 1, 1) / 2
    return values[0] - half, values[-1] + half


def hourglass(units, names=None, ax=None):
    """Drawing of an autoencoder: one bar per layer, as high as the layer is wide, on a logarithmic scale.

    Args:
        units: numbers per layer, input first: ``[784, 3, 784]``.
        names: what to write below each bar.
        ax: axes to draw into; a new figure by default.

    Returns:
        The matplotlib ``Figure``.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    heights = 0.25 + np.log1p(units) / np.log1p(max(units))
    code = int(np.argmin(units))
    for i, (height, unit) in enumerate(zip(heights, units, strict=True)):
        colour = MODEL_COLOURS["other"] if i == code else MODEL_COLOURS["autoencoder"]
        ax.bar(i, height, bottom=-height / 2, width=0.22, color=colour)
        ax.text(i, height / 2 + 0.04, f"{unit:,}", ha="center", va="bottom")
        ax.text(i, -0.72, names[i] if names else "", ha="center", va="top")
    for i in range(len(units) - 1):
        top = heights[i : i + 2] / 2
        ax.fill_between([i + 0.11, i + 0.89], top, -top, color="#cccccc", alpha=0.5, linewidth=0)
    ax.set(xlim=(-0.5, len(units) - 0.5), ylim=(-1.0, 0.85))
    ax.axis("off")
    return ax.figure
