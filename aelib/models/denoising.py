"""The denoising autoencoder: it sees a corrupted input and must give back the clean one."""

import keras
from keras import ops

from aelib.models.objective import Objective
from aelib.models.randomness import SeededRandomness


@keras.saving.register_keras_serializable(package="aelib")
class Corruption(SeededRandomness, keras.layers.Layer):
    """Noise that is drawn afresh every step, and only in training.

    Args:
        kind: ``"gaussian"`` adds noise of standard deviation ``noise``; ``"masking"`` sets a share ``noise`` of the
            pixels to 0; ``"salt_and_pepper"`` sets that share to 0 or 1, half of it each.
        noise: strength, at least 0; a share is at most 1.
        seed: of the layer's own generator.
    """

    KINDS = ("gaussian", "masking", "salt_and_pepper")
    DRAWS_NOISE_PER_PIXEL = True  # XLA draws it so slowly on a CPU that `fit` does without XLA

    def __init__(self, kind="gaussian", noise=0.25, seed=0, **kwargs):
        super().__init__(**kwargs)
        if kind not in self.KINDS:
            raise ValueError(f"corruption: expected one of {self.KINDS}, got {kind!r}")
        if not 0 <= noise <= (float("inf") if kind == "gaussian" else 1):
            raise ValueError(f"noise: expected a number {'>= 0' if kind == 'gaussian' else 'in [0, 1]'}, got {noise!r}")
        self.kind, self.noise = kind, float(noise)
        self.seed_with(seed)

    def call(self, x, training=False):
        """``x (batch, ...)``, corrupted in training; same shape."""
        if not training or self.noise == 0:
            return x
        if self.kind == "gaussian":
            return x + self.noise * keras.random.normal(ops.shape(x), dtype=x.dtype, seed=self.seed_generator)
        u = keras.random.uniform(ops.shape(x), dtype=x.dtype, seed=self.seed_generator)
        if self.kind == "masking":
            return x * ops.cast(u >= self.noise, x.dtype)
        salt = ops.cast(u < self.noise / 2, x.dtype)
        return ops.where(u < self.noise, salt, x)

    def get_config(self):
        """The arguments of ``__init__``."""
        return super().get_config() | {"kind": self.kind, "noise": self.noise, "seed": self.seed}


@keras.saving.register_keras_serializable(package="aelib")
class DenoisingAutoencoder(Objective):
    """Corrupt the input, reconstruct the clean one (Vincent and others, 2008 and 2010). Deterministic after training.

    Args:
        latent_dim: how many numbers the code has, for the dense default; or give ``encoder`` and ``decoder``.
        corruption: ``"gaussian"``, ``"masking"`` or ``"salt_and_pepper"``.
        noise: how much; see ``Corruption``.
        seed: of the noise.
        **kwargs: ``encoder``, ``decoder``, ``reconstruction``, for ``Objective``.
    """

    def __init__(self, latent_dim=None, corruption="gaussian", noise=0.25, seed=0, **kwargs):
        super().__init__(latent_dim, **kwargs)
        self.corrupt = Corruption(corruption, noise, seed)

    def call(self, x, training=None):
        """``x (batch, ...) -> x_hat (batch, ...)``, from a corrupted x in training."""
        return self.decode(self.encode(self.corrupt(x, training=training), training), training)

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"corruption": self.corrupt.kind, "noise": self.corrupt.noise, "seed": self.corrupt.seed}
        return super().get_config() | own
