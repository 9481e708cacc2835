"""Train the small models of the live pages and write what `book/_static/live.js` needs: `python live_models.py FOLDER`.

For each page a script with its weights (8 bits, in decoders 16, with a scale for each column), and a still picture for
browsers without JavaScript. `reference.json`, which is not published, holds inputs and what Keras makes of them: for
the test that JavaScript computes the same.
"""

import base64
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

import aelib

VERSION = 1  # of the format; live.js knows it, too
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def text(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode()


def packed(kernel, bias, activation="linear", bits=8):
    """One dense layer as live.js reads it."""
    layer = {"inputs": kernel.shape[0], "outputs": kernel.shape[1], "activation": activation, "bits": bits}
    layer["bias"] = text(bias, "<f4")
    if bits == 32:
        return layer | {"kernel": text(kernel, "<f4")}
    scale = np.abs(kernel).max(axis=0).clip(1e-12) / (2 ** (bits - 1) - 1)
    return layer | {"kernel": text(np.round(kernel / scale), f"<i{bits // 8}"), "scale": text(scale, "<f4")}


def dense_layers(part):
    """The dense layers of an encoder or a decoder, in order."""
    for layer in part.layers:
        if isinstance(layer, keras.Sequential):
            yield from dense_layers(layer)
        elif isinstance(layer, keras.layers.Dense):
            yield layer


def network(part, bits=8):
    return [
        packed(*layer.get_weights(), keras.activations.serialize(layer.activation), bits)
        for layer in dense_layers(part)
    ]


def pca_network(pca, x, bits=8):
    """PCA as two dense layers without an activation."""
    d = pca.latent_dim
    probes = np.vstack([np.zeros((1, d)), np.eye(d)]).astype("float32")
    decoded = pca.decode(probes).reshape(d + 1, -1)
    up, mean = decoded[1:] - decoded[0], decoded[0]
    offset = pca.encode(decoded[:1].reshape(1, *x.shape[1:]))[0]
    encoder, decoder = packed(up.T, offset - mean @ up.T, bits=bits), packed(up, mean, bits=max(bits, 16))
    return {"encoder": [encoder], "decoder": [decoder]}


def as_bytes(images):
    return {"images": text(np.round(255 * images.clip(0, 1)), "u1")}


def still(folder, name, rows):
    """Rows of images as one picture, black on white."""
    sheet = np.vstack([np.hstack(list(row)) for row in rows])
    plt.imsave(folder / f"{name}.png", 1 - np.kron(sheet, np.ones((2, 2))).clip(0, 1), cmap="gray", vmin=0, vmax=1)


def explorer(data, folder):
    """The plane of a VAE with two code numbers."""
    encoder = aelib.StackedAutoencoder(4, (256,)).encoder
    decoder = aelib.StackedAutoencoder(2, (160,)).decoder
    vae = aelib.VariationalAutoencoder(encoder=encoder, decoder=decoder)
    aelib.train(vae, data.x_train[:20_000], epochs=20, batch_size=128, learning_rate=0.002)
    codes = vae.encode(data.x_train[:1500])
    ticks = np.linspace(-2.5, 2.5, 12)
    grid = np.stack(np.meshgrid(ticks, -ticks), axis=-1).reshape(-1, 2).astype("float32")
    still(folder, "explorer", vae.decode(grid).reshape(12, 12, 28, 28))
    inputs = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
    return {
        "decoder": network(vae.decoder, 16),
        "codes": codes.astype("float64").round(2).tolist(),
        "colours": aelib.plots.CLASS_COLOURS,
        "labels": data.y_train[:1500].tolist(),
    }, [("decoder", network(vae.decoder, 32), inputs, vae.decode(inputs))]


def draw(data, folder):
    """Codes of 3 and of 32 numbers, beside PCA's."""
    models, checks, rows = {}, [], [data.x_test[:12]]
    for d in (3, 32):
        model = aelib.train(aelib.SimpleAutoencoder(d), data.x_train[:20_000], epochs=15, learning_rate=0.003)
        pca = aelib.PCABaseline(d).fit(data.x_train[:20_000])
        low, high = np.quantile(model.encode(data.x_train[:5000]), [0.01, 0.99], axis=0)
        models[str(d)] = {
            "autoencoder": {
                "encoder": network(model.encoder),
                "decoder": network(model.decoder, 16),
                "ranges": np.stack([low, high], axis=1).astype("float64").round(2).tolist(),
            },
            "PCA": pca_network(pca, data.x_train),
        }
        rows.append(model.predict(data.x_test[:12]))
        exact_pca, x = pca_network(pca, data.x_train, 32), data.x_test[:20]
        for name, fitted, encoder, decoder in (
            ("autoencoder", model, network(model.encoder, 32), network(model.decoder, 32)),
            ("PCA", pca, exact_pca["encoder"], exact_pca["decoder"]),
        ):
            z = fitted.encode(x)
            checks.append((f"models/{d}/{name}/encoder", encoder, x, z))
            checks.append((f"models/{d}/{name}/decoder", decoder, z, fitted.decode(z)))
    still(folder, "draw", rows)
    return {"models": models, "examples": as_bytes(data.x_test[20:40])}, checks


def normal(data, folder):
    """A denoising autoencoder of threes, and the threshold with 5 % false alarms on threes that were held out."""
    threes = data.x_train[data.y_train == 3]
    fit, held_out = threes[: len(threes) * 4 // 5], threes[len(threes) * 4 // 5 :]
    parts = aelib.StackedAutoencoder(32, (96,))
    model = aelib.DenoisingAutoencoder(encoder=parts.encoder, decoder=parts.decoder, noise=0.5)
    aelib.train(model, fit, epochs=40, batch_size=64, learning_rate=0.002)
    threshold = float(np.quantile(aelib.anomaly.reconstruction_error(model, held_out), 0.95))
    shown = np.concatenate([data.x_test[data.y_test == digit][:2] for digit in (3, 8, 5, 3, 1, 0)])
    redrawn = model.predict(shown)
    still(folder, "normal", [shown, redrawn, 4 * (shown - redrawn) ** 2])
    z = model.encode(shown)
    return {
        "encoder": network(model.encoder),
        "decoder": network(model.decoder, 16),
        "threshold": threshold,
        "examples": as_bytes(shown),
    }, [
        ("encoder", network(model.encoder, 32), shown, z),
        ("decoder", network(model.decoder, 32), z, model.decode(z)),
    ]


def numbers(data, folder):
    """Ten unseen digits, redrawn from 1 to 64 numbers by autoencoders and by PCA."""
    chosen = [np.flatnonzero(data.y_test == digit)[1] for digit in range(10)]
    originals, x_new = data.x_test[chosen], data.x_test[:2000]
    content = {"sizes": SIZES, "originals": as_bytes(originals), "networks": [], "pca": []}
    mse, rows = {"autoencoder": [], "PCA": []}, [originals]
    for d in SIZES:
        model = aelib.StackedAutoencoder(d, (128,))
        aelib.train(model, data.x_train[:10_000], epochs=8, batch_size=64, learning_rate=0.002)
        pca = aelib.PCABaseline(d).fit(data.x_train[:10_000])
        for name, key, fitted in (("autoencoder", "networks", model), ("PCA", "pca", pca)):
            redrawn = fitted.predict(originals)
            content[key].append(as_bytes(redrawn))
            mse[name].append(round(aelib.mean_squared_error(x_new, fitted.predict(x_new)), 5))
            if d in (2, 8, 32):
                rows.append(redrawn)
    still(folder, "numbers", rows)
    return content | {"mse": mse}, []


def main(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = aelib.load_images()
    about = {"version": VERSION, "data": data.name, "date": f"{datetime.now(UTC):%Y-%m-%d}", "aelib": version("aelib")}
    references = []
    for page in (explorer, draw, normal, numbers):
        name = page.__name__
        keras.utils.set_random_seed(0)
        content, checks = page(data, folder)
        script = f"aelibLive.receive({json.dumps(name)}, {json.dumps(about | content, separators=(',', ':'))});\n"
        (folder / f"{name}.js").write_text(script, "utf-8")
        for place, exact, inputs, outputs in checks:
            flat = [np.asarray(array, "float64").reshape(len(inputs), -1).tolist() for array in (inputs, outputs)]
            references.append({"page": name, "place": place, "exact": exact, "inputs": flat[0], "outputs": flat[1]})
    (folder / "reference.json").write_text(json.dumps(references), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
