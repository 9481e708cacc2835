"""The course's first model: one layer down, one layer up."""

import math

import keras
from keras.layers import Dense, Flatten, Reshape

from aelib.models.base import Autoencoder
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class SimpleAutoencoder(Autoencoder):
    """Flatten / Dense(latent_dim), then Dense(784, sigmoid) / Reshape.

    Args:
        latent_dim: how many numbers the code has.
        input_shape: shape of one example, whose values lie in [0, 1].
        activation: activation of the code. Linear by default: a code unit with a ReLU can die, and chapter 1 shows it.
        **kwargs: ``reconstruction`` and the rest, for ``Autoencoder``.
    """

    def __init__(self, latent_dim, input_shape=(28, 28), activation=None, **kwargs):
        self.latent_dim = check_positive_int(latent_dim, "latent_dim")
        self.example_shape, self.activation = tuple(input_shape), activation
        n_features = math.prod(input_shape)
        down = [Flatten(), Dense(latent_dim, activation)]
        up = [Dense(n_features, "sigmoid"), Reshape(input_shape)]
        encoder = keras.Sequential([keras.Input(input_shape), *down], name="encoder")
        decoder = keras.Sequential([keras.Input((latent_dim,)), *up], name="decoder")
        super().__init__(encoder, decoder, **kwargs)

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"latent_dim": self.latent_dim, "input_shape": self.example_shape, "activation": self.activation}
        return self.base_config() | own
