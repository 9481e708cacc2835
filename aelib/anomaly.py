"""How unlike the training data an example is, in several ways, and a detector that chooses its own threshold."""

import contextlib
import numbers
import random

import keras
import numpy as np
from keras.layers import Dense, Flatten, Reshape
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from aelib.models import Autoencoder, ConditionalVariationalAutoencoder
from aelib.models.variational import kl_divergence
from aelib.validation import check_array, check_positive_int


def error_map(model, x):
    """Where the reconstruction fails: squared error of every feature, in the shape of ``x (n, ...)``."""
    x = check_array(x, "x")
    return np.square(x - model.predict(x))


def reconstruction_error(model, x):
    """Squared error of each example, summed over its features: ``x (n, ...) -> (n,)``.

    ``model`` is anything with ``predict``: an autoencoder of this library or a ``PCABaseline``.
    """
    return error_map(model, x).reshape(len(x), -1).sum(axis=1, dtype="float64")


def latent_distance(model, x, x_normal):
    """Squared Mahalanobis distance of each code from the codes of normal examples: ``x (n, ...) -> (n,)``.

    The codes' covariance is shrunk a little towards a sphere (Ledoit & Wolf, 2004), so that few examples suffice.

    Args:
        model: anything with ``encode``.
        x: examples to score, ``(n, ...)``.
        x_normal: normal examples, ``(m, ...)``.
    """
    return LedoitWolf().fit(model.encode(x_normal)).mahalanobis(model.encode(x))


def negative_elbo(model, x, n_samples=8, random_state=0):
    """Minus the evidence lower bound of each example under a VAE, in nats: ``x (n, ...) -> (n,)``.

    The draws of the code are the same for every example and every call, so the score of an example is always the same.

    Args:
        model: a ``VariationalAutoencoder``.
        x: examples to score.
        n_samples: draws of the code.
        random_state: seed of the draws.
    """
    if not hasattr(model, "posterior"):
        raise ValueError(f"model: expected a VariationalAutoencoder, which has an ELBO, got {type(model).__name__}")
    x = check_array(x, "x")
    mean, log_var = (np.asarray(statistic, "float32") for statistic in model.posterior(x))
    draws = np.random.default_rng(random_state).normal(size=(check_positive_int(n_samples, "n_samples"), mean.shape[1]))
    total = np.zeros(len(x))
    for noise in draws.astype("float32"):
        x_hat = model.decode(mean + np.exp(0.5 * log_var) * noise)
        total += keras.ops.convert_to_numpy(model.negative_log_likelihood(x, keras.ops.convert_to_tensor(x_hat)))
    return total / n_samples + keras.ops.convert_to_numpy(kl_divergence(mean, log_var))


_BLOCK = 256  # examples that the detector scores at once


class AnomalyDetector(OutlierMixin, BaseEstimator):
    """An outlier detector in scikit-learn's style around any autoencoder. Fit it on normal examples.

    ``fit`` holds a part of the examples back. The autoencoder learns from the rest; the threshold is the quantile of
    the scores of the part that it has not seen. No anomaly is needed, and no label is used. With n examples held back,
    the share of false alarms is at most ``false_alarm_rate`` on average over data sets, or 1 / (n + 1) if that is more.

    Args:
        model: an aelib model, which is copied and never changed. By default a dense autoencoder for tables, with
            linear outputs: scale the features first (``StandardScaler``).
        anomaly_score: ``"reconstruction"``, ``"latent"`` or ``"elbo"``, the functions of this module; or a function of
            your own, ``(model, x) -> (n,)``, larger for what is less normal.
        false_alarm_rate: share of normal examples that may be called anomalies; it decides the threshold.
        validation_fraction: share of the examples that is held back for the threshold.
        epochs: of training; 0 uses ``model`` as it is, trained elsewhere on other normal examples.
        batch_size: examples per step.
        learning_rate: of Adam.
        random_state: seed of weights, noise, and of which examples are held back. Seeds inside ``model`` stay.

    Attributes:
        model_: the trained autoencoder.
        offset_: the threshold: ``decision_function(X) = score_samples(X) - offset_``.
        n_features_in_: length of the axis after the examples.

    Example:
        >>> detector = aelib.AnomalyDetector(aelib.StackedAutoencoder(16), false_alarm_rate=0.01)
        >>> detector.fit(x_normal).predict(x_new)  # 1 is normal, -1 is an anomaly
        >>> joblib.dump(detector, "detector.joblib")
    """

    def __init__(
        self,
        model=None,
        anomaly_score="reconstruction",
        false_alarm_rate=0.05,
        validation_fraction=0.2,
        epochs=20,
        batch_size=128,
        learning_rate=2e-3,
        random_state=None,
    ):
        self.model = model
        self.anomaly_score = anomaly_score
        self.false_alarm_rate = false_alarm_rate
        self.validation_fraction = validation_fraction
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X, y=None):  # noqa: N803, scikit-learn's name
        """Train on normal examples ``X (n, ...)`` and choose the threshold; ``y`` is ignored. Returns ``self``."""
        self._check_parameters()
        X = validate_data(self, X, dtype="float32", allow_nd=True, ensure_min_samples=2)  # noqa: N806
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        train, held_back = train_test_split(X, test_size=self.validation_fraction, random_state=seed)
        with _keras_seeded(seed):
            self.model_ = self._new_model(X.shape[1:])
        train, held_back = self._shaped(train), self._shaped(held_back)
        if self.epochs:
            self.model_.compile(keras.optimizers.Adam(self.learning_rate))
        order = np.random.default_rng(seed)
        for _ in range(self.epochs):  # Keras would shuffle with generators that belong to the whole process
            shuffled = order.permutation(train)
            self.model_.fit(shuffled, batch_size=self.batch_size, shuffle=False, verbose=0)
        self.codes_ = LedoitWolf().fit(self.model_.encode(train)) if self.anomaly_score == "latent" else None
        normality = np.sort(-self._anomaly_scores(held_back))
        # Of n + 1 exchangeable examples a new one is below the k-th smallest of the others in k of n + 1 cases.
        k = int(self.false_alarm_rate * (len(normality) + 1))
        self.offset_ = float(normality[max(k, 1) - 1])
        return self

    def score_samples(self, X):  # noqa: N803
        """How normal each example is, ``(n,)``: minus its anomaly score, so larger is more normal."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype="float32", allow_nd=True, reset=False)  # noqa: N806
        return -self._anomaly_scores(self._shaped(X))

    def decision_function(self, X):  # noqa: N803
        """``(n,)``: positive for normal examples, negative for anomalies."""
        return self.score_samples(X) - self.offset_

    def predict(self, X):  # noqa: N803
        """``(n,)``: 1 for normal examples, -1 for anomalies."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _new_model(self, shape):
        """For examples of this shape, with random weights, or with those of a model that is not to be trained."""
        if self.model is None:
            return dense_for_tables(shape)
        new = type(self.model).from_config(self.model.get_config())
        if not new.built:
            new.build(self.model.built_for if self.model.built else (None, *shape))
        given = self.model.get_weights()  # none, if it is not built
        if given and not self.epochs:
            new.set_weights(given)
        return new

    def _anomaly_scores(self, x):
        """In blocks of one size, the last one padded: then no bit of a score depends on the other examples."""
        padding = np.repeat(x[-1:], -len(x) % _BLOCK, axis=0)
        blocks = np.split(np.concatenate([x, padding]), (len(x) + len(padding)) // _BLOCK)
        return np.concatenate([self._scores_of_block(block) for block in blocks])[: len(x)]

    def _scores_of_block(self, x):
        known = {"reconstruction": reconstruction_error, "elbo": negative_elbo}
        if self.anomaly_score == "latent":
            scores = self.codes_.mahalanobis(self.model_.encode(x))
        else:
            scores = np.asarray(known.get(self.anomaly_score, self.anomaly_score)(self.model_, x), "float64")
        if scores.shape != (len(x),) or not np.isfinite(scores).all():
            raise ValueError(
                f"anomaly_score: expected a finite number for each of {len(x)} examples, got shape {scores.shape} with "
                f"{int((~np.isfinite(scores)).sum())} NaN or infinite ones; has the training diverged?"
            )
        return scores

    def _shaped(self, x):
        """Flat examples in the shape that the model takes: a ``Pipeline`` may have flattened them."""
        shape = getattr(self.model_.encoder, "input_shape", (None, *x.shape[1:]))[1:]
        if None not in shape and x.shape[1:] != shape and x[0].size == np.prod(shape):
            x = x.reshape(-1, *shape)
        return check_array(x, "X", shape)

    def _check_parameters(self):
        if not (self.model is None or isinstance(self.model, Autoencoder)):
            raise ValueError(f"model: expected None or an aelib model, got {type(self.model).__name__}")
        if not (self.anomaly_score in ("reconstruction", "latent", "elbo") or callable(self.anomaly_score)):
            raise ValueError(
                "anomaly_score: expected 'reconstruction', 'latent', 'elbo' or a function (model, x) -> (n,), "
                f"got {self.anomaly_score!r}"
            )
        if isinstance(self.model, ConditionalVariationalAutoencoder):
            raise ValueError("model: expected one whose input is an array, got a ConditionalVariationalAutoencoder")
        for name, limit in (("false_alarm_rate", 1), ("validation_fraction", 1), ("learning_rate", np.inf)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Real) or not 0 < value < limit:
                raise ValueError(f"{name}: expected a number between 0 and {limit}, got {value!r}")
        if self.epochs != 0 or self.model is None:
            check_positive_int(self.epochs, "epochs")
        check_positive_int(self.batch_size, "batch_size")


def dense_for_tables(shape):
    """An autoencoder n-64-d-64-n with linear outputs, d a half of the n features and at most 32."""
    n_features = int(np.prod(shape))
    latent_dim = min(32, max(1, n_features // 2))
    encoder = keras.Sequential([keras.Input(shape), Flatten(), Dense(64, "relu"), Dense(latent_dim)])
    decoder = keras.Sequential([keras.Input((latent_dim,)), Dense(64, "relu"), Dense(n_features), Reshape(shape)])
    return Autoencoder(encoder, decoder)


@contextlib.contextmanager
def _keras_seeded(seed):
    """Layers made here have seeded weights and noise, because Keras takes their seeds from Python's generator.

    ``keras.utils.set_random_seed`` would reset generators that are not ours, and that cannot all be set back.
    """
    kept = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(kept)
