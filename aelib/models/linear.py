"""The linear autoencoder, which is PCA by another road."""

import math

import keras
from keras.layers import Dense, Flatten, Reshape

from aelib.models.base import Autoencoder
from aelib.models.tied import TiedDense
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class LinearAutoencoder(Autoencoder):
    """Flatten / Dense(latent_dim), then Dense(784) / Reshape, with no activation anywhere.

    With squared error its best reconstruction is PCA's (Baldi & Hornik, 1989): it finds the same subspace, but not the
    same axes. Give it centred data, or let the two biases do the centring.

    Args:
        latent_dim: how many numbers the code has.
        input_shape: shape of one example.
        tied: whether the decoder's matrix is the encoder's, transposed.
        use_bias: whether both layers have a bias.
        **kwargs: for ``Autoencoder``.
    """

    def __init__(self, latent_dim, input_shape=(28, 28), tied=False, use_bias=True, **kwargs):
        latent_dim, n_features = check_positive_int(latent_dim, "latent_dim"), math.prod(input_shape)
        down = Dense(latent_dim, use_bias=use_bias)
        encoder = keras.Sequential([keras.Input(input_shape), Flatten(), down], name="encoder")
        up = TiedDense(down, use_bias=use_bias) if tied else Dense(n_features, use_bias=use_bias)
        decoder = keras.Sequential([keras.Input((latent_dim,)), up, Reshape(input_shape)], name="decoder")
        super().__init__(encoder, decoder, **kwargs)
        self.latent_dim, self.example_shape, self.tied, self.use_bias = latent_dim, tuple(input_shape), tied, use_bias

    @property
    def components(self):
        """The decoder's matrix, ``(latent_dim, n_features)``: row i is what one unit of code i adds to the image."""
        down, up = self.encoder.layers[-1], self.decoder.layers[0]
        return keras.ops.convert_to_numpy(down.kernel).T if self.tied else keras.ops.convert_to_numpy(up.kernel)

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"latent_dim": self.latent_dim, "input_shape": self.example_shape}
        return self.base_config() | own | {"tied": self.tied, "use_bias": self.use_bias}
