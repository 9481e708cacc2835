"""The sparse autoencoder: a wide code in which few units may speak at a time."""

import keras
from keras import ops

from aelib.models.objective import Objective


@keras.saving.register_keras_serializable(package="aelib")
class SparseAutoencoder(Objective):
    """A penalty on the code: L1, or the divergence of each unit's mean activation from a target (Ng, 2011).

    Args:
        latent_dim: how many numbers the code has, for the dense default; or give ``encoder`` and ``decoder``.
        weight: of the penalty.
        target: ``None`` for L1; else the mean activation, in (0, 1), that every unit shall have over a batch. The
            activation is the sigmoid of the encoder's output.
        **kwargs: for ``Objective``.
    """

    def __init__(self, latent_dim=None, weight=0.1, target=None, **kwargs):
        super().__init__(latent_dim, **kwargs)
        if weight < 0:
            raise ValueError(f"weight: expected a number of at least 0, got {weight!r}")
        if target is not None and not 0 < target < 1:
            raise ValueError(f"target: expected None or a number in (0, 1), got {target!r}")
        self.weight, self.target = weight, target

    def encode(self, x, training=None):
        """``x (n, ...) -> z (n, latent_dim)``; in (0, 1) where there is a target."""
        if self.target is None:
            return super().encode(x, training)
        return self.through(lambda x: ops.sigmoid(self.encoder(x, training=training)), x, "x")

    def call(self, x, training=None):
        """``x (batch, ...) -> x_hat (batch, ...)``; adds the penalty."""
        z = self.encode(x, training)
        self.add_loss(self.weight * self.sparsity(z))
        return self.decode(z, training)

    def sparsity(self, z):
        """Mean L1 norm of the codes, or the units' summed KL divergence from the target in nats; a scalar."""
        z = ops.cast(z, "float32")
        if self.target is None:
            return ops.mean(ops.sum(ops.abs(z), axis=-1))
        active = ops.clip(ops.mean(z, axis=0), 1e-6, 1 - 1e-6)
        on = self.target * (ops.log(self.target) - ops.log(active))
        off = (1 - self.target) * (ops.log(1 - self.target) - ops.log(1 - active))
        return ops.sum(on + off)

    def get_config(self):
        """The arguments of ``__init__``."""
        return super().get_config() | {"weight": self.weight, "target": self.target}
