"""The networks of `fit_speed.py` in PyTorch, trained by a loop as one would write it by hand.

    .venv/bin/python benchmarks/torch_loop.py <model> [rounds] [epochs]

Prints the milliseconds per step of the first epoch, then of `rounds` times `epochs`. Denormal numbers are flushed.
"""

import sys
import time

import numpy as np
import torch  # noqa: TID251
from torch import nn  # noqa: TID251
from torch.nn import functional  # noqa: TID251

BATCH = 256


class Variational(nn.Module):
    """784-300-20-300-784 with a random code. Its penalty is kept in ``divergence``."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 40))
        self.decoder = nn.Sequential(nn.Linear(20, 300), nn.ReLU(), nn.Linear(300, 784), nn.Sigmoid())

    def forward(self, x):
        mean, log_var = self.encoder(x).chunk(2, dim=1)
        self.divergence = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1).mean()
        return self.decoder(mean + (0.5 * log_var).exp() * torch.randn_like(mean))


MODELS = {
    "784-3-784": lambda: nn.Sequential(nn.Linear(784, 3), nn.Linear(3, 784), nn.Sigmoid()),
    "784-300-32-300-784": lambda: nn.Sequential(
        nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 32), nn.Linear(32, 300), nn.ReLU(), nn.Linear(300, 784),
        nn.Sigmoid(),
    ),
    "convolutional": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(1568, 16), nn.Linear(16, 1568), nn.ReLU(), nn.Unflatten(1, (32, 7, 7)),
        nn.ConvTranspose2d(32, 16, 3, 2, 1, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 3, 2, 1, 1), nn.Sigmoid(),
        nn.Flatten(),
    ),
    "variational": Variational,
}  # fmt: skip
N_IMAGES = {"convolutional": 5_000}


def loss_of(net, batch):
    """As aelib's: squared error, or for the variational one the negative ELBO, summed over pixels."""
    output = net(batch)
    if isinstance(net, Variational):
        return functional.binary_cross_entropy(output, batch, reduction="sum") / len(batch) + net.divergence
    return (output - batch).square().sum(1).mean()


def main(name, rounds=5, epochs=3):
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    n = N_IMAGES.get(name, 30_000)
    x = torch.from_numpy(np.random.default_rng(0).random((n, 784), dtype="float32"))
    net = MODELS[name]()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for these in (1, *[epochs] * rounds):
        started = time.perf_counter()
        for _ in range(these):
            for rows in torch.randperm(n).split(BATCH):
                optimizer.zero_grad(set_to_none=True)
                loss_of(net, x[rows]).backward()
                optimizer.step()
        print(1000 * (time.perf_counter() - started) / these / -(-n // BATCH), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
