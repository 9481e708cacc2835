"""What stands between a model and Keras: our own input pipeline, XLA where it repays, what a saved file says."""

import json
import zipfile

import keras
import numpy as np
import pytest

import aelib
from aelib.models import machinery

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
tensorflow_only = pytest.mark.skipif(not ON_TENSORFLOW, reason="the pipeline is TensorFlow's")


def compiled(model, **settings):
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=ON_TENSORFLOW, **settings)
    return model


def keras_trains(model, *args, **kwargs):
    """As the plain Keras model would be trained, through Keras's own pipeline."""
    return keras.Model.fit(model, *args, **kwargs)


# The pipeline


@tensorflow_only
def test_every_pass_holds_every_example_once_in_a_new_order_with_the_last_batch_partial():
    from aelib.pipeline import batches

    x, label = np.arange(10.0, dtype="float32"), np.arange(10)
    dataset = batches(({"x": x, "label": label}, x), 4, shuffle=True)
    passes = [[({k: v.numpy() for k, v in a.items()}, b.numpy()) for a, b in dataset] for _ in range(2)]
    orders = [np.concatenate([b for _, b in batch]) for batch in passes]
    assert [len(b) for _, b in passes[0]] == [4, 4, 2] and int(dataset.cardinality()) == 3
    assert all(sorted(order) == list(range(10)) for order in orders) and list(orders[0]) != list(orders[1])
    assert all(np.array_equal(a["x"], b) and np.array_equal(a["label"], b) for batch in passes for a, b in batch)


@tensorflow_only
def test_the_order_follows_the_seed_and_without_shuffling_it_is_the_given_one():
    from aelib.pipeline import batches

    def order(seed, shuffle=True):
        keras.utils.set_random_seed(seed)
        return [int(i) for (batch,) in batches((np.arange(50),), 7, shuffle) for i in batch]

    assert order(1) == order(1) != order(2)
    assert order(1, shuffle=False) == list(range(50))


@tensorflow_only
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"y": True},
        {"sample_weight": True},
        {"y": True, "sample_weight": True, "validation": True},
        {"batch_size": None},
    ],
    ids=str,
)
def test_our_pipeline_trains_to_the_weights_that_keras_own_trains_to(arguments, images):
    """In the given order: 40 images in batches of 16 (or Keras's 32), so that the last batch is partial."""
    x, y, weight = images[:40], 1 - images[:40], np.linspace(0, 2, 40)  # float64, as a reader would make it
    given = {"shuffle": False, "verbose": 0, "epochs": 2, "batch_size": arguments.get("batch_size", 16)}
    target = y if "y" in arguments else x
    if "sample_weight" in arguments:
        given["sample_weight"] = weight
    ends, logs = [], []
    for fit, own_target in (
        (keras_trains, target),
        (type(model := aelib.SimpleAutoencoder(3)).fit, y if "y" in arguments else None),
    ):
        keras.utils.set_random_seed(0)
        model = compiled(aelib.SimpleAutoencoder(3))
        if "validation" in arguments:
            given["validation_data"] = (images[40:70], 1 - images[40:70], np.ones(30))
        logs.append(fit(model, x, own_target, **given).history)
        ends.append(model.get_weights())
    assert logs[0].keys() == logs[1].keys()
    for name in logs[0]:
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-5)
    for keras_own, ours in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=1e-6)


def test_what_keras_splits_or_counts_itself_still_works(images):
    model = compiled(aelib.SimpleAutoencoder(3))
    history = model.fit(images[:50], validation_split=0.2, batch_size=8, verbose=0)
    assert "val_loss" in history.history and int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 5
    model.fit(images[:50], steps_per_epoch=2, batch_size=8, verbose=0)
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 7
    assert model.evaluate(images[:50], steps=1, batch_size=8, verbose=0, return_dict=True)["mse"] > 0


def test_lengths_that_do_not_fit_are_refused(images):
    with pytest.raises(ValueError, match="cardinality"):
        compiled(aelib.SimpleAutoencoder(3)).fit(images[:8], images[:7], verbose=0)


# XLA


@tensorflow_only
def test_long_training_of_dense_models_alone_is_compiled_with_xla_and_the_choice_hangs_on_one_call(images, monkeypatch):
    monkeypatch.setattr(machinery, "_XLA_REPAYS_AFTER", 3)
    model = aelib.SimpleAutoencoder(2)
    model.compile()
    model.fit(images[:16], batch_size=8, verbose=0)
    short = model.train_function
    model.fit(images[:16], batch_size=8, epochs=2, verbose=0)
    assert model.train_function is not short and not model.jit_compile  # evaluation stays as it is
    model.fit(images[:16], batch_size=8, verbose=0)
    assert model.train_function is short
    slower = [aelib.ConvolutionalAutoencoder(2, (4,)), aelib.RecurrentAutoencoder(2, units=4)]
    for other in [*slower, aelib.DenoisingAutoencoder(2), aelib.ContractiveAutoencoder(2)]:
        other.compile()
        other._choose_xla(1_000_000)
        assert set(other.train_functions) == {False}


@tensorflow_only
@pytest.mark.parametrize("rate", [0.01, keras.optimizers.schedules.CosineDecay(0.01, 10)])
def test_the_first_step_is_traced_once(images, rate):
    traced = []

    class Counting(aelib.SimpleAutoencoder):
        def call(self, x, training=None):
            traced.append(training)
            return super().call(x, training)

    model = Counting(2)
    model.compile(keras.optimizers.Adam(rate), steps_per_execution=1)
    traced.clear()
    model.fit(images[:16], batch_size=8, epochs=2, verbose=0)
    assert traced == [True]


# Saving


def test_what_was_left_at_its_default_stays_a_default_in_the_file(tmp_path):
    for settings, kept in (
        ({}, {}),
        ({"jit_compile": False, "steps_per_execution": 3}, {"jit_compile": False, "steps_per_execution": 3}),
    ):
        model = aelib.SimpleAutoencoder(2)
        model.compile(**settings)
        model.optimizer.build(model.trainable_variables)
        model.save(tmp_path / "model.keras")
        with zipfile.ZipFile(tmp_path / "model.keras") as file:
            saved = json.loads(file.read("config.json"))["compile_config"]
        assert {name: saved[name] for name in ("jit_compile", "steps_per_execution") if name in saved} == kept
        again = keras.saving.load_model(tmp_path / "model.keras")
        assert again.steps_per_execution == model.steps_per_execution


# Checking and predicting


def test_the_range_of_a_bernoulli_likelihood_belongs_to_the_target_and_not_to_every_input(images):
    noisy = images[:32] + np.float32(0.5) * np.random.default_rng(0).normal(size=(32, 28, 28)).astype("float32")
    model = compiled(aelib.DenoisingAutoencoder(8, reconstruction="binary_crossentropy"))
    model.fit(noisy, images[:32], validation_data=(noisy, images[:32]), verbose=0)
    assert model.predict(noisy).shape == (32, 28, 28) and model.encode(noisy).shape == (32, 8)
    assert np.isfinite(model.evaluate(noisy, images[:32], verbose=0, return_dict=True)["loss"])
    for refused, name in (
        (lambda: model.fit(noisy), "x"),
        (lambda: model.evaluate(noisy), "x"),
        (lambda: model.fit(images[:32], noisy), "y"),
        (lambda: model.fit(images[:32], validation_data=noisy), r"validation_data\[0\]"),
        (lambda: aelib.VariationalAutoencoder(2).elbo(noisy), "x"),
    ):
        with pytest.raises(ValueError, match=rf"^{name}: expected values in \[0, 1\], got values from -"):
            refused()


def test_a_vae_predicts_the_same_of_an_array_and_of_a_stream(images):
    tf = pytest.importorskip("tensorflow")
    vae = aelib.VariationalAutoencoder(4)
    streamed = vae.predict(tf.data.Dataset.from_tensor_slices(images[:20]).batch(8), verbose=0)
    np.testing.assert_allclose(streamed, vae.predict(images[:20]), atol=1e-5)
    assert np.abs(keras.ops.convert_to_numpy(vae(images[:20])) - streamed).max() > 0.001  # a call draws
