"""Does a VAE generate better digits than a plain autoencoder with a Gaussian fitted to its codes, trained for longer?

    python benchmarks/vae_samples.py [epochs, 30] [seeds, 3]

The networks and the judge of chapter 11 (784-300-20-300-784, cross-entropy; a random forest that tells 800 generated
digits from 800 test images, 50 %: it is guessing), but all training images and a learning rate that falls to zero.
"""

import sys

import keras
import numpy as np

import aelib


def fitted_gaussian(codes, n, rng):
    """Draws from a Gaussian with the mean and the covariance of these codes."""
    return rng.multivariate_normal(codes.mean(axis=0), np.cov(codes.T), n)


def main(epochs=30, seeds=3, n=800, batch_size=128):
    """Train, generate, judge, print a line per seed."""
    data = aelib.load_images()
    print(f"{data.description}; {len(data.x_train):,} training images, {epochs} epochs")
    chosen = np.random.default_rng(0).permutation(len(data.x_test))
    real, other = data.x_test[chosen[:n]], data.x_test[chosen[n : 2 * n]]
    print(f"told from other real digits: {aelib.two_sample_accuracy(real, other, n_jobs=-1):.0%}", flush=True)
    models = {
        "VAE": aelib.VariationalAutoencoder(20),
        "plain": aelib.StackedAutoencoder(20, reconstruction="binary_crossentropy"),
    }
    steps = epochs * -(-len(data.x_train) // batch_size)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    for seed in range(seeds):
        rng, made = np.random.default_rng(seed), {}
        for name, model in models.items():
            aelib.train(model, data.x_train, seed=seed, epochs=epochs, batch_size=batch_size, learning_rate=rate)
            made[f"{name}, fitted Gaussian"] = model.decode(fitted_gaussian(model.encode(data.x_train), n, rng))
            made[f"{name}, prior"] = model.decode(rng.normal(size=(n, 20)))
        told = {name: aelib.two_sample_accuracy(real, images, n_jobs=-1) for name, images in made.items()}
        print(f"seed {seed}: " + "; ".join(f"{name} {share:.0%}" for name, share in told.items()), flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
