"""The stacked (deep) autoencoder: an hourglass of dense layers."""

import math

import keras
from keras.layers import Dense, Flatten, Reshape

from aelib.models.base import Autoencoder
from aelib.models.tied import TiedDense
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class StackedAutoencoder(Autoencoder):
    """784-300-150-300-784, or any other hourglass (Hinton & Salakhutdinov, 2006).

    Args:
        latent_dim: how many numbers the code has; the code is linear.
        hidden_units: units of the encoder's hidden layers, from the input to the code.
        decoder_units: units of the decoder's hidden layers, from the code to the output; the mirror image by default.
        input_shape: shape of one example.
        activation: activation of the hidden layers.
        tied: whether each decoder layer uses the transposed matrix of its mirror image in the encoder.
        output_activation: of the last layer: ``"sigmoid"`` for values in [0, 1], ``None`` for a linear one.
        **kwargs: for ``Autoencoder``.
    """

    def __init__(
        self,
        latent_dim,
        hidden_units=(300,),
        decoder_units=None,
        input_shape=(28, 28),
        activation="relu",
        tied=False,
        output_activation="sigmoid",
        **kwargs,
    ):
        latent_dim = check_positive_int(latent_dim, "latent_dim")
        hidden_units = tuple(check_positive_int(units, "hidden_units") for units in hidden_units)
        mirror = hidden_units[::-1]
        up_units = mirror if decoder_units is None else tuple(decoder_units)
        if tied and up_units != mirror:
            raise ValueError(f"decoder_units: expected {mirror}, the mirror of hidden_units, with tied, got {up_units}")

        down = [Dense(units, activation) for units in hidden_units] + [Dense(latent_dim)]
        encoder = keras.Sequential([keras.Input(input_shape), Flatten(), *down], name="encoder")
        activations = [activation] * len(up_units) + [output_activation]
        if tied:
            up = [TiedDense(partner, a) for partner, a in zip(down[::-1], activations, strict=True)]
        else:
            widths = [*up_units, math.prod(input_shape)]
            up = [Dense(check_positive_int(w, "decoder_units"), a) for w, a in zip(widths, activations, strict=True)]
        decoder = keras.Sequential([keras.Input((latent_dim,)), *up, Reshape(input_shape)], name="decoder")

        super().__init__(encoder, decoder, **kwargs)
        self.latent_dim, self.hidden_units, self.decoder_units = latent_dim, hidden_units, decoder_units
        self.example_shape, self.activation, self.tied = tuple(input_shape), activation, tied
        self.output_activation = output_activation

    def fit_layerwise(self, x, **fit_arguments):
        """Greedy layer-wise pretraining (Bengio et al., 2007): each pair of layers first learns to copy what it gets.

        The outermost pair is trained on ``x``, the next one on the codes of the first, and so on inwards. The layers
        themselves are trained, so a following ``fit`` starts from what they learned.

        Args:
            x: ``(n, ...)``.
            **fit_arguments: for each pair's ``fit``: ``epochs``, ``batch_size``, ``verbose``, ...

        Returns:
            A list of Keras ``History`` objects, from the outermost pair to the innermost.
        """
        down, up = self.encoder.layers[1:], self.decoder.layers[-2::-1]
        if len(down) != len(up):
            raise ValueError(
                f"fit_layerwise: expected as many encoder as decoder layers, got {len(down)} and {len(up)}"
            )
        x = self.checked(x, "x", is_target=True).reshape(len(x), -1)
        histories = []
        for lower, upper in zip(down, up, strict=True):
            n_features = x.shape[1]
            encoder = keras.Sequential([keras.Input((n_features,)), lower])
            decoder = keras.Sequential([keras.Input((lower.units,)), upper])
            pair = Autoencoder(encoder, decoder)
            pair.compile()
            histories.append(pair.fit(x, **fit_arguments))
            x = pair.encode(x)
        return histories

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"latent_dim": self.latent_dim, "hidden_units": self.hidden_units, "decoder_units": self.decoder_units}
        own |= {"input_shape": self.example_shape, "activation": self.activation, "tied": self.tied}
        return self.base_config() | own | {"output_activation": self.output_activation}
