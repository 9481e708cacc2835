"""The importance-weighted autoencoder: a VAE that is trained on a tighter bound."""

import math

import keras
from keras import ops

from aelib.models.variational import VariationalAutoencoder
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class ImportanceWeightedAutoencoder(VariationalAutoencoder):
    """Minimises minus the importance-weighted bound of ``n_draws`` codes, in nats (Burda et al., 2015, 1509.00519).

    The bound is the logarithm of the *mean* of the draws' weights p(x|z) p(z) / q(z|x); that of one draw is the ELBO.
    A step decodes ``n_draws`` codes, and takes about as many times as long. The logs still have two parts whose sum is
    the loss: ``reconstruction``, -log p(x|z) averaged with the draws' weights, and as ``kl`` what remains.

    Args:
        latent_dim: as for ``VariationalAutoencoder``.
        n_draws: codes per example and step.
        **kwargs: for ``VariationalAutoencoder``; ``beta`` must stay 1, since the bound has no such weight.
    """

    def __init__(self, latent_dim=None, n_draws=5, **kwargs):
        self.n_draws = check_positive_int(n_draws, "n_draws")
        if kwargs.get("beta", 1) != 1:
            raise ValueError(f"beta: expected 1, as the importance-weighted bound has none, got {kwargs['beta']!r}")
        super().__init__(latent_dim, **kwargs)

    def call(self, x, training=None):
        """``x (batch, ...) -> x_hat (batch, ...)`` through a random z, also after training."""
        return self.decode(self.drawn(*self.posterior(x, training)), training)

    def loss_parts(self, x, target, x_hat, training):
        """-log p(x|z) of each example, averaged with the draws' weights; and what is missing to minus the bound."""
        mean, log_var = (ops.cast(statistic, "float32") for statistic in self.posterior(x, training))
        noise = keras.random.normal((self.n_draws, *ops.shape(mean)), dtype="float32", seed=self.seed_generator)
        z = mean + ops.exp(0.5 * log_var) * noise  # (draws, batch, latent_dim)
        decoded = self.decode(ops.reshape(z, (-1, z.shape[-1])), training)
        repeated = ops.tile(target, (self.n_draws, *[1] * (len(target.shape) - 1)))
        error = self.negative_log_likelihood(repeated, ops.cast(decoded, "float32"))
        error = ops.reshape(error, (self.n_draws, -1))
        log_ratio = 0.5 * ops.sum(ops.square(noise) + log_var - ops.square(z), axis=-1)  # log p(z) - log q(z|x)
        bound = ops.logsumexp(log_ratio - error, axis=0) - math.log(self.n_draws)
        reconstruction = ops.sum(ops.softmax(log_ratio - error, axis=0) * error, axis=0)
        return reconstruction, ops.mean(-bound - reconstruction) + sum(self.losses)

    def get_config(self):
        """The arguments of ``__init__``."""
        return super().get_config() | {"n_draws": self.n_draws}
