"""One contract for every model: a new model adds one row to MODELS and nothing else to this file."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import aelib


def parts(latent_dim=4):
    """An encoder and a decoder as a reader would write them."""
    encoder = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(latent_dim)])
    decoder = keras.Sequential(
        [keras.Input((latent_dim,)), keras.layers.Dense(784, "sigmoid"), keras.layers.Reshape((28, 28))]
    )
    return {"encoder": encoder, "decoder": decoder}


def convolutional_parts(codes_per_latent=1):
    """Any architecture's parts, for any objective."""
    return {
        "encoder": aelib.ConvolutionalAutoencoder(4 * codes_per_latent, filters=(4, 8)).encoder,
        "decoder": aelib.ConvolutionalAutoencoder(4, filters=(4, 8)).decoder,
    }


# name: (class, function that gives its arguments); every row has a code of four numbers for 28x28 images.
MODELS = {
    "custom parts": (aelib.Autoencoder, parts),
    "simple": (aelib.SimpleAutoencoder, lambda: {"latent_dim": 4}),
    "simple, Bernoulli": (
        aelib.SimpleAutoencoder,
        lambda: {"latent_dim": 4, "reconstruction": "binary_crossentropy"},
    ),
    "linear": (aelib.LinearAutoencoder, lambda: {"latent_dim": 4}),
    "linear, tied": (aelib.LinearAutoencoder, lambda: {"latent_dim": 4, "tied": True, "use_bias": False}),
    "stacked": (aelib.StackedAutoencoder, lambda: {"latent_dim": 4, "hidden_units": (32, 16)}),
    "stacked, tied": (aelib.StackedAutoencoder, lambda: {"latent_dim": 4, "hidden_units": (32,), "tied": True}),
    "stacked, asymmetric": (
        aelib.StackedAutoencoder,
        lambda: {"latent_dim": 4, "hidden_units": (32,), "decoder_units": (8, 16)},
    ),
    "convolutional": (aelib.ConvolutionalAutoencoder, lambda: {"latent_dim": 4, "filters": (4, 8)}),
    "convolutional, nearest": (
        aelib.ConvolutionalAutoencoder,
        lambda: {"latent_dim": 4, "filters": (4,), "upsampling": "nearest"},
    ),
    "recurrent": (
        aelib.RecurrentAutoencoder,
        lambda: {"latent_dim": 4, "units": 16, "output_activation": "sigmoid"},
    ),
    "recurrent, GRU": (aelib.RecurrentAutoencoder, lambda: {"latent_dim": 4, "units": 16, "cell": "gru"}),
    "denoising": (aelib.DenoisingAutoencoder, lambda: {"latent_dim": 4}),
    "denoising, convolutional": (
        aelib.DenoisingAutoencoder,
        lambda: {"corruption": "masking", **convolutional_parts()},
    ),
    "sparse": (aelib.SparseAutoencoder, lambda: {"latent_dim": 4}),
    "sparse, KL": (aelib.SparseAutoencoder, lambda: {"latent_dim": 4, "target": 0.1}),
    "contractive": (aelib.ContractiveAutoencoder, lambda: {"latent_dim": 4}),
    "variational": (aelib.VariationalAutoencoder, lambda: {"latent_dim": 4}),
    "variational, Gaussian, convolutional": (
        aelib.VariationalAutoencoder,
        lambda: {"likelihood": "gaussian", "sigma": None, **convolutional_parts(codes_per_latent=2)},
    ),
}


@pytest.fixture(params=MODELS)
def build(request):
    """A function that makes a freshly initialised, compiled model from a seed."""
    cls, arguments = MODELS[request.param]

    def make(seed=0, **compile_arguments):
        keras.utils.set_random_seed(seed)
        model = cls(**arguments())
        model.compile(**compile_arguments)
        return model

    return make


def weights(model):
    return [np.asarray(keras.ops.convert_to_numpy(w)) for w in model.weights]


def test_encode_and_decode_have_the_shapes_of_code_and_image(build, images):
    model = build()
    z = model.encode(images[:7])
    x_hat = model.decode(z)
    assert z.shape == (7, 4) and x_hat.shape == (7, 28, 28)
    assert isinstance(z, np.ndarray) and isinstance(x_hat, np.ndarray)
    np.testing.assert_allclose(model.predict(images[:7], verbose=0), x_hat, atol=1e-5)


def test_fit_without_labels_lowers_the_loss_on_images_it_has_not_seen(build, images):
    model = build()
    before = model.evaluate(images[1500:], verbose=0, return_dict=True)["loss"]
    history = model.fit(images[:1500], validation_data=images[1500:], epochs=5, batch_size=64, verbose=0).history
    assert history["val_loss"][-1] < before - 0.1 * abs(before)


def test_the_loss_is_reconstruction_plus_penalty_on_train_and_validation(build, images):
    model = build()
    logged = model.fit(images[:300], validation_data=images[300:400], batch_size=64, verbose=0).history
    for prefix in ("", "val_"):
        total = logged[f"{prefix}reconstruction"][0] + logged[f"{prefix}{model.penalty_name}"][0]
        assert logged[f"{prefix}loss"][0] == pytest.approx(total, rel=1e-5)
        assert 0 < logged[f"{prefix}mse"][0] < 1


def test_the_logged_error_is_the_mean_over_images_of_the_sum_over_pixels(build, images):
    model = build()
    if isinstance(model, aelib.VariationalAutoencoder):
        pytest.skip("evaluates through a random code")
    logged = model.evaluate(images[:130], batch_size=64, verbose=0, return_dict=True)
    x_hat = model.predict(images[:130], verbose=0)
    assert logged["mse"] == pytest.approx(np.mean((images[:130] - x_hat) ** 2), rel=1e-4)
    if model.reconstruction == "squared_error":
        assert logged["reconstruction"] == pytest.approx(784 * logged["mse"], rel=1e-4)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_the_evaluated_loss_does_not_depend_on_the_batch_size(batch_size, images):
    model = aelib.SimpleAutoencoder(4)
    model.compile()
    reference = model.evaluate(images[:130], batch_size=130, verbose=0)
    assert model.evaluate(images[:130], batch_size=batch_size, verbose=0) == pytest.approx(reference, rel=1e-5)


def test_another_target_can_be_given(build, images):
    model = build()
    model.fit(images[:200], 1 - images[:200], validation_data=(images[:50], 1 - images[:50]), verbose=0)
    inverted = model.evaluate(images[:50], 1 - images[:50], verbose=0, return_dict=True)["mse"]
    x_hat = model.predict(images[:50], verbose=0)
    random_code = isinstance(model, aelib.VariationalAutoencoder)
    assert inverted == pytest.approx(np.mean((1 - images[:50] - x_hat) ** 2), rel=0.5 if random_code else 1e-4)


def test_examples_of_weight_zero_do_not_count(build, images):
    model = build()
    if isinstance(model, aelib.VariationalAutoencoder):
        pytest.skip("evaluates through a random code")
    everything = np.concatenate([images[:64], images[64:128]])
    weight = np.r_[np.full(64, 2.0), np.zeros(64)].astype("float32")
    weighted = model.evaluate(everything, everything, sample_weight=weight, verbose=0, return_dict=True)
    alone = model.evaluate(images[:64], verbose=0, return_dict=True)
    assert weighted["reconstruction"] == pytest.approx(alone["reconstruction"], rel=1e-4)


def test_fewer_images_than_a_batch_still_train(build, images):
    model = build()
    before = weights(model)
    model.fit(images[:3], batch_size=64, verbose=0)
    assert any(not np.array_equal(a, b) for a, b in zip(before, weights(model), strict=True))


def test_generators_of_inputs_or_of_pairs_train_as_well(build, images):
    model = build()
    model.fit(((images[i : i + 32],) for i in (0, 32)), steps_per_epoch=2, verbose=0)
    logged = model.fit(
        ((images[i : i + 32], images[i : i + 32]) for i in (0, 32)), steps_per_epoch=2, verbose=0
    ).history
    assert np.isfinite(logged["loss"][0])


def test_callbacks_metrics_and_early_stopping_work_as_in_keras(build, images):
    model = build(metrics=["mae"])
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=1e9)
    logged = model.fit(images[:200], validation_data=images[200:300], epochs=9, callbacks=[stop], verbose=0).history
    assert len(logged["loss"]) == 2 and "val_mae" in logged


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(build, images):
    trained = []
    for seed in (1, 1, 2):
        model = build(seed)
        model.fit(images[:300], epochs=2, batch_size=64, verbose=0)
        trained.append(weights(model))
    assert all(np.array_equal(a, b) for a, b in zip(trained[0], trained[1], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(trained[0], trained[2], strict=True))


def test_get_config_and_from_config_give_the_same_architecture(build):
    model = build()
    again = type(model).from_config(model.get_config())
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    assert again.get_config() == model.get_config()


def test_a_bfloat16_model_trains_without_nan_and_is_loaded_as_one(build, images, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build()
        logged = model.fit(images[:200], verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(logged["loss"][0])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(images[:9], verbose=0), model.predict(images[:9], verbose=0))


CONTINUE_TRAINING = """
import sys, pathlib, keras, numpy as np, aelib
folder = pathlib.Path(sys.argv[1])
x = np.load(folder / "x.npy")
for path in sorted(folder.glob("*.keras")):
    model = keras.saving.load_model(path)
    before = model.predict(x, verbose=0)
    model.fit(x, epochs=2, batch_size=64, shuffle=False, verbose=0)
    np.savez(path.with_suffix(".npz"), before=before, after=model.predict(x, verbose=0))
"""


def test_every_model_saved_here_gives_the_same_bits_and_goes_on_training_in_a_new_process(images, tmp_path):
    """One new process for all models, because starting TensorFlow takes seconds."""
    x = images[:200]
    np.save(tmp_path / "x.npy", x)
    expected = {}
    for i, (name, (cls, arguments)) in enumerate(MODELS.items()):
        model = cls(**arguments())
        model.compile(optimizer=keras.optimizers.Adam(0.005))
        model.fit(x, epochs=2, batch_size=64, shuffle=False, verbose=0)
        model.save(tmp_path / f"{i}.keras")
        before = model.predict(x, verbose=0)
        model.fit(x, epochs=2, batch_size=64, shuffle=False, verbose=0)
        expected[i] = name, before, model.predict(x, verbose=0)
    subprocess.run([sys.executable, "-c", CONTINUE_TRAINING, str(tmp_path)], check=True, capture_output=True)
    for i, (name, before, after) in expected.items():
        loaded = np.load(tmp_path / f"{i}.npz")
        np.testing.assert_array_equal(loaded["before"], before, err_msg=f"{name}: loaded model")
        np.testing.assert_array_equal(loaded["after"], after, err_msg=f"{name}: continued training")


BAD_INPUTS = {
    "NaN": (lambda x: np.where(x > 0.9, np.nan, x), "x: expected finite numbers, got .* NaN or infinite"),
    "infinity": (lambda x: np.where(x > 0.9, np.inf, x), "x: expected finite numbers, got .* NaN or infinite"),
    "one image without a batch axis": (lambda x: x[0], r"x: expected shape \(n, 28, 28\), got \(28, 28\).*x\[None\]"),
    "flat images": (lambda x: x.reshape(-1, 784), r"x: expected shape \(n, 28, 28\), got \(8, 784\)"),
    "smaller images": (lambda x: x[:, :14], r"x: expected shape \(n, 28, 28\), got \(8, 14, 28\)"),
    "no images": (lambda x: x[:0], "x: expected at least one example, got an empty array"),
    "words": (lambda x: np.array([["a", "b"]]), "x: expected an array of numbers"),
}


def test_bad_input_is_refused_with_the_name_of_the_argument_and_changes_nothing(build, images):
    model = build()
    before = weights(model)
    for spoil, message in BAD_INPUTS.values():
        bad = spoil(images[:8].copy())
        for method in (model.fit, model.evaluate, model.predict, model.encode):
            with pytest.raises(ValueError, match=message):
                method(bad)
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(model), strict=True))


def test_bad_targets_validation_data_and_codes_are_refused_by_name(build, images):
    model, x = build(), images[:8]
    with pytest.raises(ValueError, match=r"y: expected shape \(n, 28, 28\), got \(8, 10\)"):
        model.fit(x, np.zeros((8, 10)))
    with pytest.raises(ValueError, match=r"validation_data\[0\]: expected finite numbers"):
        model.fit(x, validation_data=x * np.nan)
    with pytest.raises(ValueError, match=r"z: expected shape \(n, 4\), got \(8, 5\)"):
        model.decode(np.zeros((8, 5)))
    with pytest.raises(ValueError, match="loss: expected nothing, because an aelib model owns its loss"):
        model.compile(loss="mse")


def test_a_bernoulli_model_refuses_pixels_outside_0_and_1(images):
    model = aelib.SimpleAutoencoder(4, reconstruction="binary_crossentropy")
    model.compile()
    with pytest.raises(ValueError, match=r"x: expected values in \[0, 1\], got values from 0 to 255. Divide"):
        model.fit(images[:8] * 255)
    with pytest.raises(ValueError, match=r"y: expected values in \[0, 1\], got values from -1 to"):
        model.fit(images[:8], images[:8] - 1)
    model.decode(np.full((1, 4), -3.0))  # codes may be anything


@pytest.mark.parametrize("cls", [aelib.SimpleAutoencoder, aelib.LinearAutoencoder, aelib.StackedAutoencoder])
@pytest.mark.parametrize("latent_dim", [0, -1, 2.5, True, "3", None])
def test_a_code_of_less_than_one_number_is_refused(cls, latent_dim):
    with pytest.raises(ValueError, match="latent_dim: expected an integer of at least 1, got"):
        cls(latent_dim)
