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
        unit_norm: whether each number of the code has a vector of length 1 in the decoder's first layer, a ``Dense``
            one, at first and after every step. Without it the model can dodge a penalty on the size of the code:
            halve the code, double those weights.
        **kwargs: for ``Autoencoder``.
    """

    codes_per_latent = 1  # numbers that the encoder gives for each number of the code
    condition_width = 0  # numbers that the decoder takes besides the code

    def __init__(self, latent_dim=None, encoder=None, decoder=None, unit_norm=False, **kwargs):
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
        self.unit_norm = bool(unit_norm)
        if self.unit_norm:
            _keep_unit_norm(decoder)

    def get_config(self):
        """The arguments of ``__init__``."""
        return super().get_config() | {"unit_norm": self.unit_norm}


def _keep_unit_norm(decoder):
    """Give each row of the first kernel, ``(latent_dim, units)``, length 1; the optimizer keeps it after its steps."""
    first = next((layer for layer in getattr(decoder, "layers", []) if layer.weights), None)
    if not (isinstance(first, keras.layers.Dense) and first.built):
        raise ValueError(
            f"unit_norm: expected a decoder whose first layer with weights is a built Dense, got {first or decoder!r}"
        )
    first.kernel_constraint = first.kernel.constraint = keras.constraints.UnitNorm(axis=1)
    first.kernel.assign(first.kernel_constraint(first.kernel))
