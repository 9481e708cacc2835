"""One contract for every model: a new model adds one row to MODELS and nothing else to this file.

Compiling a graph takes longer than anything that is tested with it. So each row has one compiled model, which every
test gets in its first state; with xdist, a row stays in one process.
"""

import functools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import aelib

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
EAGERLY = BACKEND == "tensorflow"  # where a few single steps are quicker than a graph


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


def labelled(images):
    """Images with a label: whether there is much ink."""
    return {"x": images, "label": (images.mean(axis=tuple(range(1, images.ndim))) > 0.1).astype(int)}


# name: (class, function that gives its arguments[, function from images to the model's input]); every row has a code of
# four numbers for 28x28 images.
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
        lambda: {"latent_dim": 4, "hidden_units": (32,), "decoder_units": (8, 16), "output_activation": None},
    ),
    "convolutional": (aelib.ConvolutionalAutoencoder, lambda: {"latent_dim": 4, "filters": (4, 8)}),
    "convolutional, nearest": (
        aelib.ConvolutionalAutoencoder,
        lambda: {"latent_dim": 4, "filters": (4, 4, 4), "upsampling": "nearest", "output_activation": None},
    ),
    "recurrent": (
        aelib.RecurrentAutoencoder,
        lambda: {"latent_dim": 4, "units": 16, "output_activation": "sigmoid"},
    ),
    "recurrent, GRU": (
        aelib.RecurrentAutoencoder,
        lambda: {"latent_dim": 4, "units": 16, "cell": "gru", "mask_value": -1.0},
    ),
    "denoising": (aelib.DenoisingAutoencoder, lambda: {"latent_dim": 4}),
    "denoising, convolutional": (
        aelib.DenoisingAutoencoder,
        lambda: {"corruption": "masking", **convolutional_parts()},
    ),
    "sparse": (aelib.SparseAutoencoder, lambda: {"latent_dim": 4}),
    "sparse, KL": (aelib.SparseAutoencoder, lambda: {"latent_dim": 4, "target": 0.1}),
    "sparse, unit-norm decoder": (
        aelib.SparseAutoencoder,
        lambda: {"unit_norm": True, **convolutional_parts()},
    ),
    "top-k": (aelib.TopKAutoencoder, lambda: {"latent_dim": 4, "k": 2, "unit_norm": True}),
    "contractive": (aelib.ContractiveAutoencoder, lambda: {"latent_dim": 4}),
    "variational": (aelib.VariationalAutoencoder, lambda: {"latent_dim": 4}),
    "variational, Gaussian, convolutional": (
        aelib.VariationalAutoencoder,
        lambda: {"likelihood": "gaussian", "sigma": None, **convolutional_parts(codes_per_latent=2)},
    ),
    "importance-weighted": (aelib.ImportanceWeightedAutoencoder, lambda: {"latent_dim": 4, "n_draws": 3}),
    "variational, conditional": (
        aelib.ConditionalVariationalAutoencoder,
        lambda: {"latent_dim": 2, "n_classes": 2},
        labelled,
    ),
}

# Every kind of code once: enough for tests of Keras's own ways of feeding and saving, and for the other
# backends. `make test-backends ALL=1`, or AELIB_ALL_MODELS=1 anywhere, runs all rows of all tests.
EVERY_KIND = (
    *("stacked, tied", "convolutional", "recurrent, GRU", "denoising, convolutional", "sparse, KL", "top-k"),
    *("contractive", "variational, Gaussian, convolutional", "variational, conditional"),
)
KINDS = [name for name in MODELS if name in EVERY_KIND or os.environ.get("AELIB_ALL_MODELS")]
ROWS = list(MODELS) if BACKEND == "tensorflow" else KINDS


class Row:
    """One model of the table, and two compiled copies of it that the tests of the row share."""

    def __init__(self, name):
        self.cls, self.arguments, *rest = MODELS[name]
        self.inputs = rest[0] if rest else lambda images: images
        self.compiled = {}

    def new(self, seed=0):
        """A freshly initialised, compiled model."""
        keras.utils.set_random_seed(seed)
        model = self.cls(**self.arguments())
        model.compile(metrics=["mae"])
        return model

    def model(self, copy="first"):
        """One of the copies, as if `new` had just made it."""
        if copy not in self.compiled:
            model = self.new()
            model.optimizer.build(model.trainable_variables)
            # On JAX, Keras draws a first batch more for a model that has not seen any.
            model.evaluate(self.inputs(np.zeros((1, 28, 28), "float32")), verbose=0)
            self.compiled[copy] = model, weights(model)
        model, state = self.compiled[copy]
        keras.utils.set_random_seed(0)
        for variable, value in zip(variables(model), state, strict=True):
            variable.assign(value)
        return model


def variables(model):
    """All that training changes and keeps: weights, states of random generators, the optimizer's variables."""
    passing = {id(variable) for variable in model.metrics_variables}
    return [variable for variable in [*model.variables, *model.optimizer.variables] if id(variable) not in passing]


def weights(model):
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables(model)]


def same(a, b):
    return all(np.array_equal(left, right) for left, right in zip(a, b, strict=True))


row_of = functools.cache(Row)


@pytest.fixture(params=ROWS)
def row(request):
    return row_of(request.param)


@pytest.fixture(params=KINDS)
def kind(request):
    """A row, for tests of what does not differ between rows of a kind."""
    return row_of(request.param)


def test_the_backend_is_the_one_that_was_asked_for(row, images):
    """Not only by name: the numbers are computed in that backend's own tensors."""
    assert keras.backend.backend() == BACKEND
    module = type(row.model().encoder(keras.ops.convert_to_tensor(images[:1]))).__module__
    assert (
        module.split(".")[0] in {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}[BACKEND]
    )


def test_encode_and_decode_have_the_shapes_of_code_and_image(row, images):
    model, x = row.model(), row.inputs(images[:7])
    z = model.encode(x)
    x_hat = model.decode(z)
    assert z.shape == (7, 4) and x_hat.shape == (7, 28, 28)
    assert isinstance(z, np.ndarray) and isinstance(x_hat, np.ndarray)
    np.testing.assert_allclose(model.predict(x, verbose=0), x_hat, atol=1e-5)


def test_encoding_does_not_depend_on_the_batch_it_is_in(row, images):
    model = row.model()
    np.testing.assert_allclose(
        model.predict(row.inputs(images[:7]), batch_size=3), model.predict(row.inputs(images[:7])), atol=1e-5
    )


def test_fit_without_labels_lowers_the_loss_on_images_it_has_not_seen(row, images):
    model, x, unseen = row.model(), row.inputs(images[:1500]), row.inputs(images[1500:])
    before = model.evaluate(unseen, verbose=0, return_dict=True)["loss"]
    history = model.fit(x, validation_data=unseen, epochs=5, batch_size=32, verbose=0).history
    assert history["val_loss"][-1] < before - 0.1 * abs(before)


def test_the_loss_is_reconstruction_plus_penalty_on_train_and_validation(row, images):
    model, x, unseen = row.model(), row.inputs(images[:300]), row.inputs(images[300:400])
    logged = model.fit(x, validation_data=unseen, batch_size=64, verbose=0).history
    for prefix in ("", "val_"):
        total = logged[f"{prefix}reconstruction"][0] + logged[f"{prefix}{model.penalty_name}"][0]
        assert logged[f"{prefix}loss"][0] == pytest.approx(total, rel=1e-5)
        assert 0 < logged[f"{prefix}mse"][0] < 1


def test_the_logged_error_is_the_mean_over_images_of_the_sum_over_pixels(row, images):
    model, x = row.model(), row.inputs(images[:130])
    if isinstance(model, aelib.VariationalAutoencoder):
        pytest.skip("evaluates through a random code")
    logged = model.evaluate(x, batch_size=64, verbose=0, return_dict=True)
    assert logged["mse"] == pytest.approx(np.mean((images[:130] - model.predict(x, verbose=0)) ** 2), rel=1e-4)
    if model.reconstruction == "squared_error":
        assert logged["reconstruction"] == pytest.approx(784 * logged["mse"], rel=1e-4)


def test_the_evaluated_error_does_not_depend_on_the_batch_size(row, images):
    model, x = row.model(), row.inputs(images[:130])
    if isinstance(model, aelib.VariationalAutoencoder):
        pytest.skip("evaluates through a random code")
    errors = [
        model.evaluate(x, batch_size=batch_size, verbose=0, return_dict=True)["reconstruction"]
        for batch_size in (7, 64, 1000)
    ]
    assert errors == pytest.approx([errors[0]] * 3, rel=1e-5)


def test_another_target_can_be_given(kind, images):
    model, x, y = kind.model(), kind.inputs(images[:200]), 1 - images[:200]
    few = kind.inputs(images[:50])
    model.fit(x, y, validation_data=(few, y[:50]), verbose=0)
    inverted = model.evaluate(few, y[:50], verbose=0, return_dict=True)["mse"]
    random_code = isinstance(model, aelib.VariationalAutoencoder)
    expected = np.mean((y[:50] - model.predict(few, verbose=0)) ** 2)
    assert inverted == pytest.approx(expected, rel=0.5 if random_code else 1e-4)


def test_examples_of_weight_zero_do_not_count(kind, images):
    model, x, half = kind.model(), kind.inputs(images[:128]), kind.inputs(images[:64])
    if isinstance(model, aelib.VariationalAutoencoder):
        pytest.skip("evaluates through a random code")
    weight = np.r_[np.full(64, 2.0), np.zeros(64)].astype("float32")
    weighted = model.evaluate(x, sample_weight=weight, batch_size=128, verbose=0, return_dict=True)
    alone = model.evaluate(half, verbose=0, return_dict=True)
    assert weighted["reconstruction"] == pytest.approx(alone["reconstruction"], rel=1e-4)


def test_fewer_images_than_a_batch_still_train(kind, images):
    model = kind.model()
    before = weights(model)
    model.fit(kind.inputs(images[:3]), batch_size=64, verbose=0)
    assert not same(before, weights(model))


def test_a_tf_data_stream_of_pairs_trains_as_arrays_do(kind, images):
    tf = pytest.importorskip("tensorflow")
    x, trained = kind.inputs(images[:200]), []
    pairs = tf.data.Dataset.from_tensor_slices((x, images[:200])).batch(64)
    for arguments in ({"x": x, "y": images[:200], "batch_size": 64, "shuffle": False}, {"x": pairs}):
        model = kind.model()
        model.fit(**arguments, epochs=2, verbose=0)
        trained.append(model.predict(x, verbose=0))
    np.testing.assert_allclose(*trained, atol=1e-5)
    logged = model.evaluate(pairs, verbose=0, return_dict=True)
    random_code = isinstance(model, aelib.VariationalAutoencoder)
    expected = np.mean((images[:200] - trained[1]) ** 2)
    assert logged["mse"] == pytest.approx(expected, rel=0.5 if random_code else 1e-4)


def test_callbacks_metrics_and_early_stopping_work_as_in_keras(kind, images):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=1e9)
    x, unseen = kind.inputs(images[:200]), kind.inputs(images[200:300])
    logged = kind.model().fit(x, validation_data=unseen, epochs=9, callbacks=[stop], verbose=0).history
    assert len(logged["loss"]) == 2 and "val_mae" in logged


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(row, images):
    assert not same(weights(row.new(1)), weights(row.new(0)))
    trained = []
    for model in (row.model("first"), row.model("second")):
        keras.utils.set_random_seed(0)
        model.fit(row.inputs(images[:300]), epochs=2, batch_size=64, verbose=0)
        trained.append(weights(model))
    assert same(*trained)


def test_a_restarted_model_begins_again_from_the_seed_it_is_given(row, images):
    model, ends = row.model(), []
    for seed in (5, 5, 6):
        model.restart(seed).fit(row.inputs(images[:64]), batch_size=32, verbose=0)
        assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 2
        ends.append(weights(model))
    assert same(ends[0], ends[1]) and not same(ends[0], ends[2])


class Interruption(keras.callbacks.Callback):
    """Breaks the second epoch off before its end."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1:
            raise KeyboardInterrupt


def test_interrupted_training_resumes_from_its_backup_with_the_bits_of_uninterrupted_training(kind, images, tmp_path):
    """In a given order of the examples: Keras's shuffling belongs to the process and is in no backup."""
    # 34 steps: Keras returns to the callback after 32 of them, so the epoch really is broken off.
    arguments = {"x": kind.inputs(images[:133]), "epochs": 3, "batch_size": 4, "shuffle": False, "verbose": 0}
    interrupted = kind.model("first")
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(**arguments, callbacks=[keras.callbacks.BackupAndRestore(tmp_path / "backup"), Interruption()])
    resumed = kind.model("second")
    history = resumed.fit(**arguments, callbacks=[keras.callbacks.BackupAndRestore(tmp_path / "backup")])
    assert history.epoch == [1, 2]
    uninterrupted = kind.model("first")
    uninterrupted.fit(**arguments)
    assert same(weights(resumed), weights(uninterrupted))
    assert resumed.fit(**(arguments | {"epochs": 1})).epoch == [0]  # nothing is left of the resumption


def test_get_config_and_from_config_give_the_same_architecture(row):
    model = row.model()
    again = type(model).from_config(model.get_config())
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    assert again.get_config() == model.get_config()


def test_a_bfloat16_model_trains_without_nan_and_is_loaded_as_one(kind, images, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = kind.new()
        model.run_eagerly = EAGERLY
        logged = model.fit(kind.inputs(images[:200]), verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(logged["loss"][0])
    if isinstance(model, aelib.VariationalAutoencoder):
        assert np.isfinite(model.elbo(kind.inputs(images[:9]))).all()
    model.save(tmp_path / "model.keras")
    again, x = keras.saving.load_model(tmp_path / "model.keras"), kind.inputs(images[:9])
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_generators_of_inputs_or_of_pairs_train_as_well(kind, images):
    """The last of those that share a model: a given number of steps has it compiled anew."""
    model = kind.model()
    batches = [kind.inputs(images[i : i + 32]) for i in (0, 32)]
    model.fit(((batch,) for batch in batches), steps_per_epoch=2, verbose=0)
    pairs = ((batch, images[:32]) for batch in batches)
    assert np.isfinite(model.fit(pairs, steps_per_epoch=2, verbose=0).history["loss"][0])


CONTINUE_TRAINING = """
import sys, pathlib, keras, numpy as np, aelib
folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.glob("*.keras")):
    x = dict(np.load(path.with_suffix(".inputs.npz")))
    x = x["x"] if set(x) == {"x"} else x
    model = keras.saving.load_model(path)
    before = model.predict(x, verbose=0)
    model.fit(x, batch_size=32, shuffle=False, verbose=0)
    np.savez(path.with_suffix(".npz"), before=before, after=model.predict(x, verbose=0))
"""


def test_every_model_saved_here_gives_the_same_bits_and_goes_on_training_in_a_new_process(images, tmp_path):
    """One new process for all models, because starting TensorFlow takes seconds."""
    expected = {}
    for i, name in enumerate(ROWS):
        cls, arguments, *rest = MODELS[name]
        x = rest[0](images[:64]) if rest else images[:64]
        np.savez(tmp_path / f"{i}.inputs.npz", **(x if isinstance(x, dict) else {"x": x}))
        model = cls(**arguments())
        # Two models show that compiled graphs do the same as single steps.
        eagerly = EAGERLY and name not in ("stacked", "variational")
        model.compile(optimizer=keras.optimizers.Adam(0.005), run_eagerly=eagerly)
        model.fit(x, batch_size=32, shuffle=False, verbose=0)
        model.save(tmp_path / f"{i}.keras")
        before = model.predict(x, verbose=0)
        model.fit(x, batch_size=32, shuffle=False, verbose=0)
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


def test_bad_input_is_refused_with_the_name_of_the_argument_and_changes_nothing(row, images):
    model = row.model()
    before = weights(model)
    for spoil, message in BAD_INPUTS.values():
        bad = spoil(images[:8].copy())
        bad = bad if row.inputs(images) is images else {"x": bad, "label": np.zeros(len(bad), int)}
        for method in (model.fit, model.evaluate, model.predict, model.encode):
            with pytest.raises(ValueError, match=message):
                method(bad)
    assert same(before, weights(model))


def test_bad_targets_validation_data_and_codes_are_refused_by_name(kind, images):
    model, x = kind.model(), kind.inputs(images[:8])
    with pytest.raises(ValueError, match=r"y: expected shape \(n, 28, 28\), got \(8, 10\)"):
        model.fit(x, np.zeros((8, 10)))
    with pytest.raises(ValueError, match=r"validation_data\[0\]: expected finite numbers"):
        model.fit(x, validation_data=kind.inputs(images[:8] * np.nan))
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
