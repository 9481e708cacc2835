"""What does aelib's contract cost, and what do XLA and steps_per_execution bring?

    .venv/bin/python benchmarks/fit_speed.py [pairs]

Trains the dense network 784-300-32-300-784 on 60,000 images with batches of 256, through aelib and as a plain
functional Keras model with the same settings, in turn. Prints medians over the pairs and the ratio pair by pair. The
first epoch after `compile`, which includes tracing and XLA's compilation, is reported apart.
"""

import statistics
import sys
import time

import keras
from keras import layers

import aelib


def plain(settings):
    image = keras.Input((28, 28))
    hidden = layers.Dense(300, "relu")(layers.Flatten()(image))
    code = layers.Dense(32)(hidden)
    hidden = layers.Dense(300, "relu")(code)
    model = keras.Model(image, layers.Reshape((28, 28))(layers.Dense(784, "sigmoid")(hidden)))
    model.compile(optimizer="adam", loss="mse", **settings)
    return lambda x, epochs: model.fit(x, x, epochs=epochs, batch_size=256, verbose=0)


def ours(settings):
    model = aelib.StackedAutoencoder(32, hidden_units=(300,))
    model.compile(optimizer="adam", **settings)
    return lambda x, epochs: model.fit(x, epochs=epochs, batch_size=256, verbose=0)


def seconds(fit, x, epochs):
    started = time.perf_counter()
    fit(x, epochs)
    return (time.perf_counter() - started) / epochs


def main(pairs=5):
    x = aelib.load_images().x_train
    settings = {
        "Keras's defaults (XLA, 1 step)": {"jit_compile": "auto", "steps_per_execution": 1},
        "no XLA, 1 step": {"jit_compile": False, "steps_per_execution": 1},
        "no XLA, 32 steps (aelib's default)": {"jit_compile": False, "steps_per_execution": 32},
        "XLA, 32 steps": {"jit_compile": True, "steps_per_execution": 32},
    }
    print(f"{'':36s} first epoch     later epochs    ratio aelib/plain, later epochs")
    print(f"{'':36s} plain  aelib    plain  aelib    median (min to max)")
    for name, setting in settings.items():
        first, later = [], []
        for _ in range(pairs):
            fits = plain(setting), ours(setting)
            first.append([seconds(fit, x, 1) for fit in fits])
            later.append([seconds(fit, x, 3) for fit in fits])
        medians = [statistics.median(column) for rows in (first, later) for column in zip(*rows, strict=True)]
        ratios = [b / a for a, b in later]
        print(
            f"{name:36s} {medians[0]:5.2f}  {medians[1]:5.2f}    {medians[2]:5.2f}  {medians[3]:5.2f}    "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
