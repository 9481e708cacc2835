"""How good is a VAE as a model of the data? Bounds on log p(x) that tighten, and the gap below them taken apart."""

import keras
import numpy as np
import pandas as pd
from keras import ops

from aelib.models.variational import VariationalAutoencoder, kl_divergence
from aelib.validation import check_positive_int


def tightening(model, x, n_samples=(1, 10, 100, 1000, 5000), posterior=None):
    """The importance-weighted bound on log p(x) for several numbers of draws (Burda et al., 2015, 1509.00519).

    Args:
        model: a ``VariationalAutoencoder``.
        x: examples ``(n, ...)`` that it was not trained on.
        n_samples: numbers of draws K. They share the draws of the largest.
        posterior: means and log variances ``(n, latent_dim)`` of another q(z|x) than the encoder's.

    Returns:
        A ``pandas.DataFrame`` with a row for each K: ``bound``, the mean over the examples in nats, and
        ``standard_error``, how far it may be from that of other examples; the error of the draws is part of it.
    """
    each = check_variational(model).log_likelihood(x, np.atleast_1d(n_samples).tolist(), posterior)
    index = pd.Index(np.atleast_1d(n_samples), name="K")
    error = each.std(axis=1, ddof=1) / np.sqrt(each.shape[1]) if each.shape[1] > 1 else np.nan
    return pd.DataFrame({"bound": each.mean(axis=1), "standard_error": error}, index=index)


def refined_posterior(model, x, n_steps=200, n_draws=8, learning_rate=0.05, seed=0):
    """The best Gaussian q(z|x) for each x: the encoder's, improved by gradient steps on the ELBO with Adam.

    The encoder answers for all images with one network. What it loses by that is the amortisation gap, and what the
    best Gaussian still loses against log p(x) the approximation gap (Cremer, Li & Duvenaud, 2018, 1801.03558). The
    model is not changed.

    Args:
        model: a ``VariationalAutoencoder``.
        x: examples ``(n, ...)``; they are worked on all together, so hundreds rather than thousands.
        n_steps: gradient steps; where the ELBO of other examples no longer gains from more is enough.
        n_draws: draws of z for each example and step.
        learning_rate: Adam's, at first; it falls to zero along a cosine.
        seed: of the draws.

    Returns:
        Means and log variances, each ``(n, latent_dim)``: what ``elbo`` and ``log_likelihood`` take as ``posterior``.
    """
    x = check_variational(model).checked(x, "x", is_target=True)
    check_positive_int(n_steps, "n_steps")
    search = PosteriorSearch(model, x, check_positive_int(n_draws, "n_draws"), seed)
    search.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, n_steps)))
    rows = np.zeros(len(keras.tree.flatten(x)[0]))
    for _ in range(n_steps):
        search.train_on_batch(rows)
    return tuple(ops.convert_to_numpy(statistic) for statistic in (search.mean, search.log_var))


class PosteriorSearch(keras.Model):
    """A model whose weights are the means and log variances of some examples; its loss is their mean -ELBO."""

    def __init__(self, model, x, n_draws, seed):
        super().__init__()
        start = [np.asarray(statistic, "float32") for statistic in model.posterior(x)]
        self.mean, self.log_var = (
            self.add_weight(statistic.shape, keras.initializers.Constant(statistic)) for statistic in start
        )
        self.n_draws, self.seed_generator = n_draws, keras.random.SeedGenerator(seed)
        repeated = keras.tree.map_structure(lambda a: np.concatenate([a] * n_draws), x)
        self.log_p_given = lambda z: model.log_p_given(repeated, z)  # a function, so that the model stays untrained

    def call(self, rows):
        """The ELBO of each example, ``(n,)``; ``rows`` are only there because Keras wants an input."""
        mean, log_var = ops.convert_to_tensor(self.mean), ops.convert_to_tensor(self.log_var)
        noise = keras.random.normal((self.n_draws, *mean.shape), seed=self.seed_generator)
        z = mean + ops.exp(0.5 * log_var) * noise
        fit = ops.reshape(self.log_p_given(ops.reshape(z, (-1, z.shape[-1]))), (self.n_draws, -1))
        return ops.mean(fit, axis=0) - kl_divergence(mean, log_var)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Minus the mean ELBO."""
        return -ops.mean(y_pred)


def check_variational(model):
    """Return ``model``, or raise a ``ValueError`` if it is no ``VariationalAutoencoder``."""
    if not isinstance(model, VariationalAutoencoder):
        raise ValueError(f"model: expected a VariationalAutoencoder, got {type(model).__name__}")
    return model
