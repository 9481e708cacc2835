"""What goes between the grader and a submission: JSON text of plain data, with nothing in it that could run.

Numbers, strings, arrays, random generators, and lists, tuples and dictionaries of these keep their exact types. A
tensor becomes an array, and a Keras model its layers and weights, of which the grader builds a model of its own.
Whatever else a submission gives back arrives as an `Opaque`, which is equal to nothing.
"""

import base64
import json
import sys

import numpy as np

LARGEST_MESSAGE = 64 * 2**20
WAITING = 4  # times the seconds of the processor that an answer may take by the clock on the wall
NOT_INTERRUPTED = 99  # how a submission's process ends that goes on when its time is over
DEEPEST = 12
NUMBERS = "biufc"  # numpy's kinds of numbers
COMMON = {
    "Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv1D", "Conv2D",
    "Conv2DTranspose", "Dense", "Dropout", "ELU", "Flatten", "Functional", "GaussianNoise",
    "GlobalAveragePooling2D", "Identity", "InputLayer", "LayerNormalization", "LeakyReLU", "MaxPooling2D", "Model",
    "Multiply", "Permute", "ReLU", "Rescaling", "Reshape", "Sequential", "Softmax", "Subtract", "UpSampling2D",
    "ZeroPadding2D", "DTypePolicy"
}  # fmt: skip
HARMLESS = ("keras.initializers", "keras.optimizers", "keras.regularizers", "keras.constraints", "keras.losses")


class Opaque:
    """Something that is no plain data, known by the name of its type alone."""

    def __init__(self, name):
        self.name = "".join(letter for letter in str(name)[:40] if letter.isalnum() or letter in "_.")

    def __repr__(self):
        return f"<{self.name}>"


class ModelError(ValueError):
    """A model that the grader does not build."""


def text(message):
    """A message as bytes."""
    return json.dumps(message).encode()


def pack(value, shared=None, depth=0):
    """A value as JSON can hold it.

    Args:
        shared: list that collects arrays, generators and functions. The other side gets the same ones in the same
            order, so that it can say which of them a call has changed.
    """
    shared = [] if shared is None else shared
    inner = lambda part: pack(part, shared, depth + 1)  # noqa: E731
    if depth > DEEPEST:
        return {"opaque": "nested too deep"}
    if isinstance(value, np.generic) and value.dtype.kind in NUMBERS:
        return {"scalar": _packed(np.asarray(value))}
    for plain in (str, bool, int, float):
        if isinstance(value, plain):
            return plain(value)
    if value is None:
        return None
    for kind in (list, tuple):
        if isinstance(value, kind):
            return {kind.__name__: [inner(part) for part in value]}
    if isinstance(value, dict):
        return {"dict": [[inner(key), inner(part)] for key, part in value.items()]}
    if isinstance(value, np.random.Generator) and isinstance(value.bit_generator, np.random.PCG64):
        return {"generator": value.bit_generator.state, "number": _number(value, shared)}
    if _is_model(value):
        return {"model": _model(value)}
    if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in NUMBERS:
            return {"array": _packed(array), "number": _number(value, shared)}
    if callable(value):
        return {"function": type(value).__name__, "number": _number(value, shared)}
    return {"opaque": type(value).__name__}


def unpack(found, shared=None, function=None):
    """The value that was packed. `function(number)` makes what stands for a function of the other side."""
    shared = [] if shared is None else shared
    if not isinstance(found, dict):
        return found
    (kind, content), *_ = found.items()
    inner = lambda part: unpack(part, shared, function)  # noqa: E731
    if kind == "scalar":
        return _unpacked(content)[()]
    if kind == "list":
        return [inner(part) for part in content]
    if kind == "tuple":
        return tuple(inner(part) for part in content)
    if kind == "dict":
        return {inner(key): inner(part) for key, part in content}
    if kind == "model":
        return _rebuilt(content)
    if kind == "opaque" or (kind == "function" and function is None):
        return Opaque(content)
    number = int(found["number"])
    if number == len(shared):
        make = {"array": _unpacked, "generator": _generator, "function": lambda _: function(number)}[kind]
        shared.append(make(content))
    return shared[number]


def changes(shared, before):
    """Which of the shared arrays and generators are no longer what `before`, their packed forms, says."""
    found = []
    for number, (value, packed) in enumerate(zip(shared, before, strict=True)):
        now = None if callable(value) else pack(value)
        if now != packed:
            found.append([number, now])
    return found


def apply(found, shared):
    """Make the same changes to one's own arrays and generators.

    Raises:
        AssertionError: an array changed its shape or type.
    """
    for number, packed in found:
        mine, theirs = shared[number], unpack(packed)
        if isinstance(mine, np.random.Generator):
            mine.bit_generator.state = theirs.bit_generator.state
        elif isinstance(mine, np.ndarray):
            assert theirs.shape == mine.shape, "the function changes the shape of its argument: work on a copy"
            mine[...] = theirs


def _number(value, shared):
    """The place of a value in a list, at the end if it is not there yet."""
    for i, known in enumerate(shared):
        if known is value:
            return i
    shared.append(value)
    return len(shared) - 1


def _packed(array):
    return [array.dtype.str, list(array.shape), base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()]


def _unpacked(content):
    kind, shape, data = content
    dtype = np.dtype(str(kind))
    if dtype.kind not in NUMBERS:
        raise ValueError("an array of something else than numbers")
    return np.frombuffer(base64.b64decode(data), dtype).reshape([int(size) for size in shape]).copy()


def _generator(state):
    generator = np.random.Generator(np.random.PCG64())
    generator.bit_generator.state = state
    return generator


# Models: layers and weights as plain data, built again by the grader's own Keras.


def _is_model(value):
    keras = sys.modules.get("keras")
    return "Model" in vars(keras or object) and isinstance(value, keras.Model)


def _model(model):
    import keras

    optimizer = getattr(model, "optimizer", None)
    return {
        "config": json.loads(json.dumps(keras.saving.serialize_keras_object(model))),
        "weights": [pack(np.asarray(weight)) for weight in model.get_weights()],
        "steps": None if optimizer is None else int(optimizer.iterations),
    }


def _rebuilt(content):
    import keras

    _check(content["config"])
    try:
        model = keras.saving.deserialize_keras_object(content["config"], safe_mode=True)
        model.set_weights([unpack(weight) for weight in content["weights"]])
    except Exception as error:
        raise ModelError(f"the model cannot be built again ({type(error).__name__})") from error
    if content["steps"] is not None and getattr(model, "optimizer", None) is not None:
        model.optimizer.iterations.assign(int(content["steps"]))
    return model


def _check(config):
    """Raise `ModelError` where a configuration names anything but common layers and the models of aelib."""
    if isinstance(config, dict):
        if "class_name" in config:
            import aelib

            name, module = config["class_name"], str(config.get("module"))
            ours = config.get("registered_name") == f"aelib>{name}" and name in aelib.__all__
            tensor = name == "__keras_tensor__"  # how a functional model names what goes into a layer
            if not (ours or tensor or module in HARMLESS or (module.split(".")[0] == "keras" and name in COMMON)):
                raise ModelError(f"the grader does not build a model with {Opaque(name)!r} in it")
        for part in config.values():
            _check(part)
    elif isinstance(config, list):
        for part in config:
            _check(part)
