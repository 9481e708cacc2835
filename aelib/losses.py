"""Per-example reconstruction errors: ``(batch, ...), (batch, ...) -> (batch,)``, summed over the features.

Summing over features and averaging over the batch keeps two things true. The numbers are log-likelihoods (up to a
constant), so they can be compared with published ones; and a penalty's weight keeps its meaning when the image size
changes.
"""

import keras
from keras import ops


def _sum_over_features(values):
    return ops.sum(ops.reshape(values, (ops.shape(values)[0], -1)), axis=1)


@keras.saving.register_keras_serializable(package="aelib")
def squared_error(x, x_hat):
    """Squared Euclidean distance, the error of a Gaussian likelihood with unit variance (times two).

    Args:
        x: target, ``(batch, ...)``.
        x_hat: reconstruction, same shape.

    Returns:
        ``(batch,)``: the sum over all features of ``(x - x_hat) ** 2``.
    """
    return _sum_over_features(ops.square(x - x_hat))


@keras.saving.register_keras_serializable(package="aelib")
def binary_crossentropy(x, x_hat):
    """Negative log-likelihood of independent Bernoulli pixels, in nats.

    Args:
        x: target in [0, 1], ``(batch, ...)``.
        x_hat: probability of a one in [0, 1], same shape; clipped away from 0 and 1 by Keras's epsilon.

    Returns:
        ``(batch,)``: the sum over all features of ``-x log x_hat - (1 - x) log(1 - x_hat)``.
    """
    return _sum_over_features(ops.binary_crossentropy(x, x_hat))


_BY_NAME = {loss.__name__: loss for loss in (squared_error, binary_crossentropy)}


def get(loss):
    """The loss of that name, or ``loss`` itself if it is callable; ``ValueError`` otherwise."""
    if callable(loss):
        return loss
    if not isinstance(loss, str) or loss not in _BY_NAME:
        raise ValueError(f"reconstruction: expected a callable or one of {sorted(_BY_NAME)}, got {loss!r}")
    return _BY_NAME[loss]
