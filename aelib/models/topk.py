"""The top-k autoencoder: a wide code of which only the k largest numbers are kept."""

import keras
from keras import ops

from aelib.models.objective import Objective
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class TopKAutoencoder(Objective):
    """Sets all but the k largest numbers of a code to 0 (Makhzani & Frey, 2013): sparse by construction, no penalty.

    Args:
        latent_dim: how many numbers the code has, for the dense default; or give ``encoder`` and ``decoder``.
        k: how many of them are kept, at most as many as there are. Where the encoder ends in a ReLU, some of those kept
            may be 0 already.
        **kwargs: for ``Objective``.
    """

    def __init__(self, latent_dim=None, k=16, **kwargs):
        super().__init__(latent_dim, **kwargs)
        self.k, width = check_positive_int(k, "k"), latent_dim
        if self.encoder.built and getattr(self.encoder, "output_shape", None):  # a subclassed part may not know it
            width = self.encoder.output_shape[-1]
        if width is not None and self.k > width:
            raise ValueError(f"k: expected at most {width}, the numbers of the code, got {k}")

    def encode(self, x, training=None):
        """``x (n, ...) -> z (n, latent_dim)``, of which k numbers at most are not 0."""
        return self.through(lambda x: self.largest(self.encoder(x, training=training)), x, "x")

    def largest(self, z):
        """The k largest numbers of each code in their places, 0 elsewhere; ``(n, latent_dim)`` both."""
        values, places = ops.top_k(z, self.k)  # (n, k) each
        rows = ops.repeat(ops.arange(ops.shape(z)[0], dtype=places.dtype), self.k)
        places = ops.stack([rows, ops.reshape(places, (-1,))], axis=1)
        return ops.scatter(places, ops.reshape(values, (-1,)), ops.shape(z))

    def get_config(self):
        """The arguments of ``__init__``."""
        return super().get_config() | {"k": self.k}
