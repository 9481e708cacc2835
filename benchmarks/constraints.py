"""How strong shall each constraint of chapter 9 be? `python benchmarks/constraints.py`, some four minutes.

The models and the training of the chapter, from two seeds that it does not use. Everything is measured on 2,000
validation images. The chapter takes strengths at which all constraints have about the same error, 12.
"""

import keras
import numpy as np
from keras.layers import Dense, Flatten, Normalization

import aelib

WIDTH, EPOCHS, SEEDS = 1000, 5, (100, 101)
STRENGTHS = {
    "untrained": (0,),
    "nothing": (0,),
    "L1": (0.03, 0.1, 0.15, 0.3, 1.0),
    "KL": (0.01, 0.03, 0.1, 0.3, 1.0),
    "contractive": (0.01, 0.03, 0.1, 0.3),
    "top-k": (10, 25, 50, 100, 200),
}


def parts(mean_image, start=0.0, activation="relu"):
    """Encoder and decoder of one layer each; the encoder subtracts the mean image, its biases start at ``start``."""
    bias = keras.initializers.Constant(start)
    centre = Normalization(mean=mean_image.ravel(), variance=np.ones(mean_image.size))
    layers = [Flatten(), centre, Dense(WIDTH, activation, bias_initializer=bias)]
    encoder = keras.Sequential([keras.Input(mean_image.shape), *layers])
    return {"encoder": encoder, "decoder": aelib.SimpleAutoencoder(WIDTH).decoder}


def build(constraint, strength, mean_image):
    """An untrained model."""
    if constraint in ("untrained", "nothing"):
        return aelib.SparseAutoencoder(weight=0.0, **parts(mean_image))
    if constraint == "L1":
        return aelib.SparseAutoencoder(weight=strength, unit_norm=True, **parts(mean_image))
    if constraint == "KL":
        return aelib.SparseAutoencoder(weight=strength, target=0.05, **parts(mean_image, -3.0, None))
    if constraint == "contractive":
        return aelib.ContractiveAutoencoder(weight=strength, unit_norm=True, **parts(mean_image))
    return aelib.TopKAutoencoder(k=strength, unit_norm=True, **parts(mean_image))


def main():
    """Print a table."""
    data = aelib.load_images()
    x, y, x_val, y_val = data.x_train[:4000], data.y_train[:1000], data.x_train[-2000:], data.y_train[-2000:]
    print(data.description)
    pixels = [images.reshape(len(images), -1) for images in (x[:1000], x_val)]
    print(f"pixels: probe {aelib.probe_accuracy(pixels[0], y, pixels[1], y_val):.1%}")
    for constraint, strengths in STRENGTHS.items():
        for strength in strengths:
            model, rows = build(constraint, strength, x.mean(axis=0)), []
            threshold = 0.5 if constraint == "KL" else 0
            for seed in SEEDS:
                aelib.train(model, x, seed=seed, epochs=0 if constraint == "untrained" else EPOCHS)
                z = model.encode(x_val)
                probe = aelib.probe_accuracy(model.encode(x[:1000]), y, z, y_val)
                error = 784 * aelib.mean_squared_error(x_val, model.predict(x_val))
                dead = len(aelib.dead_units(z, threshold))
                rows.append((probe, error, aelib.active_share(z, threshold).mean(), dead))
            probe, error, active, dead = np.mean(rows, axis=0)
            numbers = f"probe {probe:.1%}, error {error:5.1f}, active {active:6.1%}, dead {dead:.0f}"
            print(f"{constraint:12s} {strength:7g}: {numbers}", flush=True)
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
