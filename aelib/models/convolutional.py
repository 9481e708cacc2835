"""The convolutional autoencoder: small filters down, small filters up, a dense code in between."""

import math

import keras
from keras import layers
from keras.layers import Dense, Flatten, Reshape

from aelib.models.base import Autoencoder
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class ConvolutionalAutoencoder(Autoencoder):
    """Strided convolutions / Flatten / Dense(latent_dim), then Dense / Reshape / convolutions that double the size.

    Args:
        latent_dim: how many numbers the code has; the code is linear.
        filters: filters of the encoder's convolutions, each of which halves every side, rounded up; the decoder mirrors
            them, and what is too much at the end is cut off.
        input_shape: an image ``(height, width)`` or ``(height, width, channels)``, or a signal ``(time,)``.
        kernel_size: length of every filter along each side.
        upsampling: ``"transposed"`` convolutions, or ``"nearest"``: repeat each pixel, then convolve, which avoids the
            checkerboard of transposed convolutions (Odena, Dumoulin & Olah, 2016).
        output_activation: of the last layer: ``"sigmoid"`` for values in [0, 1], ``None`` for a linear one.
        rank: how many axes the filters run along; 1 for a signal with channels, ``(time, channels)``, whose shape
            could be an image's. Left out, it is 1 for ``(time,)`` and 2 for everything else.
        **kwargs: for ``Autoencoder``.
    """

    def __init__(
        self,
        latent_dim,
        filters=(16, 32),
        input_shape=(28, 28),
        kernel_size=3,
        upsampling="transposed",
        output_activation="sigmoid",
        rank=None,
        **kwargs,
    ):
        latent_dim = check_positive_int(latent_dim, "latent_dim")
        filters = tuple(check_positive_int(number, "filters") for number in filters)
        input_shape = tuple(check_positive_int(side, "input_shape") for side in input_shape)
        rank = rank or min(len(input_shape), 2)
        if rank not in (1, 2) or len(input_shape) not in (rank, rank + 1):
            raise ValueError(
                "input_shape: expected (height, width) or (height, width, channels), or with rank=1 (time,) or "
                f"(time, channels), got {input_shape} with rank={rank}"
            )
        if upsampling not in ("transposed", "nearest"):
            raise ValueError(f"upsampling: expected 'transposed' or 'nearest', got {upsampling!r}")
        *sides, channels = (*input_shape, 1)[: rank + 1]
        small = [-(-side // 2 ** len(filters)) for side in sides]  # as many halvings, each rounded up
        convolution, transposed, upsampled, cropping = (
            getattr(layers, name.format(f"{rank}D"))
            for name in ("Conv{}", "Conv{}Transpose", "UpSampling{}", "Cropping{}")
        )

        down = [convolution(number, kernel_size, 2, "same", activation="relu") for number in filters]
        encoder = [keras.Input(input_shape), Reshape((*sides, channels)), *down, Flatten(), Dense(latent_dim)]
        up = [Dense(math.prod(small) * filters[-1], "relu"), Reshape((*small, filters[-1]))]
        for number, activation in zip(
            (*filters[-2::-1], channels), ["relu"] * (len(filters) - 1) + [output_activation], strict=True
        ):
            if upsampling == "transposed":
                up += [transposed(number, kernel_size, 2, "same", activation=activation)]
            else:
                up += [upsampled(2), convolution(number, kernel_size, 1, "same", activation=activation)]
        surplus = [(0, part * 2 ** len(filters) - side) for part, side in zip(small, sides, strict=True)]
        if any(end for _, end in surplus):
            up += [cropping(surplus if rank == 2 else surplus[0])]
        decoder = [keras.Input((latent_dim,)), *up, Reshape(input_shape)]

        super().__init__(keras.Sequential(encoder, name="encoder"), keras.Sequential(decoder, name="decoder"), **kwargs)
        self.latent_dim, self.filters, self.example_shape = latent_dim, filters, input_shape
        self.kernel_size, self.upsampling = kernel_size, upsampling
        self.output_activation, self.rank = output_activation, rank

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"latent_dim": self.latent_dim, "filters": self.filters, "input_shape": self.example_shape}
        own |= {"kernel_size": self.kernel_size, "upsampling": self.upsampling}
        return self.base_config() | own | {"output_activation": self.output_activation, "rank": self.rank}
