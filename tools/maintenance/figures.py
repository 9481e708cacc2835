"""Redraw the committed picture of the README and the front page: `make figures`. Notebooks draw the rest."""

import keras
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import aelib
from notebooks import ROOT

DIGITS = (2, 3, 4, 5, 7, 9)  # so few that the labels can be read on a phone, where the picture is 390 pixels wide


def main():
    data = aelib.load_images()
    one_of_each = [np.flatnonzero(data.y_test == digit)[1] for digit in DIGITS]
    rows = {"original": data.x_test[one_of_each]}
    for latent_dim in (3, 32):
        keras.utils.set_random_seed(0)
        model = aelib.SimpleAutoencoder(latent_dim)
        model.compile(optimizer=keras.optimizers.Adam(0.01))
        model.fit(data.x_train, epochs=6, batch_size=256, verbose=2)
        rows[f"from {latent_dim}\nnumbers"] = model.predict(rows["original"])
    with plt.rc_context({"axes.labelsize": 18}):
        figure = aelib.plots.reconstructions(rows)
    figure.savefig(ROOT / "book" / "images" / "hero.png", dpi=160)
    print(f"book/images/hero.png, drawn from {data.description}")


if __name__ == "__main__":
    main()
