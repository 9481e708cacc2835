"""Train a model from a seed, in one line: for comparisons, which need several seeds."""

import keras


def train(model, x, y=None, *, seed=0, epochs=10, batch_size=128, learning_rate=0.002, **fit_arguments):
    """Train from new random weights, drawn from ``seed``, with Adam and without a word.

    Whatever the model had learned before is lost: the next seed overwrites the last one's weights. The compiled graph
    is kept if the optimizer is the same, because making a graph costs as much as training a small model.

    Args:
        model: an ``aelib`` model, compiled or not.
        x: what ``fit`` takes: images, a dictionary, a stream.
        y: another target than the input, as in ``fit``.
        seed: of the weights, the noise and the order of the batches.
        epochs: how often each example is used.
        batch_size: examples per step.
        learning_rate: Adam's; a number or a Keras schedule.
        **fit_arguments: everything else that ``fit`` takes; ``verbose=2`` prints a line per epoch.

    Returns:
        The model. What was logged is in ``model.history``.

    Example:
        >>> models = [aelib.train(aelib.SimpleAutoencoder(3), x_train, seed=seed, epochs=5) for seed in (0, 1, 2)]
    """
    optimizer = keras.optimizers.Adam(learning_rate)
    if not (model.compiled and _settings(model.optimizer_at_first) == _settings(keras.optimizers.serialize(optimizer))):
        model.compile(optimizer)
    model.restart(seed)
    model.fit(x, y, epochs=epochs, batch_size=batch_size, **{"verbose": 0, **fit_arguments})
    return model


def _settings(optimizer):
    """Without the name, which Keras numbers: adam, adam_1, ..."""
    return optimizer["class_name"], {**optimizer["config"], "name": None}
