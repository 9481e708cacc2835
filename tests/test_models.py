"""Facts about single models, checked against an independent oracle."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

import aelib


def with_pca_axes(model, flat):
    """Set a linear autoencoder's weights to scikit-learn's principal axes and mean."""
    pca = PCA(model.latent_dim, svd_solver="full").fit(flat)
    down, up = model.encoder.layers[-1], model.decoder.layers[0]
    down.set_weights([pca.components_.T, -pca.components_ @ pca.mean_])
    up.set_weights([pca.components_, pca.mean_])
    return pca


def test_a_linear_autoencoder_with_the_pca_axes_has_the_pca_error(images):
    model = aelib.LinearAutoencoder(10)
    flat = images.reshape(len(images), -1)
    pca = with_pca_axes(model, flat)
    optimum = np.mean((flat - pca.inverse_transform(pca.transform(flat))) ** 2)
    assert aelib.mean_squared_error(images, model.predict(images, verbose=0)) == pytest.approx(optimum, rel=1e-4)
    np.testing.assert_allclose(model.encode(images[:50]), pca.transform(flat[:50]), atol=1e-4)


def test_no_training_brings_a_linear_autoencoder_below_the_pca_error(images):
    model = aelib.LinearAutoencoder(10)
    with_pca_axes(model, images.reshape(len(images), -1))
    model.compile(keras.optimizers.Adam(1e-4))
    optimum = aelib.mean_squared_error(images, model.predict(images, verbose=0))
    model.fit(images, epochs=3, verbose=0)
    assert aelib.mean_squared_error(images, model.predict(images, verbose=0)) > 0.9999 * optimum


def test_a_linear_autoencoder_is_linear(images):
    model = aelib.LinearAutoencoder(5, use_bias=False)
    both = model.predict(images[:4] + 2 * images[4:8], verbose=0)
    apart = model.predict(images[:4], verbose=0) + 2 * model.predict(images[4:8], verbose=0)
    np.testing.assert_allclose(both, apart, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (lambda: aelib.SimpleAutoencoder(3), (784 * 3 + 3) + (3 * 784 + 784)),
        (lambda: aelib.LinearAutoencoder(3), (784 * 3 + 3) + (3 * 784 + 784)),
        (lambda: aelib.LinearAutoencoder(3, tied=True), 784 * 3 + 3 + 784),
        (
            lambda: aelib.StackedAutoencoder(150, (300,)),
            (784 * 300 + 300) + (300 * 150 + 150) + (150 * 300 + 300) + (300 * 784 + 784),
        ),
        (
            lambda: aelib.StackedAutoencoder(150, (300,), tied=True),
            784 * 300 + 300 * 150 + 300 + 150 + 300 + 784,
        ),
    ],
)
def test_the_number_of_parameters_is_what_one_counts_by_hand(model, parameters):
    assert sum(np.prod(weight.shape) for weight in model().weights) == parameters


def test_tied_weights_stay_tied_through_training_and_saving(images, tmp_path):
    model = aelib.LinearAutoencoder(5, tied=True)
    model.compile()
    model.fit(images, verbose=0)
    model.save(tmp_path / "tied.keras")
    for tied in (model, keras.saving.load_model(tmp_path / "tied.keras")):
        kernel = keras.ops.convert_to_numpy(tied.encoder.layers[-1].kernel)
        bias = keras.ops.convert_to_numpy(tied.decoder.layers[0].bias)
        z = np.eye(5, dtype="float32")
        np.testing.assert_allclose(tied.decode(z).reshape(5, -1), kernel.T + bias, atol=1e-5)
        np.testing.assert_array_equal(tied.components, kernel.T)


def test_parts_that_a_reader_ties_train_and_say_how_a_tied_model_can_be_saved(images, tmp_path):
    down = keras.layers.Dense(5)
    encoder = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), down])
    decoder = keras.Sequential([keras.Input((5,)), aelib.TiedDense(down, "sigmoid"), keras.layers.Reshape((28, 28))])
    model = aelib.Autoencoder(encoder, decoder)
    model.compile()
    model.fit(images[:64], verbose=0)
    with pytest.raises(NotImplementedError, match=r"a tied layer cannot be saved apart .* with tied=True can"):
        model.save(tmp_path / "tied.keras")


def test_layerwise_training_moves_every_layer_and_gives_a_better_start_than_none(images):
    pretrained, untouched = aelib.StackedAutoencoder(16, (64, 32)), aelib.StackedAutoencoder(16, (64, 32))
    histories = pretrained.fit_layerwise(images[:1500], epochs=5, batch_size=64, verbose=0)
    assert len(histories) == 3
    assert all(history.history["loss"][-1] < history.history["loss"][0] for history in histories)
    errors = [
        aelib.mean_squared_error(images[1500:], m.predict(images[1500:], verbose=0)) for m in (pretrained, untouched)
    ]
    assert errors[0] < 0.6 * errors[1]


def test_layerwise_training_needs_a_mirror():
    model = aelib.StackedAutoencoder(4, (32,), decoder_units=(8, 16))
    with pytest.raises(ValueError, match="expected as many encoder as decoder layers, got 2 and 3"):
        model.fit_layerwise(np.zeros((4, 28, 28)))


def test_layerwise_training_works_with_tied_weights(images):
    model = aelib.StackedAutoencoder(8, (32,), tied=True)
    histories = model.fit_layerwise(images, epochs=2, verbose=0)
    assert all(history.history["loss"][-1] < history.history["loss"][0] for history in histories)


def test_a_tied_hourglass_must_be_symmetric_and_a_tied_layer_needs_a_built_partner():
    with pytest.raises(ValueError, match=r"decoder_units: expected \(32, 64\), the mirror of hidden_units"):
        aelib.StackedAutoencoder(4, (64, 32), decoder_units=(64, 32), tied=True)
    with pytest.raises(ValueError, match="partner: expected a built Dense layer"):
        aelib.TiedDense(keras.layers.Dense(3))


def test_models_take_any_input_shape():
    x = np.random.default_rng(0).random((6, 8, 5, 3), dtype="float32")
    for model in (
        aelib.SimpleAutoencoder(2, input_shape=(8, 5, 3)),
        aelib.LinearAutoencoder(2, input_shape=(8, 5, 3)),
        aelib.StackedAutoencoder(2, (9,), input_shape=(8, 5, 3)),
    ):
        model.compile()
        model.fit(x, verbose=0)
        assert model.predict(x, verbose=0).shape == x.shape


def test_parts_without_an_input_shape_are_built_by_the_first_batch(images):
    encoder = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    decoder = keras.Sequential([keras.layers.Dense(784), keras.layers.Reshape((28, 28))])
    model = aelib.Autoencoder(encoder, decoder)
    model.compile()
    model.fit(images[:64], verbose=0)
    assert model.encode(images[:5]).shape == (5, 2)


def test_a_target_of_the_wrong_shape_from_a_stream_is_refused(images):
    model = aelib.SimpleAutoencoder(2)
    model.compile()
    with pytest.raises(ValueError, match=r"y: expected one target per reconstruction, of shape \(n, 28, 28\)"):
        model.fit(((images[:8], images[:8, :14]) for _ in range(1)), steps_per_epoch=1, verbose=0)


def test_dropout_and_batch_normalisation_of_the_parts_are_active_in_training(images):
    layers = keras.layers
    encoder = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.BatchNormalization(), layers.Dense(2)])
    decoder = keras.Sequential([keras.Input((2,)), layers.Dense(784), layers.Reshape((28, 28))])
    for model in (
        aelib.Autoencoder(encoder, decoder),
        aelib.SparseAutoencoder(encoder=encoder, decoder=decoder),
        aelib.DenoisingAutoencoder(encoder=encoder, decoder=decoder),
    ):
        before = keras.ops.convert_to_numpy(encoder.layers[1].moving_mean)
        model.compile()
        model.fit(images[:64], verbose=0)
        assert not np.array_equal(before, keras.ops.convert_to_numpy(encoder.layers[1].moving_mean))


def test_a_restart_undoes_a_lowered_learning_rate_and_keeps_dropout_masks_apart(images):
    layers = keras.layers
    encoder = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dropout(0.5), layers.Dropout(0.5)])
    decoder = keras.Sequential([keras.Input((784,)), layers.Reshape((28, 28))])
    model = aelib.Autoencoder(encoder, decoder)
    model.compile(keras.optimizers.Adam(0.01))
    model.optimizer.learning_rate = 1e-6
    model.optimizer.build(model.trainable_variables)
    model.restart(3)
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(0.01)
    kept = keras.ops.convert_to_numpy(model.encode(keras.ops.ones((50, 28, 28)), training=True)) > 0
    assert kept.mean() == pytest.approx(0.25, abs=0.02)


@keras.saving.register_keras_serializable(package="tests")
class Flat(keras.Model):
    """A subclassed part: it has no input shape, and weights only once it has been called."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(units)

    def call(self, x):
        return self.dense(self.flatten(x))

    def get_config(self):
        return {"units": self.units}


def test_a_restart_needs_a_built_model_and_takes_subclassed_parts_after_fit():
    model = aelib.Autoencoder(Flat(2), Flat(6))
    x = np.ones((4, 6))
    with pytest.raises(ValueError, match="restart: expected a model that is built"):
        model.restart(0)
    model.compile()
    model.fit(x, verbose=0)
    before = model.predict(x)
    first, again, other = (model.restart(seed).predict(x) for seed in (1, 1, 2))
    assert first.shape == x.shape and np.array_equal(first, again)
    assert not np.array_equal(first, before) and not np.array_equal(first, other)


def test_a_given_number_of_steps_is_kept_to(images):
    model = aelib.SimpleAutoencoder(2)
    model.compile()
    model.fit(((images[:8],) for _ in range(100)), steps_per_epoch=5, epochs=2, verbose=0)
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 10


def test_weights_count_without_a_target_too(images):
    model = aelib.SimpleAutoencoder(2)
    model.compile()
    logged = model.evaluate(images[:8], sample_weight=np.zeros(8), verbose=0, return_dict=True)
    assert logged["reconstruction"] == 0
    history = model.fit(images[:8], validation_data=(images[:8], None, np.zeros(8)), verbose=0).history
    assert history["val_reconstruction"] == [0]


def test_subclassed_parts_and_a_loss_given_as_a_function_work_and_are_checked(images):
    decoder = keras.Sequential([keras.layers.Dense(784, "sigmoid"), keras.layers.Reshape((28, 28))])
    model = aelib.Autoencoder(Flat(2), decoder, reconstruction=aelib.losses.binary_crossentropy)
    model.compile()
    model.fit(images[:32], verbose=0)
    assert model.predict(images[:5], batch_size=None).shape == (5, 28, 28)
    with pytest.raises(ValueError, match=r"x: expected values in \[0, 1\]"):
        model.fit(images[:8] * 255)


def test_an_objective_refuses_parts_that_do_not_fit_together():
    encoder, decoder = (getattr(aelib.StackedAutoencoder(4), part) for part in ("encoder", "decoder"))
    with pytest.raises(ValueError, match=r"encoder: expected one that gives 2 x 4 numbers, .* got one that gives 4"):
        aelib.VariationalAutoencoder(encoder=encoder, decoder=decoder)
    with pytest.raises(ValueError, match="reconstruction: expected nothing, because the likelihood decides"):
        aelib.VariationalAutoencoder(4, reconstruction="squared_error")
