"""How fast does a model train, in aelib's defaults and elsewhere?

    .venv/bin/python benchmarks/fit_speed.py [rounds] [model ...]

Four networks, each trained on random images in batches of 256: through aelib as it comes, as a plain Keras model with
XLA (Keras's default) and without, through aelib on JAX, and by a hand-written PyTorch loop where PyTorch is installed
beside the rest. Those of one process take turns, `rounds` times. Printed are milliseconds per step, the median over the
rounds and the extremes, in steady state: the first epoch, with tracing and compilation, is reported apart. Last comes
the time that the dense network's matrix products alone take, at the speed of one large product.
"""

import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import aelib
from aelib.models import machinery

MODELS = {  # name: (aelib's model, images)
    "784-3-784": (lambda: aelib.SimpleAutoencoder(3), 30_000),
    "784-300-32-300-784": (lambda: aelib.StackedAutoencoder(32, (300,)), 30_000),
    "convolutional": (lambda: aelib.ConvolutionalAutoencoder(16), 5_000),
    "variational": (lambda: aelib.VariationalAutoencoder(20), 30_000),
}
BATCH, EPOCHS = 256, 3


def images(n):
    return np.random.default_rng(0).random((n, 28, 28), dtype="float32")


def ours(name, long=False):
    """aelib as a reader uses it; `long` is as a training of more than 5,000 steps, for which `fit` may choose XLA."""
    model, n = MODELS[name]
    model, x = model(), images(n)
    model.compile("adam")

    def fit(epochs):
        machinery._XLA_REPAYS_AFTER = 0 if long else 5_000
        model.fit(x, epochs=epochs, batch_size=BATCH, verbose=0)

    return fit


def plain(name, jit_compile):
    """The same layers as a plain Keras model; the variational one with its penalty."""
    model, n = MODELS[name]
    model, x = model(), images(n)
    image = keras.Input((28, 28))
    if name == "variational":
        model = PlainVariational(model.encoder, model.decoder)
    else:
        model = keras.Model(image, model.decoder(model.encoder(image)))
    model.compile("adam", loss="mse", jit_compile=jit_compile)
    return lambda epochs: model.fit(x, x, epochs=epochs, batch_size=BATCH, verbose=0)


class PlainVariational(keras.Model):
    """As in Keras's own example: a random code, and its divergence as a loss."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder, self.seed = encoder, decoder, keras.random.SeedGenerator(0)

    def call(self, x):
        mean, log_var = keras.ops.split(self.encoder(x), 2, axis=-1)
        self.add_loss(keras.ops.mean(aelib.models.variational.kl_divergence(mean, log_var)))
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.seed)
        return self.decoder(mean + keras.ops.exp(0.5 * log_var) * noise)


def step_milliseconds(name, fit, epochs):
    started = time.perf_counter()
    fit(epochs)
    return 1000 * (time.perf_counter() - started) / epochs / -(-MODELS[name][1] // BATCH)


def on_jax(name, rounds):
    """The same in a process of its own, since a process has one backend."""
    return _elsewhere([__file__, "--only-aelib", str(rounds), name], KERAS_BACKEND="jax")


def in_torch(name, rounds):
    """The hand-written loop, in a process of its own, since PyTorch and TensorFlow in one can crash."""
    return _elsewhere([str(Path(__file__).with_name("torch_loop.py")), name, str(rounds), str(EPOCHS)])


def _elsewhere(command, **environment):
    done = subprocess.run(
        [sys.executable, *command], env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True
    )
    first, *later = map(float, done.stdout.split())
    return first, later


def matrix_product_limit():
    """Milliseconds that one step of the dense network needs for its products alone: forward and twice backward."""
    a = np.ones((2048, 2048), "float32")
    seconds = min(_seconds(lambda: a @ a) for _ in range(20))
    flops = 3 * 2 * BATCH * 2 * (784 * 300 + 300 * 32) - 2 * BATCH * 784 * 300  # no gradient for the input
    return 1000 * flops / (2 * 2048**3 / seconds), 2 * 2048**3 / seconds / 1e9


def _seconds(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main(rounds=5, *names):
    for name in names or MODELS:
        contestants = {
            "aelib": ours(name),
            "aelib, long training": ours(name, long=True),
            "Keras, XLA (its default)": plain(name, "auto"),
            "Keras, no XLA": plain(name, False),
        }
        first = {label: step_milliseconds(name, fit, 1) for label, fit in contestants.items()}
        later = {label: [] for label in contestants}
        for _ in range(rounds):
            for label, fit in contestants.items():
                later[label].append(step_milliseconds(name, fit, EPOCHS))
        first["aelib on JAX"], later["aelib on JAX"] = on_jax(name, rounds)
        if find_spec("torch"):
            first["PyTorch loop"], later["PyTorch loop"] = in_torch(name, rounds)
        else:
            print("PyTorch is not installed: its loop is left out")
        for label, values in later.items():
            print(
                f"{name:20s} {label:26s} {statistics.median(values):6.2f} ms per step ({min(values):.2f} to "
                f"{max(values):.2f}), first epoch {first[label]:.1f}",
                flush=True,
            )
    limit, speed = matrix_product_limit()
    print(f"784-300-32-300-784   matrix products alone      {limit:6.2f} ms per step, at {speed:.0f} GFLOP/s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--only-aelib"]:
        fit = ours(sys.argv[3])
        print(*(step_milliseconds(sys.argv[3], fit, epochs) for epochs in (1, *[EPOCHS] * int(sys.argv[2]))))
    else:
        main(*map(int, sys.argv[1:2]), *sys.argv[2:])
