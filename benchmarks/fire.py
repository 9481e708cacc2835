"""How far longer training brings the autoencoder of chapter 16: ``python benchmarks/fire.py [epochs] [seed]``.

Prints the error on calm days, and of ten fires how many are found, after how many minutes, beside PCA.
"""

import sys
import time

import keras
import numpy as np
from scipy.ndimage import uniform_filter

import aelib

FRAMES_PER_DAY = 144


def halved(images):
    return images.reshape(len(images), 32, 2, 32, 2, 3).mean(axis=(2, 4))


class Watcher:
    """Worst patch of 3 x 3 pixels, or the sum, of the squared error."""

    def __init__(self, model, patch):
        self.model, self.patch = model, patch

    def score_samples(self, x):
        error = np.square(x - self.model.predict(x)).sum(axis=-1)
        if self.patch:
            return -uniform_filter(error, (0, 3, 3), mode="constant").max(axis=(1, 2))
        return -error.sum(axis=(1, 2))


def burning_days(seed, n):
    choose = np.random.default_rng(seed)
    for i in range(n):
        day, start = choose.integers(365), int(choose.integers(36, 102))
        film = aelib.make_mountains(FRAMES_PER_DAY, 100 * seed + i, day, fires=[start], oddity_rate=0.03)
        yield start, halved(film.images)


def minutes_to_alarm(alarm, days):
    found = []
    for start, images in days:
        on = np.flatnonzero(alarm.is_on(images)[start : start + 36])
        found.append(10 * int(on[0]) if len(on) else 360)
    return sorted(found)


def main(epochs=60, seed=0):
    year = halved(aelib.make_mountains(4000, random_state=1, oddity_rate=0.03).images)
    days = range(15, 365, 91)
    calm = [aelib.make_mountains(4 * FRAMES_PER_DAY, s, s, oddity_rate=0.03).images for s in days]
    calm = halved(np.concatenate(calm[:4]))
    choice, fires = list(burning_days(2, 6)), list(burning_days(3, 10))
    start = time.perf_counter()
    pca = aelib.PCABaseline(200).fit(year)
    print(f"PCA: fitted in {time.perf_counter() - start:.0f} s")
    start = time.perf_counter()
    network = aelib.ConvolutionalAutoencoder(200, (16,), (32, 32, 3), kernel_size=4)
    rate = keras.optimizers.schedules.CosineDecay(0.003, epochs * -(-len(year) // 64))
    aelib.train(network, year, seed=seed, epochs=epochs, batch_size=64, learning_rate=rate)
    print(f"autoencoder: {epochs} epochs in {time.perf_counter() - start:.0f} s")
    for name, model in (("PCA", pca), ("autoencoder", network)):
        alarms = [aelib.Alarm(Watcher(model, patch), FRAMES_PER_DAY, 1.0, 3).fit(calm) for patch in (False, True)]
        best = min(alarms, key=lambda alarm: np.mean(minutes_to_alarm(alarm, choice)))
        error = aelib.mean_squared_error(calm, model.predict(calm))
        minutes = minutes_to_alarm(best, fires)
        print(f"{name}: MSE on calm days {1000 * error:.2f} / 1000, minutes {minutes} (360: missed)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
