"""The one contract of every model in this library: loss = reconstruction + penalty."""

import keras
from keras import ops

from aelib import losses
from aelib.models.machinery import Machinery
from aelib.validation import check_same_shape


@keras.saving.register_keras_serializable(package="aelib")
class Autoencoder(Machinery):
    """An encoder, a decoder, and the error between what went in and what came out.

    ``fit(x)`` needs no labels, because the target is the input. ``fit(x, y)`` gives another target, for restoration.
    The reconstruction error is summed over the features of an example and averaged over the batch. What ``add_loss``
    adds in ``call`` is the penalty. Both are logged apart, with the mean squared error per feature (``mse``), which is
    what other books print.

    Args:
        encoder: ``keras.Model`` from ``(batch, ...)`` to the code ``(batch, latent_dim)``.
        decoder: ``keras.Model`` from the code back to ``(batch, ...)``, in the units of the input.
        reconstruction: ``"squared_error"``, ``"binary_crossentropy"``, or a function ``(x, x_hat) -> (batch,)``.

    Example:
        >>> model = aelib.Autoencoder(encoder, decoder)
        >>> model.compile(optimizer="adam")
        >>> model.fit(x_train, validation_data=x_test)
        >>> z = model.encode(x_test)  # (n, latent_dim)
    """

    penalty_name = "penalty"  # what the logs call the sum of add_loss

    def __init__(self, encoder, decoder, reconstruction="squared_error", **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.reconstruction = reconstruction
        self.reconstruction_error = losses.get(reconstruction)
        self.trackers = [keras.metrics.Mean(name=name) for name in ("reconstruction", self.penalty_name, "mse")]

    def encode(self, x, training=None):
        """``x (n, ...) -> z (n, latent_dim)``. Array in, array out, in batches; tensor in, tensor out."""
        return self.through(lambda x: self.encoder(x, training=training), x, "x")

    def decode(self, z, training=None):
        """``z (n, latent_dim) -> x_hat (n, ...)``, in the units of x. Array in, array out; tensor in, tensor out."""
        return self.through(lambda z: self.decoder(z, training=training), z, "z")

    def call(self, x, training=None):  # on JAX, Keras tells the parts about `training` only if we do
        """``x (batch, ...) -> x_hat (batch, ...)``."""
        return self.decode(self.encode(x, training), training)

    def reconstructed(self, x):
        """``x (batch, ...) -> x_hat (batch, ...)`` with nothing random in it: what ``predict`` computes."""
        return self.decode(self.encode(x))

    def build(self, input_shape):
        """Build the parts that were given without an input shape, by sending a blank example through them."""
        self.built_for = input_shape
        if not (self.encoder.built and self.decoder.built):
            self.decode(self.encode(ops.zeros((1, *input_shape[1:]))))
        self.built = True

    def default_target(self, x):
        """What the reconstruction is compared with where there is no ``y``: the input itself."""
        return x

    def loss_parts(self, x, target, x_hat, training):
        """The reconstruction error of each example, ``(batch,)``, and the penalty, a scalar."""
        return self.reconstruction_error(target, x_hat), sum(self.losses)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Reconstruction (mean over the batch, weighted by ``sample_weight``) + penalty (sum of ``add_loss``)."""
        target, x_hat = self.default_target(x) if y is None else y, y_pred
        check_same_shape(target.shape, x_hat.shape)
        target, x_hat = ops.cast(target, "float32"), ops.cast(x_hat, "float32")
        error, penalty = self.loss_parts(x, target, x_hat, training)
        if sample_weight is not None:
            error = error * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        reconstruction = ops.mean(error)
        penalty = ops.cast(penalty, "float32")
        mse = ops.mean(ops.square(target - x_hat))
        for tracker, value in zip(self.trackers, (reconstruction, penalty, mse), strict=True):
            tracker.update_state(value, sample_weight=ops.shape(x_hat)[0])
        return reconstruction + penalty

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Metrics given to ``compile`` compare with the input where there is no other target."""
        return super().compute_metrics(x, self.default_target(x) if y is None else y, y_pred, sample_weight)

    def get_config(self):
        """The arguments of ``__init__``."""
        parts = {"encoder": self.encoder, "decoder": self.decoder}
        return self.base_config() | {key: keras.saving.serialize_keras_object(part) for key, part in parts.items()}

    def base_config(self):
        """The arguments that every model passes on to this class: for ``get_config`` of an architecture."""
        return super().get_config() | {"reconstruction": keras.saving.serialize_keras_object(self.reconstruction)}
