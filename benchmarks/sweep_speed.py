"""How much faster are two processes than one? Seconds of the same sweep, on cores of this machine.

    python benchmarks/sweep_speed.py [rounds]

The comparison is strict: the single process lets TensorFlow use all cores. Processes are started before the clock
(`cold` shows what that costs), because a notebook starts them once.
"""

import sys
import time

import joblib
import keras
import numpy as np

import aelib


def run(seed, latent_dim, x):
    model = aelib.StackedAutoencoder(latent_dim, (256,))
    model.compile(keras.optimizers.Adam(0.002))
    model.fit(x, epochs=4, batch_size=64, verbose=0)
    return {"mse": aelib.mean_squared_error(x[:2000], model.predict(x[:2000]))}


def timed(n_jobs, x):
    started = time.perf_counter()
    table = aelib.sweep(run, {"latent_dim": [2, 8, 32, 64]}, (0, 1, 2), {"x": x}, n_jobs=n_jobs)
    return time.perf_counter() - started, table


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    x = aelib.make_digits(15_000).images
    cold, _ = timed(2, x)
    seconds, tables = {1: [], 2: []}, {}
    for _ in range(rounds):
        for n_jobs in seconds:
            took, tables[n_jobs] = timed(n_jobs, x)
            seconds[n_jobs].append(took)
    one, two = (np.median(values) for values in seconds.values())
    print(f"{joblib.cpu_count()} cores, {len(tables[1])} runs, medians of {rounds} rounds")
    print(f"one process {one:.1f} s, two {two:.1f} s (cold {cold:.1f} s): {one / two:.2f} times as fast")
    difference = np.max(np.abs(tables[1].mse / tables[2].mse - 1))
    print(f"largest relative difference of a result, from rounding with other numbers of threads: {difference:.1e}")


if __name__ == "__main__":
    main()
