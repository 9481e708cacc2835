"""Walks through a code, against geometry."""

import numpy as np
import pytest

import aelib


def test_a_straight_way_averages_and_an_arc_keeps_length_and_pace(rng):
    a, b = rng.normal(size=(2, 5, 20)).astype("float32")
    b *= np.linalg.norm(a, axis=1, keepdims=True) / np.linalg.norm(b, axis=1, keepdims=True)
    straight, arc = (aelib.interpolate(a, b, 7, path) for path in ("straight", "spherical"))
    np.testing.assert_allclose(straight[:, 3], (a + b) / 2, rtol=1e-5)
    for walk in (straight, arc):
        assert walk.shape == (5, 7, 20)
        np.testing.assert_allclose(walk[:, [0, -1]], np.stack([a, b], axis=1), atol=1e-5)
    lengths = np.linalg.norm(arc, axis=2)
    np.testing.assert_allclose(lengths, np.repeat(lengths[:, :1], 7, axis=1), rtol=1e-5)
    steps = np.linalg.norm(np.diff(arc, axis=1), axis=2)
    np.testing.assert_allclose(steps, np.repeat(steps[:, :1], 6, axis=1), rtol=1e-4)


def test_images_fade_and_an_arc_between_equal_directions_is_straight(images):
    faded = aelib.interpolate(images[:3], images[3:6], 3)
    np.testing.assert_allclose(faded[:, 1], (images[:3] + images[3:6]) / 2, atol=1e-6)
    z = np.array([[1.0, 2, 3]])
    np.testing.assert_allclose(aelib.interpolate(z, 3 * z, 3, "spherical")[0], [z[0], 2 * z[0], 3 * z[0]], rtol=1e-5)


def test_a_traversal_moves_one_number_at_a_time():
    walks = aelib.traverse([1.0, 2, 3], [-5, 5], dimensions=[2, 0])
    np.testing.assert_array_equal(walks, [[[1, 2, -5], [1, 2, 5]], [[-5, 2, 3], [5, 2, 3]]])
    assert aelib.traverse(np.zeros(4), [0, 1, 2]).shape == (4, 3, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: aelib.interpolate(z, z[:, :2]), r"end: expected shape \(n, 3\), got \(4, 2\)"),
        (lambda z: aelib.interpolate(z, z[:2]), "end: expected 4 examples, as in start, got 2"),
        (lambda z: aelib.interpolate(z, z, 1), "n_steps: expected at least 2, both ends, got 1"),
        (lambda z: aelib.interpolate(z, z, path="curved"), "path: expected 'straight' or 'spherical', got 'curved'"),
        (lambda z: aelib.interpolate(z, 0 * z, path="spherical"), "start, end: expected codes other than 0"),
        (lambda z: aelib.interpolate(z, -z, path="spherical"), "start, end: expected no opposite directions"),
        (lambda z: aelib.traverse(z, [0, 1]), r"z: expected shape \(n, any\), got \(1, 4, 3\)"),
        (lambda z: aelib.traverse(z[0], [0, 1], [3]), r"dimensions: expected numbers from 0 to 2, got \[3\]"),
    ],
)
def test_walks_that_lead_nowhere_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((4, 3)))
