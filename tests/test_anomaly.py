"""The detector is a scikit-learn outlier detector; its threshold comes from examples that it has not seen."""

import random
import subprocess
import sys

import joblib
import keras
import numpy as np
import pytest
from scipy.stats import betabinom
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import aelib
from aelib import AnomalyDetector
from aelib.anomaly import error_map, latent_distance, negative_elbo, reconstruction_error


@pytest.fixture
def eager(monkeypatch):
    """For trainings of a few steps: a graph takes longer to make than they take."""
    compile_as_usual = aelib.Autoencoder.compile

    def compile_eagerly(model, *args, **kwargs):
        compile_as_usual(model, *args, **kwargs | {"run_eagerly": True, "steps_per_execution": 1})

    monkeypatch.setattr(aelib.Autoencoder, "compile", compile_eagerly)


@parametrize_with_checks([AnomalyDetector(epochs=2)])
def test_it_passes_scikit_learns_checks_of_an_outlier_detector(estimator, check, eager):
    check(estimator)


@pytest.fixture(scope="module")
def ones(digits):
    """400 drawn ones to learn from, and 200 images, half of them ones, to judge by."""
    more = aelib.make_digits(2000, random_state=5)
    unseen, others = more.images[more.target == 1][:100], more.images[more.target != 1][:100]
    return digits.images[digits.target == 1], np.concatenate([unseen, others]), np.repeat([1, -1], 100)


def small(**arguments):
    return AnomalyDetector(aelib.StackedAutoencoder(8, (64,)), epochs=15, batch_size=20, random_state=0, **arguments)


def test_it_finds_anomalies(ones):
    normal, x, y = ones
    detector = small(false_alarm_rate=0.1).fit(normal)
    assert roc_auc_score(y, detector.decision_function(x)) > 0.95
    assert np.mean(detector.predict(x)[y == -1] == -1) > 0.8
    np.testing.assert_allclose(detector.decision_function(x), detector.score_samples(x) - detector.offset_)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_false_alarms_are_as_frequent_as_asked_for(rng, eager, rate):
    """A new example is below the k-th smallest of n others with a probability that is Beta(k, n + 1 - k)."""
    x = rng.normal(size=(2000, 6))
    detector = AnomalyDetector(epochs=1, random_state=0, false_alarm_rate=rate, validation_fraction=0.8).fit(x[:1000])
    k = int(rate * 801)
    too_few, too_many = betabinom(1000, k, 801 - k).ppf([5e-5, 1 - 5e-5])
    assert too_few <= np.sum(detector.predict(x[1000:]) == -1) <= too_many


def test_the_threshold_comes_from_examples_that_the_model_has_not_seen(rng):
    noise = rng.uniform(size=(60, 6, 6))  # can be learned by heart and no other way
    overfit = AnomalyDetector(
        aelib.StackedAutoencoder(48, (200,), input_shape=(6, 6)),
        epochs=40, learning_rate=5e-3, batch_size=12, random_state=0, false_alarm_rate=0.5,
    )  # fmt: skip
    scores = overfit.fit(noise).score_samples(noise)
    assert 0.05 < np.mean(scores < overfit.offset_) < 0.2  # 6 of the 12 that were held out, hardly one of the 48


def test_the_given_model_is_copied_and_never_changed(ones, eager):
    model = aelib.StackedAutoencoder(8, (64,))
    weights = [w.copy() for w in model.get_weights()]
    AnomalyDetector(model, epochs=1, random_state=0).fit(ones[0])
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))


@pytest.mark.parametrize("model", [None, aelib.DenoisingAutoencoder(2)], ids=["table", "denoising"])
def test_random_numbers_of_others_go_on_as_if_there_had_been_no_fit(ones, model):
    def draws(between):
        keras.utils.set_random_seed(7)
        before = float(keras.random.uniform(()))  # makes Keras's own generator
        between()
        drawn = [random.random(), np.random.rand(), float(keras.random.uniform(()))]  # noqa: NPY002
        drawn.append(float(keras.initializers.RandomNormal()(())))
        if keras.backend.backend() == "tensorflow":
            drawn.append(float(sys.modules["tensorflow"].random.uniform(())))
        return [before, *drawn]

    detector = AnomalyDetector(model, epochs=2, random_state=0)
    assert draws(lambda: detector.fit(ones[0][:50])) == draws(lambda: None)


def test_another_seed_gives_other_weights_and_the_same_one_the_same(ones, eager):
    first, second, third = (
        AnomalyDetector(epochs=1, random_state=seed).fit(ones[0][:50, 14]).model_.get_weights()[0] for seed in (0, 1, 1)
    )
    assert not np.allclose(first, second) and np.array_equal(second, third)


def test_a_model_with_open_sizes_takes_examples_of_any_size(rng, eager):
    layers = keras.layers
    encoder = keras.Sequential([keras.Input((None, 3)), layers.Conv1D(2, 3, padding="same")])
    decoder = keras.Sequential([keras.Input((None, 2)), layers.Conv1D(3, 3, padding="same")])
    x = rng.normal(size=(40, 8, 3))
    detector = AnomalyDetector(aelib.Autoencoder(encoder, decoder), epochs=1, random_state=0).fit(x)
    assert detector.score_samples(x).shape == (40,)


def test_with_no_epochs_a_trained_model_is_used_as_it_is(ones):
    model = aelib.StackedAutoencoder(8, (64,))
    detector = AnomalyDetector(model, epochs=0, random_state=0).fit(ones[0])
    np.testing.assert_allclose(-detector.score_samples(ones[1]), reconstruction_error(model, ones[1]), rtol=1e-5)


def parts():
    from keras.layers import Dense, Flatten, Reshape

    return [Flatten(), Dense(3)], [Dense(784), Reshape((28, 28))]


MODELS = {
    "simple": (lambda: aelib.SimpleAutoencoder(4), {}),
    "linear": (lambda: aelib.LinearAutoencoder(4), {}),
    "convolutional": (lambda: aelib.ConvolutionalAutoencoder(4, filters=(2, 4)), {}),
    "recurrent": (lambda: aelib.RecurrentAutoencoder(4), {}),
    "denoising": (lambda: aelib.DenoisingAutoencoder(4), {}),
    "sparse": (lambda: aelib.SparseAutoencoder(16), {"anomaly_score": "latent"}),
    "variational": (lambda: aelib.VariationalAutoencoder(4), {"anomaly_score": "elbo"}),
    "not built": (lambda: aelib.Autoencoder(*(keras.Sequential(part) for part in parts())), {}),
    "own score": (lambda: aelib.SimpleAutoencoder(4), {"anomaly_score": lambda model, x: x.mean(axis=(1, 2))}),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_takes_any_model_and_score_and_the_same_seed_gives_the_same_bits(ones, name, eager):
    make, arguments = MODELS[name]
    first, second = (
        AnomalyDetector(make(), epochs=1, random_state=3, **arguments).fit(ones[0]).score_samples(ones[1])
        for _ in range(2)
    )
    assert np.array_equal(first, second) and np.isfinite(first).all() and first.shape == (200,)


def test_it_works_in_a_pipeline_that_flattens_in_cross_validation_and_as_a_clone(ones):
    normal, x, y = ones
    flatten = FunctionTransformer(lambda images: images.reshape(len(images), -1))
    pipeline = make_pipeline(flatten, small()).fit(normal)
    assert roc_auc_score(y, pipeline.decision_function(x)) > 0.9
    both = np.concatenate([normal, x[y == -1][:20]])
    label, folds = np.repeat([1, -1], [len(normal), 20]), StratifiedKFold(2, shuffle=True, random_state=0)
    scores = cross_val_score(clone(small()), both, label, scoring="roc_auc", cv=folds)
    assert scores.min() > 0.8


def test_a_table_needs_no_model():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 6))
    normal, strange = hidden + 0.1 * rng.normal(size=(400, 6)), rng.normal(size=(50, 6)) * hidden.std()
    detector = make_pipeline(StandardScaler(), AnomalyDetector(random_state=0)).fit(normal[:300])
    scores = detector.score_samples(np.concatenate([normal[300:], strange]))
    assert roc_auc_score(np.repeat([1, 0], [100, 50]), scores) > 0.9


@pytest.mark.slow
def test_a_saved_detector_gives_the_same_bits_in_a_new_process(ones, tmp_path):
    detector = small(anomaly_score="latent").fit(ones[0])
    joblib.dump(detector, tmp_path / "detector.joblib")
    np.save(tmp_path / "x.npy", ones[1])
    program = f"""
import joblib, numpy as np
x = np.load(r"{tmp_path}/x.npy")
np.save(r"{tmp_path}/scores.npy", joblib.load(r"{tmp_path}/detector.joblib").score_samples(x))
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert np.array_equal(np.load(tmp_path / "scores.npy"), detector.score_samples(ones[1]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": 3}, "model: expected None or an aelib model, got int"),
        ({"anomaly_score": "best"}, "anomaly_score: expected 'reconstruction', 'latent', 'elbo' or a function"),
        ({"false_alarm_rate": 5}, "false_alarm_rate: expected a number between 0 and 1, got 5"),
        ({"validation_fraction": 0}, "validation_fraction: expected a number between 0 and 1, got 0"),
        ({"epochs": -1}, "epochs: expected an integer of at least 1, got -1"),
        ({"epochs": 0}, "epochs: expected an integer of at least 1, got 0"),
        ({"learning_rate": 1e20}, "anomaly_score: expected a finite number for each"),
        ({"anomaly_score": lambda model, x: 3.0}, r"anomaly_score: .* got shape \(\)"),
        ({"model": aelib.SimpleAutoencoder(2, input_shape=(3, 3))}, r"X: expected shape \(n, 3, 3\)"),
        ({"anomaly_score": "elbo"}, "model: expected a VariationalAutoencoder, which has an ELBO, got Autoencoder"),
    ],
)
def test_wrong_arguments_are_named(arguments, message, eager):
    with pytest.raises(ValueError, match=message):
        AnomalyDetector(**({"epochs": 1} | arguments)).fit(np.ones((20, 4)))


# The scores


def test_the_error_map_sums_to_the_reconstruction_error(images):
    model, x = aelib.SimpleAutoencoder(3), images[:20]
    assert error_map(model, x).shape == x.shape
    np.testing.assert_allclose(error_map(model, x).sum(axis=(1, 2)), reconstruction_error(model, x), rtol=1e-5)
    np.testing.assert_allclose(
        reconstruction_error(model, x).mean() / 784, aelib.mean_squared_error(x, model.predict(x)), rtol=1e-5
    )


def test_the_latent_distance_is_the_mahalanobis_distance_of_the_codes(rng):
    x_normal, x = rng.normal(size=(5000, 3)) * [1, 2, 5], np.eye(3) * [1, 2, 5]
    identity = type("Identity", (), {"encode": staticmethod(lambda values: values)})
    np.testing.assert_allclose(latent_distance(identity, x, x_normal), 1.0, rtol=0.1)


def test_the_negative_elbo_is_that_of_the_model_and_always_the_same(images):
    vae = aelib.VariationalAutoencoder(4)
    vae.compile(keras.optimizers.Adam(0.002))
    vae.fit(images[:500], epochs=2, verbose=0)
    x = images[500:600]
    score, bound = negative_elbo(vae, x, n_samples=100), vae.elbo(x, n_samples=100)
    np.testing.assert_allclose(score, -bound, rtol=0.1)
    np.testing.assert_allclose(score.mean(), -bound.mean(), rtol=0.01)
    assert np.array_equal(score, negative_elbo(vae, x, n_samples=100))
    np.testing.assert_allclose(score[:3], negative_elbo(vae, x[:3], n_samples=100), rtol=1e-5)
