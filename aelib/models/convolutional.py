"""The convolutional autoencoder: small filters down, small filters up, a dense code in between."""

import math

import keras
from keras.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape, UpSampling2D

from aelib.models.base import Autoencoder
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class ConvolutionalAutoencoder(Autoencoder):
    """Strided convolutions / Flatten / Dense(latent_dim), then Dense / Reshape / convolutions that double the size.

    Args:
        latent_dim: how many numbers the code has; the code is linear.
        filters: filters of the encoder's convolutions, each of which halves height and width; the decoder mirrors them.
        input_shape: ``(height, width)`` or ``(height, width, channels)``, with values in [0, 1].
        kernel_size: height and width of every filter.
        upsampling: ``"transposed"`` convolutions, or ``"nearest"``: repeat each pixel, then convolve, which avoids the
            checkerboard of transposed convolutions (Odena, Dumoulin & Olah, 2016).
        **kwargs: for ``Autoencoder``.
    """

    def __init__(
        self, latent_dim, filters=(16, 32), input_shape=(28, 28), kernel_size=3, upsampling="transposed", **kwargs
    ):
        latent_dim = check_positive_int(latent_dim, "latent_dim")
        filters = tuple(check_positive_int(number, "filters") for number in filters)
        if len(input_shape) not in (2, 3) or any(side % 2 ** len(filters) for side in input_shape[:2]):
            raise ValueError(
                "input_shape: expected (height, width) or (height, width, channels), both sides divisible by "
                f"{2 ** len(filters)} because each of the {len(filters)} convolutions halves them, got {input_shape}"
            )
        if upsampling not in ("transposed", "nearest"):
            raise ValueError(f"upsampling: expected 'transposed' or 'nearest', got {upsampling!r}")
        image = (*input_shape, 1)[:3]  # (height, width, channels)
        small = (image[0] >> len(filters), image[1] >> len(filters), filters[-1])

        down = [Conv2D(number, kernel_size, 2, "same", activation="relu") for number in filters]
        encoder = [keras.Input(input_shape), Reshape(image), *down, Flatten(), Dense(latent_dim)]
        up = [Dense(math.prod(small), "relu"), Reshape(small)]
        for number, activation in zip(
            (*filters[-2::-1], image[2]), ["relu"] * (len(filters) - 1) + ["sigmoid"], strict=True
        ):
            if upsampling == "transposed":
                up += [Conv2DTranspose(number, kernel_size, 2, "same", activation=activation)]
            else:
                up += [UpSampling2D(2), Conv2D(number, kernel_size, 1, "same", activation=activation)]
        decoder = [keras.Input((latent_dim,)), *up, Reshape(input_shape)]

        super().__init__(keras.Sequential(encoder, name="encoder"), keras.Sequential(decoder, name="decoder"), **kwargs)
        self.latent_dim, self.filters, self.example_shape = latent_dim, filters, tuple(input_shape)
        self.kernel_size, self.upsampling = kernel_size, upsampling

    def get_config(self):
        """The arguments of ``__init__``."""
        own = {"latent_dim": self.latent_dim, "filters": self.filters, "input_shape": self.example_shape}
        return self.base_config() | own | {"kernel_size": self.kernel_size, "upsampling": self.upsampling}
