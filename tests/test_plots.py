"""Figures show what they are given: the data are read back from the drawn figure."""

import numpy as np
import pytest

from aelib import plots

IMAGES = np.random.default_rng(0).random((4, 28, 28))


def test_originals_stand_above_reconstructions():
    figure = plots.reconstructions({"original": IMAGES, "redrawn": IMAGES[::-1]}, titles=["a", "b", "c", "d"])
    assert len(figure.axes) == 8
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), IMAGES[0])
    np.testing.assert_array_equal(figure.axes[4].images[0].get_array(), IMAGES[3])
    assert [figure.axes[i].get_ylabel() for i in (0, 4)] == ["original", "redrawn"]
    assert all(axes.images[0].get_clim() == (0, 1) for axes in figure.axes)  # one grey scale for all


def test_rows_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"rows: expected rows of equal length, got \[4, 2\]"):
        plots.reconstructions({"a": IMAGES, "b": IMAGES[:2]})


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_code_is_a_point_and_every_class_is_named_once(dimensions, rng):
    z, labels = rng.normal(size=(50, dimensions)), np.arange(50) % 10
    axes = plots.codes(z, labels).axes[0]
    assert sum(len(cloud.get_offsets()) for cloud in axes.collections) == 50
    assert sorted(text.get_text() for text in axes.texts) == [str(digit) for digit in range(10)]
    assert axes.get_xlabel() == "code 1" and axes.get_ylabel() == "code 2"
    colours = {tuple(cloud.get_facecolor()[0][:3]) for cloud in axes.collections}
    assert len(colours) == 10


def test_codes_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"z: expected shape \(n, 2\) or \(n, 3\), got \(5, 4\)"):
        plots.codes(np.zeros((5, 4)), np.zeros(5))


def test_loss_curves_show_training_solid_and_validation_dashed():
    axes = plots.loss_curves({"model": {"loss": [3, 2], "val_loss": [4, 3]}}, ylabel="squared error").axes[0]
    training, validation = axes.lines
    np.testing.assert_array_equal(training.get_ydata(), [3, 2])
    np.testing.assert_array_equal(validation.get_xdata(), [1, 2])
    assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "squared error")
    with pytest.raises(ValueError, match=r"key: expected one of \['loss', 'val_loss'\], got 'kl'"):
        plots.loss_curves({"model": {"loss": [1], "val_loss": [1]}}, key="kl")


def test_a_model_has_its_colour_in_every_figure_and_no_other_curve_takes_it():
    histories = {label: {"loss": [2, 1]} for label in ("mine", "VAE", "autoencoder", "yours")}
    colours = [line.get_color() for line in plots.loss_curves(histories).axes[0].lines]
    assert colours[1:3] == [plots.MODEL_COLOURS["VAE"], plots.MODEL_COLOURS["autoencoder"]]
    assert len(set(colours)) == 4


def test_no_two_models_no_two_classes_and_no_two_shades_share_a_colour():
    for colours in (plots.MODEL_COLOURS.values(), plots.CLASS_COLOURS, plots.SHADES):
        assert len({colour.lower() for colour in colours}) == len(colours)
    lightness = [sum(bytes.fromhex(colour[1:])) for colour in plots.SHADES]
    assert lightness == sorted(lightness, reverse=True)  # dark means more, as in print


def test_the_decoding_grid_puts_the_largest_y_on_top_and_each_image_at_its_code():
    images = np.zeros((2, 3, 28, 28))
    images[1, 2] = 1  # y = 1, x = 20
    axes = plots.decoding_grid(images, x_values=[0, 10, 20], y_values=[0, 1]).axes[0]
    sheet = axes.images[0].get_array()
    assert sheet.shape == (56, 84) and sheet[:28, 56:].min() == 1 and sheet.sum() == 28 * 28
    assert axes.images[0].get_extent() == [-5, 25, -0.5, 1.5]
    with pytest.raises(ValueError, match=r"images: expected shape \(2, 2, height, width\), got \(2, 3, 28, 28\)"):
        plots.decoding_grid(images, [0, 1], [0, 1])


def test_the_hourglass_is_narrowest_at_the_code():
    axes = plots.hourglass([784, 30, 3, 30, 784], ["image", "", "code", "", "image"]).axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights.index(min(heights)) == 2 and heights[0] == heights[-1] == max(heights)
    assert "784" in [text.get_text() for text in axes.texts]
