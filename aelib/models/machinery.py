"""What an autoencoder of this library asks of Keras: arrays in and out, checked, and training at the machine's speed.

Read ``base.py`` first. Nothing here knows what an autoencoder is, besides that it has an encoder and a decoder.
"""

import logging

import keras
import numpy as np
from keras import ops

from aelib import losses
from aelib.pipeline import batches
from aelib.validation import check_array

# TensorFlow warns when several models run one after another, since each is traced once. Here that is everyday life.
logging.getLogger("tensorflow").addFilter(lambda record: "tf.function retracing" not in record.getMessage())

_XLA_REPAYS_AFTER = 5_000  # training steps: a compilation takes seconds, and saves half a millisecond of each step


def is_array(data):
    """Whether these are arrays, or a dictionary of them, and not a stream."""
    if isinstance(data, dict):
        return all(is_array(part) for part in data.values())
    return hasattr(data, "__array__") or isinstance(data, (list, tuple))


def _on_tensorflow():
    return keras.backend.backend() == "tensorflow"


class Reconstruction(keras.Model):
    """``x -> decode(encode(x))``, as a model of its own: what ``predict`` computes of a stream."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.built = True

    def call(self, x):
        """``x (batch, ...) -> x_hat (batch, ...)``."""
        return self.model.reconstructed(x)


class Machinery(keras.Model):
    """Compiling, feeding, checking, restarting and restoring, for the base class of all autoencoders."""

    # Arrays and tensors

    def through(self, part, data, name):
        """Send data through ``part``: tensor in, tensor out; array in, array out, checked and batch by batch.

        Batches bound the memory, and run eagerly: nothing needs to be compiled.
        """
        if all(ops.is_tensor(leaf) for leaf in keras.tree.flatten(data)):
            return part(data)
        return self._in_batches(part, self.checked(data, name))

    @staticmethod
    def _in_batches(part, data, batch_size=1024):
        outputs = []
        for start in range(0, len(keras.tree.flatten(data)[0]), batch_size):
            batch = keras.tree.map_structure(lambda a: ops.convert_to_tensor(a[start : start + batch_size]), data)  # noqa: B023
            outputs.append(ops.convert_to_numpy(part(batch)))
        return np.concatenate(outputs)

    def stateless_call(self, trainable_variables, non_trainable_variables, *args, **kwargs):
        """As in Keras. On JAX it gets arrays when run eagerly, which ``encode`` would answer with arrays."""
        args, kwargs = keras.tree.map_structure(
            lambda a: ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a, (args, kwargs)
        )
        return super().stateless_call(trainable_variables, non_trainable_variables, *args, **kwargs)

    # Checking

    def checked(self, data, name, is_target=False):
        """Check arrays; leave ``None``, ``tf.data``, generators and other streams to Keras.

        Args:
            data: what a caller gave.
            name: what an error calls it. ``"z"`` is a code, ``"y"`` and ``"validation_data[1]"`` are targets, anything
                else an input.
            is_target: whether an input is also the target, so that a Bernoulli likelihood needs it in [0, 1].
        """
        if not is_array(data):
            return data
        part, end = self.encoder, "input_shape"
        if name in ("y", "validation_data[1]", "z"):
            part, end, is_target = self.decoder, "input_shape" if name == "z" else "output_shape", name != "z"
        shape = getattr(part, end, None) if part.built else None  # a subclassed part may not know it
        bernoulli = losses.get(self.reconstruction) is losses.binary_crossentropy
        return check_array(data, name, shape and shape[1:], unit_interval=bernoulli and is_target)

    def _checked_all(self, x, y, weight, names=("x", "y")):
        """``(x, y, weight)``, checked; the target is spelt out where there are weights: Keras drops those of no y."""
        x, y = self.checked(x, names[0], is_target=y is None), self.checked(y, names[1])
        return x, self.default_target(x) if y is None and weight is not None and is_array(x) else y, weight

    # Compiling

    def compile(self, optimizer="adam", loss=None, *, jit_compile=None, steps_per_execution=None, **kwargs):
        """As ``keras.Model.compile``, without ``loss``: that is ``reconstruction``, given to the constructor.

        Args:
            optimizer: a Keras optimizer or its name.
            loss: nothing; it is there to say so clearly.
            jit_compile: whether to compile with XLA. Left out, Keras decides, except on TensorFlow: there ``fit`` does
                it for dense models that it trains for more than 5,000 steps, since compilation takes seconds, and
                convolutions and noise for every pixel become slower.
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
        self.left_open = {"jit_compile"} if jit_compile is None else set()
        if jit_compile is None:
            jit_compile = False if _on_tensorflow() else "auto"
        if steps_per_execution is None:
            self.left_open.add("steps_per_execution")
            steps_per_execution = 1 if keras.backend.backend() == "torch" else 32
        self.optimizer_at_first = keras.optimizers.serialize(keras.optimizers.get(optimizer))
        self.train_functions = {}
        super().compile(optimizer, jit_compile=jit_compile, steps_per_execution=steps_per_execution, **kwargs)

    def get_compile_config(self):
        """As in Keras; what was left open stays open, since the best choice depends on the backend."""
        return {key: value for key, value in super().get_compile_config().items() if key not in self.left_open}

    def compile_from_config(self, config):
        """Restore ``compile`` and the optimizer's variables from a saved file."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def _count_exactly(self, *limits):
        """With steps_per_execution above 1, Keras rounds a given number of steps up; so do without it."""
        if any(limit is not None for limit in limits) and self.compiled and self.steps_per_execution != 1:
            self.steps_per_execution = 1
            self.train_function = self.test_function = None
            self.train_functions = {}

    def _choose_xla(self, n_steps):
        """Train with XLA where that repays. The choice hangs on this call of ``fit`` alone, and so do the bits."""
        if not (_on_tensorflow() and self.compiled and "jit_compile" in self.left_open) or self.run_eagerly:
            return
        dense = all(_is_cheap_to_compile(layer) for layer in self._flatten_layers())
        wanted = dense and n_steps > _XLA_REPAYS_AFTER
        if wanted not in self.train_functions:
            self.jit_compile = wanted
            self.make_train_function(force=True)
            self.train_functions[wanted] = self.train_function
            self.jit_compile = False  # for evaluation
        self.train_function = self.train_functions[wanted]

    # Training and using

    def fit(self, x=None, y=None, batch_size=None, epochs=1, *args, validation_data=None, shuffle=True, **kwargs):
        """As ``keras.Model.fit``, with the input as the target unless ``y`` is given. Arrays are checked first."""
        self._initial_epoch = None  # BackupAndRestore sets it and leaves it: the next fit would skip its epochs
        self._count_exactly(kwargs.get("steps_per_epoch"), kwargs.get("validation_steps"))
        if validation_data is not None:
            validation_data = self._validation(validation_data)
        x, y, weight = self._checked_all(x, y, kwargs.pop("sample_weight", None))
        left_to_keras = args or shuffle == "batch" or any(kwargs.get(name) for name in _LEFT_TO_KERAS)
        self._choose_xla(epochs * -(-len(keras.tree.flatten(x)[0]) // (batch_size or 32)) if is_array(x) else 0)
        fed = None if left_to_keras else self._fed(x, y, weight, batch_size, shuffle)
        if self.compiled and self.built and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)  # or the first step makes them, and is traced twice
        if fed is None:
            own = {"sample_weight": weight, "validation_data": validation_data, "shuffle": shuffle}
            return super().fit(x, y, batch_size, epochs, *args, **own, **kwargs)
        if isinstance(validation_data, tuple):
            size = kwargs.pop("validation_batch_size", None) or batch_size
            validation_data = self._fed(*validation_data, size) or validation_data
        return super().fit(fed, epochs=epochs, validation_data=validation_data, shuffle=False, **kwargs)

    def _validation(self, data):
        """``(x, y, weight)`` of whatever ``fit`` takes as validation data; streams as they are."""
        data = (data,) if hasattr(data, "shape") or isinstance(data, dict) else data  # plain x, as in fit(x)
        if not isinstance(data, (tuple, list)):
            return data
        if not 1 <= len(data) <= 3:
            raise ValueError(f"validation_data: expected x, (x, y) or (x, y, sample_weight), got {len(data)} parts")
        return self._checked_all(*(*data, None, None)[:3], names=("validation_data[0]", "validation_data[1]"))

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, **kwargs):
        """As ``keras.Model.evaluate``, with the input as the target unless ``y`` is given."""
        self._count_exactly(steps)
        if not kwargs.get("_use_cached_eval_dataset"):  # what fit has checked
            x, y, sample_weight = self._checked_all(x, y, sample_weight)
            fed = None if steps else self._fed(x, y, sample_weight, batch_size)
            if fed is not None:
                x, y, sample_weight, batch_size = fed, None, None, None
        return super().evaluate(x, y, batch_size, verbose, sample_weight, steps, **kwargs)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """The reconstructions ``decode(encode(x))``, of arrays and of streams alike; nothing random is drawn.

        Array in, array out, in batches of 1,024 or ``batch_size``. Streams go through ``keras.Model.predict``.
        """
        x = self.checked(x, "x")
        path = Reconstruction(self)
        if is_array(x) and steps is None and callbacks is None:
            return self._in_batches(path.call, x, batch_size or 1024)
        return path.predict(x, batch_size, verbose, steps, callbacks)

    def _fed(self, x, y, weight, batch_size=None, shuffle=False):
        """Our own pipeline of these arrays, or ``None`` where Keras's has to do it."""
        arrays = (x, y, weight)[: 3 if weight is not None else 2 if y is not None else 1]
        if not (_on_tensorflow() and all(map(is_array, arrays))) or self.distribute_strategy.num_replicas_in_sync > 1:
            return None
        arrays = keras.tree.map_structure(_in_floatx, arrays)
        equal = len({len(leaf) for leaf in keras.tree.flatten(arrays)}) == 1
        return batches(arrays, batch_size or 32, shuffle) if equal else None  # Keras says what is wrong

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
            optimizer = keras.optimizers.deserialize(_copied(self.optimizer_at_first))  # Keras writes into it
            optimizer.build(self.trainable_variables)
            for variable, value in zip(self.optimizer.variables, optimizer.variables, strict=True):
                variable.assign(value)
        return self

    @classmethod
    def from_config(cls, config):
        """Rebuild under the saved dtype policy, whatever the policy of this process is."""
        config = {
            key: keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
            for key, value in config.items()
        }
        previous = keras.config.dtype_policy()
        keras.config.set_dtype_policy(config.get("dtype") or previous)
        try:
            return cls(**config)
        finally:
            keras.config.set_dtype_policy(previous)


_LEFT_TO_KERAS = ("validation_split", "class_weight", "steps_per_epoch", "validation_steps")


def _is_cheap_to_compile(layer):
    """Whether XLA speeds this layer up on a CPU: not convolutions, loops over time, and noise for every pixel."""
    slow = isinstance(layer, keras.layers.RNN) or hasattr(layer, "kernel_size")
    return not slow and not getattr(layer, "DRAWS_NOISE_PER_PIXEL", False)


def _copied(config):
    """A nested dict as plain dicts: those that a model keeps are Keras's own, which ``copy`` cannot always copy."""
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in config.items()}


def _in_floatx(array):
    array = np.asarray(array)
    return array.astype(keras.config.floatx(), copy=False) if np.issubdtype(array.dtype, np.floating) else array
