"""The contractive autoencoder: a code that changes little when the input does."""

import keras
from keras import ops

from aelib.models.objective import Objective
from aelib.models.randomness import SeededRandomness
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class ContractiveAutoencoder(SeededRandomness, Objective):
    """Penalises the squared Frobenius norm of the encoder's Jacobian (Rifai and others, 2011).

    The norm is estimated from differences of the code in random directions v, because for v of mean 0 and covariance 1
    the squared length of J v has the squared norm as its mean. That needs no backend's own derivatives. The encoder
    should have no dropout, whose randomness would be taken for slope.

    Args:
        latent_dim: how many numbers the code has, for the dense default; or give ``encoder`` and ``decoder``.
        weight: of the penalty.
        n_directions: random directions per step.
        seed: of the directions.
        **kwargs: for ``Objective``.
    """

    DRAWS_NOISE_PER_PIXEL = True  # see Corruption
    STEP = 1e-2  # in units of the input: small against a pixel's range, large against float32's resolution

    def __init__(self, latent_dim=None, weight=0.1, n_directions=1, seed=0, **kwargs):
        super().__init__(latent_dim, **kwargs)
        if weight < 0:
            raise ValueError(f"weight: expected a number of at least 0, got {weight!r}")
        self.weight, self.n_directions = weight, check_positive_int(n_directions, "n_directions")
        self.seed_with(seed)

    def call(self, x, training=None):
        """``x (batch, ...) -> x_hat (batch, ...)``; adds the penalty."""
        z = self.encode(x, training)
        self.add_loss(self.weight * ops.mean(self.squared_jacobian(x, z, training)))
        return self.decode(z, training)

    def squared_jacobian(self, x, z, training=None):
        """Estimate of the squared Frobenius norm of the encoder's Jacobian at each x: ``(batch,)``."""
        total = 0.0
        for _ in range(self.n_directions):
            v = keras.random.normal(ops.shape(x), dtype=x.dtype, seed=self.seed_generator)
            slope = (self.encode(x + self.STEP * v, training) - z) / self.STEP
            total = total + ops.sum(ops.square(slope), axis=-1)
        return total / self.n_directions

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"weight": self.weight, "n_directions": self.n_directions, "seed": self.seed}
        return super().get_config() | own
