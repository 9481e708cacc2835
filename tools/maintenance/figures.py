"""Redraw the committed picture of the README and the front page: `make figures`. Notebooks draw the rest."""

import keras
import matplotlib

matplotlib.use("Agg")

import numpy as np

import aelib
from notebooks import ROOT


def main():
    data = aelib.load_images()
    one_of_each = [np.flatnonzero(data.y_test == digit)[1] for digit in range(10)]
    rows = {"original": data.x_test[one_of_each]}
    for latent_dim in (3, 32):
        keras.utils.set_random_seed(0)
        model = aelib.SimpleAutoencoder(latent_dim)
        model.compile(optimizer=keras.optimizers.Adam(0.01))
        model.fit(data.x_train, epochs=6, batch_size=256, verbose=2)
        rows[f"from {latent_dim} numbers"] = model.predict(rows["original"])
    figure = aelib.plots.reconstructions(rows)
    figure.savefig(ROOT / "book" / "images" / "hero.png", dpi=110)
    print(f"book/images/hero.png, drawn from {data.description}")


if __name__ == "__main__":
    main()
