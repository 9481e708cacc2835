"""How good is a dense VAE after a given training time? ELBO and importance-weighted log-likelihood in nats.

    python benchmarks/vae_likelihood.py [seconds of training, 120] [seed, 0] [draws per image and step, 1]

784-500-20-500-784, ReLU, Bernoulli likelihood, pixels binarised afresh in every epoch (Burda, Grosse & Salakhutdinov,
2015), all training images; the learning rate falls to zero along a cosine over the given seconds, compilation included.
With more than one draw the loss is the importance-weighted bound of so many draws. "+-" is the standard error over
images, for this one seed.
"""

import math
import sys
import time

import keras
import numpy as np

import aelib
from aelib.likelihood import refined_posterior, tightening


def binarised(x, rng):
    """Black or white pixels, white with the probability that the grey value gives."""
    return (rng.random(x.shape, dtype="float32") < x).astype("float32")


def main(seconds=120.0, seed=0, draws=1, batch_size=128, learning_rate=2e-3):
    """Train, evaluate on the test images, print."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    data = aelib.load_images()
    print(data.description)
    encoder = aelib.StackedAutoencoder(2 * 20, (500,)).encoder
    decoder = aelib.StackedAutoencoder(20, (500,)).decoder
    parts = {"encoder": encoder, "decoder": decoder, "seed": seed}
    vae = aelib.VariationalAutoencoder(**parts)
    if draws > 1:
        vae = aelib.ImportanceWeightedAutoencoder(n_draws=draws, **parts)
    vae.compile(keras.optimizers.Adam(learning_rate), jit_compile=True)
    started, epochs = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        vae.optimizer.learning_rate = learning_rate * 0.5 * (1 + math.cos(math.pi * elapsed / seconds))
        logs = vae.fit(binarised(data.x_train, rng), batch_size=batch_size, verbose=0).history
        epochs += 1
        if epochs % 10 == 0:
            print(f"epoch {epochs}, {elapsed:.0f} s: -ELBO {logs['loss'][0]:.2f} on training images", flush=True)
    print(f"{epochs} epochs in {time.perf_counter() - started:.0f} s")
    test = binarised(data.x_test, rng)
    elbo = vae.elbo(test, n_samples=10)
    kl = vae.evaluate(test, verbose=0, return_dict=True)["kl"]
    print(f"test -ELBO {-elbo.mean():.2f} nats (of which KL {kl:.2f}), {len(test):,} images, 10 draws")
    chosen = rng.choice(len(test), 1000, replace=False)  # the first half of MNIST's test images is the neater one
    print("importance-weighted bound on log p(x) of 1,000 of them, mean in nats:")
    started = time.perf_counter()
    for k, (bound, error) in tightening(vae, test[chosen]).iterrows():
        print(f"    K = {k:5d}: {bound:.2f} +- {error:.2f}")
    print(f"    {time.perf_counter() - started:.0f} s")
    few = test[chosen[:100]]
    best = refined_posterior(vae, few)
    own, refined, log_p = vae.elbo(few, 100), vae.elbo(few, 100, best), vae.log_likelihood(few, 5000, best)
    print(f"100 of them: ELBO {own.mean():.2f}, with a refined q {refined.mean():.2f}, log p(x) {log_p.mean():.2f}:")
    print(f"    amortisation gap {(refined - own).mean():.2f}, approximation gap {(log_p - refined).mean():.2f}")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]), *(int(argument) for argument in sys.argv[2:4]))
