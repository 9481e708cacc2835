"""The one contract of every model in this library: loss = reconstruction + penalty."""

import logging

import keras
import numpy as np
from keras import ops

from aelib import losses
from aelib.validation import check_array

# TensorFlow warns when several models run one after another, since each is traced once. Here that is everyday life.
logging.getLogger("tensorflow").addFilter(lambda record: "tf.function retracing" not in record.getMessage())


def _is_array(data):
    """Whether these are arrays, or a dictionary of them, and not a stream."""
    if isinstance(data, dict):
        return all(_is_array(part) for part in data.values())
    return hasattr(data, "__array__") or isinstance(data, (list, tuple))


def _deserialized(value):
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value


@keras.saving.register_keras_serializable(package="aelib")
class Autoencoder(keras.Model):
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
        if ops.is_tensor(x):
            return self.encoder(x, training=training)
        return self._in_batches(self.encoder, self._checked(x, "x"))

    def decode(self, z, training=None):
        """``z (n, latent_dim) -> x_hat (n, ...)``, in the units of x. Array in, array out; tensor in, tensor out."""
        if ops.is_tensor(z):
            return self.decoder(z, training=training)
        return self._in_batches(self.decoder, self._checked(z, "z"))

    def call(self, x, training=None):  # on JAX, Keras tells the parts about `training` only if we do
        """``x (batch, ...) -> x_hat (batch, ...)``."""
        return self.decode(self.encode(x, training), training)

    def stateless_call(self, trainable_variables, non_trainable_variables, *args, **kwargs):
        """As in Keras. On JAX it gets arrays when run eagerly, which ``encode`` would answer with arrays."""
        args, kwargs = keras.tree.map_structure(
            lambda a: ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a, (args, kwargs)
        )
        return super().stateless_call(trainable_variables, non_trainable_variables, *args, **kwargs)

    def build(self, input_shape):
        """Build the parts that were given without an input shape, by sending a blank example through them."""
        self.built_for = input_shape
        if not (self.encoder.built and self.decoder.built):
            self.decode(self.encode(ops.zeros((1, *input_shape[1:]))))
        self.built = True

    def compile(self, optimizer="adam", loss=None, *, jit_compile=None, steps_per_execution=None, **kwargs):
        """As ``keras.Model.compile``, without ``loss``: that is ``reconstruction``, given to the constructor.

        Args:
            optimizer: a Keras optimizer or its name.
            loss: nothing; it is there to say so clearly.
            jit_compile: whether to compile with XLA. Left out, it is off on TensorFlow, where it slows convolutions on
                a CPU and repays its compilation on dense models only after several epochs; elsewhere Keras decides.
            steps_per_execution: batches between two returns to Python. Left out, it is 32 (1 on PyTorch), which makes
                small networks about a tenth faster; a callback then sees, and stops, only every 32nd batch. Where a
                number of steps is given to ``fit`` or ``evaluate``, it is 1, since Keras would overshoot that number.
            **kwargs: everything else that ``keras.Model.compile`` takes.
        """
        if loss is not None:
            raise ValueError(
                "loss: expected nothing, because an aelib model owns its loss; "
                f"pass reconstruction= to the constructor instead of loss={loss!r} here"
            )
        if not self.built and self.encoder.built:
            self.build(self.encoder.input_shape)
        if jit_compile is None:
            jit_compile = False if keras.backend.backend() == "tensorflow" else "auto"
        if steps_per_execution is None:
            steps_per_execution = 1 if keras.backend.backend() == "torch" else 32
        self.optimizer_at_first = keras.optimizers.serialize(keras.optimizers.get(optimizer))
        super().compile(optimizer, jit_compile=jit_compile, steps_per_execution=steps_per_execution, **kwargs)

    def compile_from_config(self, config):
        """Restore ``compile`` and the optimizer's variables from a saved file."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def restart(self, seed):
        """Begin again: new random weights, noise and a new optimizer, all reproducible from ``seed``. Returns ``self``.

        The compiled graph is kept. Making one takes as long as training a small model on a few thousand images. Calls
        ``keras.utils.set_random_seed``. The numbers need not be those of a new model made after the same call.
        """
        if not self.built:
            raise ValueError("restart: expected a model that is built; call build, compile or fit first")
        keras.utils.set_random_seed(seed)
        fresh = type(self).from_config(self.get_config())
        if not fresh.built:
            fresh.build(self.built_for)
        self.set_weights(fresh.get_weights())
        for i, layer in enumerate(self._flatten_layers()):
            if hasattr(layer, "seed_generator"):
                layer.seed_generator.state.assign(keras.random.SeedGenerator(seed + i).state)
        if self.compiled and self.optimizer.built:
            optimizer = keras.optimizers.deserialize(self.optimizer_at_first)
            optimizer.build(self.trainable_variables)
            for variable, value in zip(self.optimizer.variables, optimizer.variables, strict=True):
                variable.assign(value)
        return self

    def _count_exactly(self, *limits):
        """With steps_per_execution above 1, Keras rounds a given number of steps up; so do without it."""
        if any(limit is not None for limit in limits) and self.compiled and self.steps_per_execution != 1:
            self.steps_per_execution = 1
            self.train_function = self.test_function = None

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Reconstruction (mean over the batch, weighted by ``sample_weight``) + penalty (sum of ``add_loss``)."""
        target = self.default_target(x) if y is None else y
        shapes = tuple(target.shape[1:]), tuple(y_pred.shape[1:])
        known = all(
            a == b for a, b in zip(*shapes, strict=False) if None not in (a, b)
        )  # a stream may leave sizes open
        if len(shapes[0]) != len(shapes[1]) or not known:
            raise ValueError(
                f"y: expected one target per reconstruction, of shape (n, {str(tuple(y_pred.shape[1:]))[1:-1]}), "
                f"got (n, {str(tuple(target.shape[1:]))[1:-1]})"
            )
        target, y_pred = ops.cast(target, "float32"), ops.cast(y_pred, "float32")
        error = self.reconstruction_error(target, y_pred)  # (batch,)
        if sample_weight is not None:
            error = error * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        reconstruction = ops.mean(error)
        penalty = ops.cast(sum(self.losses), "float32")
        mse = ops.mean(ops.square(target - y_pred))
        for tracker, value in zip(self.trackers, (reconstruction, penalty, mse), strict=True):
            tracker.update_state(value, sample_weight=ops.shape(y_pred)[0])
        return reconstruction + penalty

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Metrics given to ``compile`` compare with the input where there is no other target."""
        return super().compute_metrics(x, self.default_target(x) if y is None else y, y_pred, sample_weight)

    def default_target(self, x):
        """What the reconstruction is compared with where there is no ``y``: the input itself."""
        return x

    def fit(self, x=None, y=None, *args, validation_data=None, **kwargs):
        """As ``keras.Model.fit``, with the input as the target unless ``y`` is given. Arrays are checked first."""
        if hasattr(validation_data, "shape") or isinstance(validation_data, dict):
            validation_data = (validation_data,)  # plain x, as in fit(x)
        if isinstance(validation_data, (tuple, list)):
            if not validation_data:
                raise ValueError("validation_data: expected x, (x, y) or (x, y, sample_weight), got nothing")
            x_val, y_val, *weights = (*validation_data, None)[: max(2, len(validation_data))]
            x_val = self._checked_inputs(x_val, "validation_data[0]")
            y_val = self._checked(y_val, "validation_data[1]")
            validation_data = (*self._weighted(x_val, y_val, *weights), *weights)
        self._initial_epoch = None  # BackupAndRestore sets it and leaves it: the next fit would skip its epochs
        self._count_exactly(kwargs.get("steps_per_epoch"), kwargs.get("validation_steps"))
        x, y = self._weighted(self._checked_inputs(x, "x"), self._checked(y, "y"), kwargs.get("sample_weight"))
        return super().fit(x, y, *args, validation_data=validation_data, **kwargs)

    def evaluate(self, x=None, y=None, *args, **kwargs):
        """As ``keras.Model.evaluate``, with the input as the target unless ``y`` is given."""
        self._count_exactly(kwargs.get("steps"))
        x, y = self._weighted(self._checked_inputs(x, "x"), self._checked(y, "y"), kwargs.get("sample_weight"))
        return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """The reconstructions of ``x``: array in, array out, in batches; streams go through ``keras.Model.predict``."""
        if _is_array(x) and steps is None and callbacks is None:
            x = self._checked_inputs(x, "x")
            return self._in_batches(lambda batch: self.decode(self.encode(batch)), x, batch_size or 1024)
        return super().predict(self._checked_inputs(x, "x"), batch_size, verbose, steps, callbacks)

    def _weighted(self, x, y=None, sample_weight=None):
        """``(x, y)``, with the target spelt out where there are weights: Keras drops the weights of a missing y."""
        return x, self.default_target(x) if y is None and sample_weight is not None and _is_array(x) else y

    def _checked_inputs(self, x, name):
        """Check what goes into the whole model."""
        return self._checked(x, name)

    def _checked(self, data, name):
        """Check arrays; leave ``None``, ``tf.data``, generators and other streams to Keras."""
        if not _is_array(data):
            return data
        part, end = self.encoder, "input_shape"
        if name in ("y", "validation_data[1]", "z"):
            part, end = self.decoder, "input_shape" if name == "z" else "output_shape"
        shape = getattr(part, end, None) if part.built else None  # a subclassed part may not know it
        bernoulli = losses.get(self.reconstruction) is losses.binary_crossentropy and name != "z"
        return check_array(data, name, shape and shape[1:], unit_interval=bernoulli)

    @staticmethod
    def _in_batches(part, data, batch_size=1024):
        """Apply ``part`` to an array, batch by batch, so that memory stays bounded. Nothing needs to be compiled."""
        n = len(keras.tree.flatten(data)[0])
        outputs = []
        for start in range(0, n, batch_size):
            batch = keras.tree.map_structure(lambda a: ops.convert_to_tensor(a[start : start + batch_size]), data)  # noqa: B023
            outputs.append(ops.convert_to_numpy(part(batch)))
        return np.concatenate(outputs)

    @classmethod
    def from_config(cls, config):
        """Rebuild under the saved dtype policy, whatever the policy of this process is."""
        config = {key: _deserialized(value) for key, value in config.items()}
        previous = keras.config.dtype_policy()
        keras.config.set_dtype_policy(config.get("dtype") or previous)
        try:
            return cls(**config)
        finally:
            keras.config.set_dtype_policy(previous)

    def get_config(self):
        """The arguments of ``__init__``."""
        parts = {"encoder": self.encoder, "decoder": self.decoder}
        return self.base_config() | {key: keras.saving.serialize_keras_object(part) for key, part in parts.items()}

    def base_config(self):
        """The arguments that every model passes on to this class: for ``get_config`` of an architecture."""
        return super().get_config() | {"reconstruction": keras.saving.serialize_keras_object(self.reconstruction)}
