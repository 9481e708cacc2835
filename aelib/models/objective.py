"""What the objectives share: they take any encoder and decoder, or build dense ones from `latent_dim` alone."""

import keras

from aelib.models.base import Autoencoder
from aelib.models.stacked import StackedAutoencoder
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class Objective(Autoencoder):
    """An autoencoder whose parts are interchangeable.

    Args:
        latent_dim: how many numbers the code has, for dense parts 784-300-latent_dim-300-784.
        encoder: any model from ``(batch, ...)`` to the code; instead of ``latent_dim``, together with ``decoder``.
        decoder: any model from the code back to ``(batch, ...)``.
        **kwargs: for ``Autoencoder``.
    """

    codes_per_latent = 1  # numbers that the encoder gives for each number of the code
    condition_width = 0  # numbers that the decoder takes besides the code

    def __init__(self, latent_dim=None, encoder=None, decoder=None, **kwargs):
        if (encoder is None) != (decoder is None) or (latent_dim is None) == (encoder is None):
            raise ValueError(
                "latent_dim: expected either latent_dim alone or both encoder and decoder, got "
                f"latent_dim={latent_dim!r}, encoder={encoder!r}, decoder={decoder!r}"
            )
        if encoder is None:
            latent_dim = check_positive_int(latent_dim, "latent_dim")
            decoder = StackedAutoencoder(latent_dim + self.condition_width).decoder
            encoder = StackedAutoencoder(latent_dim * self.codes_per_latent).encoder
        given, taken = getattr(encoder, "output_shape", None), getattr(decoder, "input_shape", None)
        if encoder.built and decoder.built and given and taken:  # subclassed parts may not know
            free = taken[-1] - self.condition_width
            if given[-1] != self.codes_per_latent * free:
                raise ValueError(
                    f"encoder: expected one that gives {self.codes_per_latent} x {free} numbers, because the "
                    f"decoder takes {taken[-1]}, got one that gives {given[-1]}"
                )
        super().__init__(encoder, decoder, **kwargs)
