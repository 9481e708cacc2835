"""The variational autoencoder: the code is a distribution, and the loss is a bound on the likelihood."""

import math

import keras
import numpy as np
from keras import ops
from scipy.special import logsumexp

from aelib import losses
from aelib.models.objective import Objective
from aelib.models.randomness import SeededRandomness
from aelib.validation import check_array, check_positive_int

LOG_2PI = math.log(2 * math.pi)


@keras.saving.register_keras_serializable(package="aelib")
class VariationalAutoencoder(SeededRandomness, Objective):
    """Minimises the negative ELBO in nats: reconstruction + beta x KL (Kingma & Welling, 2013; Higgins et al., 2017).

    Args:
        latent_dim: how many numbers the code has, for the dense default; or give ``encoder``, which gives the code's
            means followed by its log variances, and ``decoder``.
        beta: weight of the divergence; 1 is the ELBO.
        likelihood: ``"bernoulli"`` for values in [0, 1]; ``"gaussian"`` with standard deviation ``sigma``.
        sigma: of the Gaussian likelihood, in units of the input; ``None`` learns one for all features.
        seed: of the codes' randomness.
        **kwargs: ``encoder`` and ``decoder``, for ``Objective``.
    """

    codes_per_latent = 2  # a mean and a log variance

    def __init__(self, latent_dim=None, beta=1.0, likelihood="bernoulli", sigma=1.0, seed=0, **kwargs):
        if "reconstruction" in kwargs:
            raise ValueError("reconstruction: expected nothing, because the likelihood decides it; pass likelihood=")
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f"likelihood: expected 'bernoulli' or 'gaussian', got {likelihood!r}")
        if not beta >= 0:
            raise ValueError(f"beta: expected a number of at least 0, got {beta!r}")
        if sigma is not None and not sigma > 0:
            raise ValueError(f"sigma: expected None or a number above 0, got {sigma!r}")
        self.penalty_name = "kl" if beta == 1 else "beta_kl"  # in the logs
        kwargs["reconstruction"] = "binary_crossentropy" if likelihood == "bernoulli" else "squared_error"
        super().__init__(latent_dim, **kwargs)
        self.beta, self.likelihood, self.sigma = beta, likelihood, sigma
        self.seed_with(seed)
        self.reconstruction_error = self.negative_log_likelihood
        if likelihood == "gaussian":
            start = 0.0 if sigma is None else math.log(sigma)
            self.log_sigma = self.add_weight((), keras.initializers.Constant(start), trainable=sigma is None)

    def encode(self, x, training=None):
        """``x (n, ...) -> z (n, latent_dim)``: the means, so the same x always has the same code."""
        return self.posterior(x, training)[0]

    def posterior(self, x, training=None):
        """Mean and log variance of q(z|x): ``x (n, ...) -> (n, latent_dim), (n, latent_dim)``."""
        return self.mean_and_log_var(super().encode(x, training))

    def mean_and_log_var(self, statistics):
        """What the encoder gives, cut in two: ``(n, 2 latent_dim) -> (n, latent_dim), (n, latent_dim)``."""
        latent_dim = statistics.shape[-1] // 2
        return statistics[..., :latent_dim], statistics[..., latent_dim:]

    def call(self, x, training=None):
        """``x (batch, ...) -> x_hat (batch, ...)`` through a random z, also after training; adds the KL."""
        return self.decode(self.random_code(x, training), training)

    def random_code(self, x, training=None):
        """One draw of z from q(z|x): ``(batch, latent_dim)``; adds the KL."""
        mean, log_var = self.posterior(x, training)
        self.add_loss(self.beta * ops.mean(kl_divergence(mean, log_var)))
        return self.drawn(mean, log_var)

    def drawn(self, mean, log_var):
        """One draw from N(mean, exp(log_var)), through which gradients flow: ``(batch, latent_dim)``."""
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_var) * noise

    def negative_log_likelihood(self, x, x_hat):
        """-log p(x|z) in nats, summed over the features: ``(batch,)``."""
        if self.likelihood == "bernoulli":
            return losses.binary_crossentropy(x, x_hat)
        log_sigma, n_features = ops.cast(self.log_sigma, "float32"), math.prod(x.shape[1:])
        return losses.squared_error(x, x_hat) / (2 * ops.exp(2 * log_sigma)) + n_features * (log_sigma + LOG_2PI / 2)

    def sample(self, n):
        """``n`` new examples ``(n, ...)``: decoded draws from the prior, different ones at every call."""
        shape = (check_positive_int(n, "n"), self.decoder.input_shape[-1])
        return self.decode(ops.convert_to_numpy(keras.random.normal(shape, seed=self.seed_generator)))

    def elbo(self, x, n_samples=1, posterior=None):
        """Evidence lower bound of each x in nats, ``(n,)``: ``n_samples`` draws of z, and the KL exact.

        Args:
            x: examples ``(n, ...)``.
            n_samples: draws of z for each.
            posterior: means and log variances ``(n, latent_dim)`` of another q(z|x) than the encoder's.
        """
        fits = [np.mean(fit, axis=0) for fit, _, _ in self._draws(x, n_samples, posterior)]
        return np.concatenate(fits) - ops.convert_to_numpy(kl_divergence(*self._proposal(x, posterior)[1:]))

    def log_likelihood(self, x, n_samples=500, posterior=None):
        """Importance-weighted estimate of log p(x) in nats, ``(n,)`` (Burda, Grosse & Salakhutdinov, 2015).

        A lower bound on average, which tightens as ``n_samples`` grows. Memory does not grow with the number of
        examples, and with ``n_samples`` only by a few numbers each.

        Args:
            x: examples ``(n, ...)``.
            n_samples: draws of z for each; or several numbers of draws, increasing or not, for ``(len(n_samples), n)``.
                They share the draws of the largest: a smaller number is estimated in as many groups as there are.
            posterior: means and log variances ``(n, latent_dim)`` of another q(z|x) than the encoder's.
        """
        sizes = [check_positive_int(size, "n_samples") for size in np.atleast_1d(n_samples).tolist()]
        bounds = []
        for fit, log_prior, log_q in self._draws(x, max(sizes), posterior):
            log_weights = fit + log_prior - log_q  # (draws, images)
            bounds.append([_importance_weighted(log_weights, size) for size in sizes])
        bounds = np.concatenate(bounds, axis=1)
        return bounds if np.ndim(n_samples) else bounds[0]

    def _proposal(self, x, posterior):
        x = self.checked(x, "x", is_target=True)
        if posterior is None:
            return x, *(np.asarray(statistic, "float32") for statistic in self.posterior(x))
        n, latent_dim = len(keras.tree.flatten(x)[0]), self.decoder.input_shape[-1] - self.condition_width
        posterior = [check_array(statistic, "posterior", (latent_dim,)) for statistic in posterior]
        if [len(statistic) for statistic in posterior] != [n, n]:
            raise ValueError(
                f"posterior: expected a mean and a log variance for each of {n} examples, got arrays of shape "
                f"{[statistic.shape for statistic in posterior]}"
            )
        return x, *posterior

    def _draws(self, x, n_samples, posterior=None):
        """Of ``n_samples`` draws of z: log p(x|z), log p(z), log q(z|x), each ``(n_samples, images)``.

        For some images after the other: as many as fill 2**20 numbers. What is decoded together fills twice as many.
        """
        x, mean, log_var = self._proposal(x, posterior)
        at_once = max(1, 2**21 // math.prod(self.decoder.output_shape[1:]))
        images = max(1, min(at_once, 2**20 // check_positive_int(n_samples, "n_samples")))
        for start in range(0, len(mean), images):
            rows = slice(start, start + images)
            m, v = mean[rows], log_var[rows]
            draws = min(n_samples, max(1, at_once // len(m)))
            repeated = keras.tree.map_structure(lambda a: np.concatenate([a[rows]] * draws), x)  # noqa: B023
            found = []
            for done in range(0, n_samples, draws):
                noise = keras.random.normal((min(draws, n_samples - done), *m.shape), seed=self.seed_generator)
                noise = ops.convert_to_numpy(noise)
                z = m + np.exp(0.5 * v) * noise
                own = keras.tree.map_structure(lambda a: a[: len(noise) * len(m)], repeated)  # noqa: B023
                fit = self.log_p_given(own, ops.convert_to_tensor(z.reshape(-1, z.shape[-1])))
                fit = ops.convert_to_numpy(fit).reshape(len(noise), len(m))
                found.append((fit, _log_normal(z, 0.0), _log_normal(noise, v)))
            yield [np.concatenate(parts).astype("float64") for parts in zip(*found, strict=True)]

    def log_p_given(self, x, z):
        """log p(x|z) in nats: ``x (n, ...)`` and a tensor ``z (n, latent_dim) -> (n,)``."""
        x, x_hat = ops.cast(x, "float32"), ops.cast(self.decode(z), "float32")  # also of a model in bfloat16
        return -self.negative_log_likelihood(x, x_hat)

    def get_config(self):
        """The arguments of ``__init__``."""
        config = super().get_config()
        del config["reconstruction"]  # the likelihood decides it
        return config | {"beta": self.beta, "likelihood": self.likelihood, "sigma": self.sigma, "seed": self.seed}


def kl_divergence(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, 1)) in nats, summed over the code: ``(batch, latent_dim) -> (batch,)``."""
    mean, log_var = ops.cast(mean, "float32"), ops.cast(log_var, "float32")
    return 0.5 * ops.sum(ops.square(mean) + ops.exp(log_var) - 1 - log_var, axis=-1)


def _log_normal(standardised, log_var):
    """Log density of N(0, exp(log_var)) at a point given in its standard deviations: ``(..., d) -> (...)``."""
    return -0.5 * np.sum(np.square(standardised) + log_var + LOG_2PI, axis=-1)


def _importance_weighted(log_weights, size):
    """log of the mean weight of ``size`` draws, averaged over the groups: ``(draws, n) -> (n,)``."""
    groups = log_weights[: len(log_weights) // size * size].reshape(-1, size, log_weights.shape[1])
    return np.mean(logsumexp(groups, axis=1), axis=0) - math.log(size)
