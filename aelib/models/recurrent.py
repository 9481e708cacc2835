"""The recurrent autoencoder: a sequence is read into one vector, and the vector is unrolled into a sequence."""

import keras
from keras.layers import GRU, LSTM, Dense, RepeatVector

from aelib.models.base import Autoencoder
from aelib.validation import check_positive_int

CELLS = {"lstm": LSTM, "gru": GRU}


@keras.saving.register_keras_serializable(package="aelib")
class RecurrentAutoencoder(Autoencoder):
    """LSTM or GRU / Dense(latent_dim), then RepeatVector / LSTM or GRU / Dense (Srivastava and others, 2015).

    Args:
        latent_dim: how many numbers the code has; the code is linear.
        input_shape: ``(time, features)`` of one sequence; an image is a sequence of its rows.
        cell: ``"lstm"`` or ``"gru"``.
        units: size of the cells' state.
        output_activation: of the last layer; ``"sigmoid"`` for values in [0, 1], linear by default.
        **kwargs: for ``Autoencoder``.
    """

    def __init__(self, latent_dim, input_shape=(28, 28), cell="lstm", units=64, output_activation=None, **kwargs):
        latent_dim, units = check_positive_int(latent_dim, "latent_dim"), check_positive_int(units, "units")
        if cell not in CELLS:
            raise ValueError(f"cell: expected one of {sorted(CELLS)}, got {cell!r}")
        if len(input_shape) != 2:
            raise ValueError(f"input_shape: expected (time, features), got {tuple(input_shape)}")
        time, features = input_shape
        read, write = CELLS[cell](units), CELLS[cell](units, return_sequences=True)
        encoder = [keras.Input(input_shape), read, Dense(latent_dim)]
        decoder = [keras.Input((latent_dim,)), RepeatVector(time), write, Dense(features, output_activation)]
        super().__init__(keras.Sequential(encoder, name="encoder"), keras.Sequential(decoder, name="decoder"), **kwargs)
        self.latent_dim, self.example_shape, self.cell = latent_dim, tuple(input_shape), cell
        self.units, self.output_activation = units, output_activation

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"latent_dim": self.latent_dim, "input_shape": self.example_shape, "cell": self.cell, "units": self.units}
        return self.base_config() | own | {"output_activation": self.output_activation}
