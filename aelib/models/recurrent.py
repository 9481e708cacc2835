"""The recurrent autoencoder: a sequence is read into one vector, and the vector is unrolled into a sequence."""

import keras
import numpy as np
from keras import ops
from keras.layers import GRU, LSTM, Dense, Masking, RepeatVector

from aelib.models.base import Autoencoder
from aelib.models.machinery import is_array
from aelib.validation import check_positive_int

CELLS = {"lstm": LSTM, "gru": GRU}


@keras.saving.register_keras_serializable(package="aelib")
class RecurrentAutoencoder(Autoencoder):
    """LSTM or GRU / Dense(latent_dim), then RepeatVector / LSTM or GRU / Dense (Srivastava and others, 2015).

    Sequences of unequal length are filled up with ``mask_value``, as ``keras.utils.pad_sequences`` does. A step whose
    features all have this value is padding: the encoder passes over it, it adds nothing to the error (though ``mse``
    counts it as an error of 0), and in the reconstruction it holds ``mask_value`` again.

    Args:
        latent_dim: how many numbers the code has; the code is linear.
        input_shape: ``(time, features)`` of one sequence; an image is a sequence of its rows.
        cell: ``"lstm"`` or ``"gru"``.
        units: size of the cells' state.
        output_activation: of the last layer; ``"sigmoid"`` for values in [0, 1], linear by default.
        mask_value: what fills sequences up, a number that no real step consists of; ``None`` if nothing does.
        **kwargs: for ``Autoencoder``.
    """

    def __init__(
        self,
        latent_dim,
        input_shape=(28, 28),
        cell="lstm",
        units=64,
        output_activation=None,
        mask_value=None,
        **kwargs,
    ):
        latent_dim, units = check_positive_int(latent_dim, "latent_dim"), check_positive_int(units, "units")
        if cell not in CELLS:
            raise ValueError(f"cell: expected one of {sorted(CELLS)}, got {cell!r}")
        if len(input_shape) != 2:
            raise ValueError(f"input_shape: expected (time, features), got {tuple(input_shape)}")
        time, features = input_shape = tuple(check_positive_int(size, "input_shape") for size in input_shape)
        if mask_value is not None and not np.isfinite(mask_value):
            raise ValueError(f"mask_value: expected None or a finite number, got {mask_value!r}")
        read, write = CELLS[cell](units), CELLS[cell](units, return_sequences=True)
        skip = [] if mask_value is None else [Masking(mask_value)]
        encoder = [keras.Input(input_shape), *skip, read, Dense(latent_dim)]
        decoder = [keras.Input((latent_dim,)), RepeatVector(time), write, Dense(features, output_activation)]
        super().__init__(keras.Sequential(encoder, name="encoder"), keras.Sequential(decoder, name="decoder"), **kwargs)
        self.latent_dim, self.example_shape, self.cell = latent_dim, input_shape, cell
        self.units, self.output_activation, self.mask_value = units, output_activation, mask_value

    def call(self, x, training=None):
        """``x (batch, time, features) -> x_hat (batch, time, features)``."""
        return self._padded_as(x, super().call(x, training))

    def reconstructed(self, x):
        """The same, for ``predict``."""
        return self._padded_as(x, super().reconstructed(x))

    def _padded_as(self, x, x_hat):
        if self.mask_value is None:
            return x_hat
        padding = ops.all(ops.equal(x, self.mask_value), axis=-1, keepdims=True)
        return ops.where(padding, ops.cast(self.mask_value, x_hat.dtype), x_hat)

    def checked(self, data, name, is_target=False):
        """As for every model; and each sequence needs a step that is not padding."""
        data = super().checked(data, name, is_target)
        if self.mask_value is not None and is_array(data) and name != "z":
            hidden = np.flatnonzero((data == self.mask_value).all(axis=(1, 2)))
            if len(hidden):
                raise ValueError(
                    f"{name}: expected at least one step other than mask_value={self.mask_value} in every sequence, "
                    f"got none in {len(hidden)} of {len(data)}, the first of them number {hidden[0]}"
                )
        return data

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"latent_dim": self.latent_dim, "input_shape": self.example_shape, "cell": self.cell, "units": self.units}
        return self.base_config() | own | {"output_activation": self.output_activation, "mask_value": self.mask_value}
