"""Seconds per epoch of each family: aelib, the same network in plain Keras, and a hand-written PyTorch loop.

    python benchmarks/families.py [repetitions, 5]

20,000 images, batch 256, Adam, squared error. Each with its defaults, as a reader would meet them: Keras compiles with
XLA and returns to Python after every batch, aelib does without XLA and returns after 32; both keep metrics, the PyTorch
loop keeps none. The first two take turns, so that a busy moment hits both; medians. The loop has a process of its own,
because PyTorch and TensorFlow in one can crash, and is left out where PyTorch is not installed.
The first epoch of each, which compiles, is not counted.
"""

import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from itertools import pairwise

import keras
import numpy as np
from keras import layers

import aelib

X = aelib.make_digits(20_000, random_state=0).images
BATCH, D = 256, 32


def dense_parts(codes=D):
    """784-300-32-300-784."""
    return aelib.StackedAutoencoder(codes).encoder, aelib.StackedAutoencoder(D).decoder


def aelib_models():
    """One of each family, with aelib's defaults."""
    return {
        "stacked": aelib.StackedAutoencoder(D),
        "convolutional": aelib.ConvolutionalAutoencoder(D),
        "recurrent": aelib.RecurrentAutoencoder(D),
        "denoising": aelib.DenoisingAutoencoder(D),
        "sparse": aelib.SparseAutoencoder(D),
        "contractive": aelib.ContractiveAutoencoder(D),
        "variational": aelib.VariationalAutoencoder(D, likelihood="gaussian"),
    }


class Sampling(layers.Layer):
    """What the Keras examples write by hand."""

    def call(self, statistics):
        mean, log_var = keras.ops.split(statistics, 2, axis=1)
        kl = 0.5 * keras.ops.sum(mean**2 + keras.ops.exp(log_var) - 1 - log_var, axis=1)
        self.add_loss(keras.ops.mean(kl))
        return mean + keras.ops.exp(0.5 * log_var) * keras.random.normal(keras.ops.shape(mean))


class Contractive(keras.Model):
    """One random direction, as in aelib."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def call(self, x):
        z = self.encoder(x)
        v = keras.random.normal(keras.ops.shape(x))
        slope = (self.encoder(x + 0.01 * v) - z) / 0.01
        self.add_loss(0.1 * keras.ops.mean(keras.ops.sum(slope**2, axis=1)))
        return self.decoder(z)


def keras_models():
    """The same networks without aelib."""
    parts = {
        "convolutional": aelib.ConvolutionalAutoencoder(D),
        "recurrent": aelib.RecurrentAutoencoder(D),
    }
    models = {name: keras.Sequential([part.encoder, part.decoder]) for name, part in parts.items()}
    encoder, decoder = dense_parts()
    models["stacked"] = keras.Sequential([encoder, decoder])
    encoder, decoder = dense_parts()
    models["denoising"] = keras.Sequential([layers.GaussianNoise(0.25), encoder, decoder])
    encoder, decoder = dense_parts()
    penalty = layers.ActivityRegularization(l1=0.1)
    models["sparse"] = keras.Sequential([encoder, penalty, decoder])
    models["contractive"] = Contractive(*dense_parts())
    encoder, decoder = dense_parts(2 * D)
    models["variational"] = keras.Sequential([encoder, Sampling(), decoder])
    return models


def keras_epoch(model, *data):
    """A function that trains for one epoch."""
    model.fit(*data, batch_size=BATCH, verbose=0)
    return lambda: model.fit(*data, batch_size=BATCH, verbose=0)


def torch_epochs():
    """Functions that train hand-written PyTorch networks for one epoch."""
    import torch  # noqa: TID251, the ban is for aelib

    nn = torch.nn
    torch.set_flush_denormal(True)  # as TensorFlow does; without it, L1 makes numbers so small that they are slow

    def mlp(*sizes):
        steps = [step for a, b in pairwise(sizes) for step in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*steps[:-1])

    def dense(codes=D):
        return mlp(784, 300, codes), nn.Sequential(mlp(D, 300, 784), nn.Sigmoid())

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.read, self.write = nn.LSTM(28, 64, batch_first=True), nn.LSTM(D, 64, batch_first=True)
            self.code, self.out = nn.Linear(64, D), nn.Linear(64, 28)

        def forward(self, x):
            z = self.code(self.read(x.view(-1, 28, 28))[1][0][0])
            return self.out(self.write(z[:, None].expand(-1, 28, -1))[0]).reshape(-1, 784)

    conv = nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(1568, D), nn.Linear(D, 1568), nn.ReLU(), nn.Unflatten(1, (32, 7, 7)),
        nn.ConvTranspose2d(32, 16, 3, 2, 1, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 3, 2, 1, 1), nn.Sigmoid(),
        nn.Flatten(),
    )  # fmt: skip
    whole = {"stacked": nn.Sequential(*dense()), "convolutional": conv, "recurrent": Recurrent()}
    pairs = {name: dense() for name in ("denoising", "sparse", "contractive")} | {"variational": dense(2 * D)}

    def loss_of(name, x):
        if name in whole:
            return ((whole[name](x) - x) ** 2).sum(1).mean()
        encoder, decoder = pairs[name]
        if name == "denoising":
            return ((decoder(encoder(x + 0.25 * torch.randn_like(x))) - x) ** 2).sum(1).mean()
        z = encoder(x)
        penalty = 0.0
        if name == "sparse":
            penalty = 0.1 * z.abs().sum(1).mean()
        elif name == "contractive":
            slope = (encoder(x + 0.01 * torch.randn_like(x)) - z) / 0.01
            penalty = 0.1 * (slope**2).sum(1).mean()
        else:
            mean, log_var = z.chunk(2, 1)
            penalty = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1).mean()
            z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
        return ((decoder(z) - x) ** 2).sum(1).mean() + penalty

    data = torch.from_numpy(X.reshape(-1, 784))

    def epoch(name):
        modules = [whole[name]] if name in whole else pairs[name]
        optimizer = torch.optim.Adam([p for module in modules for p in module.parameters()])

        def run():
            for rows in torch.randperm(len(data)).split(BATCH):
                optimizer.zero_grad()
                loss_of(name, data[rows]).backward()
                optimizer.step()

        run()
        return run

    return {name: epoch(name) for name in [*whole, *pairs]}


def main(repetitions=5):
    """Print the table."""
    epochs = {"aelib": {}, "plain Keras": {}}
    for name, model in aelib_models().items():
        model.compile()
        epochs["aelib"][name] = keras_epoch(model, X)
    for name, model in keras_models().items():
        model.compile("adam", "mse")
        epochs["plain Keras"][name] = keras_epoch(model, X, X)
    loops = torch_seconds(repetitions) if find_spec("torch") else {}
    kinds = [*epochs, *(["PyTorch loop"] if loops else [])]
    print(f"{'family':14s}" + "".join(f"{kind:>14s}" for kind in kinds) + "   aelib / plain Keras")
    for name in epochs["aelib"]:
        seconds = {kind: [] for kind in epochs}
        for _ in range(repetitions):
            for kind, runs in epochs.items():
                seconds[kind].append(timed(runs[name]))
        ratio = np.median(np.array(seconds["aelib"]) / np.array(seconds["plain Keras"]))
        medians = [statistics.median(values) for values in seconds.values()]
        medians += [loops[name]] if loops else []
        print(f"{name:14s}" + "".join(f"{median:12.2f} s" for median in medians) + f"   {ratio:.2f}", flush=True)


def timed(run):
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def torch_seconds(repetitions):
    """Median seconds of each family's loop; with Keras on PyTorch, TensorFlow stays out of that process."""
    command, environment = [sys.executable, __file__, "--torch", str(repetitions)], {"KERAS_BACKEND": "torch"}
    done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True)
    return {name: float(seconds) for name, seconds in map(str.split, done.stdout.splitlines())}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--torch"]:
        for name, epoch in torch_epochs().items():
            print(name, statistics.median(timed(epoch) for _ in range(int(sys.argv[2]))))
    else:
        main(*(int(argument) for argument in sys.argv[1:2]))
