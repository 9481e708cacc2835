"""The class-conditional variational autoencoder: the decoder is told what to draw."""

import keras
import numpy as np
from keras import ops

from aelib.models.variational import VariationalAutoencoder
from aelib.validation import check_positive_int


@keras.saving.register_keras_serializable(package="aelib")
class ConditionalVariationalAutoencoder(VariationalAutoencoder):
    """Bounds log p(x | label), so that z need not say which class x is (Kingma et al., 2014; Sohn et al., 2015).

    Its input is a dictionary ``{"x": (n, ...), "label": (n,)}``. Any architecture's encoder will do: to tell it the
    class, an example of x's shape that is learned for each class is added to x. (For a dense encoder this says as
    much as appending the one-hot label.) What ``encode`` gives and ``decode`` takes is z followed by the one-hot label.

    Args:
        latent_dim: numbers in z, for the dense default; or give ``encoder``, from x to the means and log variances of
            z, and ``decoder``, from z and the one-hot label to x.
        n_classes: labels are 0 ... n_classes - 1.
        **kwargs: for ``VariationalAutoencoder``.
    """

    def __init__(self, latent_dim=None, n_classes=10, **kwargs):
        self.condition_width = self.n_classes = check_positive_int(n_classes, "n_classes")
        super().__init__(latent_dim, **kwargs)
        shape = getattr(self.encoder, "input_shape", None) if self.encoder.built and self.decoder.built else None
        if shape is None:
            raise ValueError("encoder: expected parts whose input_shape is known; give them a keras.Input")
        self.marks = self.add_weight((self.n_classes, *shape[1:]), "zeros", name="marks")

    def encode(self, x, training=None):
        """``{"x", "label"} -> (n, latent_dim + n_classes)``: the means of z, then the label; deterministic."""
        mean = self.posterior(x, training)[0]  # refuses what is not a dictionary
        return self.with_label(mean, x["label"])

    def posterior(self, x, training=None):
        """Mean and log variance of q(z|x, label): ``{"x", "label"} -> (n, latent_dim), (n, latent_dim)``."""
        statistics = self.through(lambda x: self.encoder(self._marked(x), training=training), x, "x")
        return self.mean_and_log_var(statistics)

    def _marked(self, x):
        mark = ops.tensordot(self._one_hot(x["label"], "float32"), ops.convert_to_tensor(self.marks), 1)
        return x["x"] + ops.cast(mark, x["x"].dtype)

    def call(self, x, training=None):
        """``{"x", "label"} -> x_hat (batch, ...)`` through a random z; adds the KL."""
        return self.decode(self.with_label(self.random_code(x, training), x["label"]), training)

    def with_label(self, z, label):
        """``z (n, latent_dim), label (n,) -> (n, latent_dim + n_classes)``, which ``decode`` takes."""
        if ops.is_tensor(z):
            return ops.concatenate([z, self._one_hot(label, z.dtype)], axis=1)
        return np.concatenate([z, np.eye(self.n_classes, dtype="float32")[self._checked_label(label, len(z))]], axis=1)

    def _one_hot(self, label, dtype):
        if len(label.shape) != 1:
            raise ValueError(f"label: expected shape (batch,), got {tuple(label.shape)}")
        return ops.one_hot(ops.cast(label, "int32"), self.n_classes, dtype=dtype)

    def sample(self, n, label=None):
        """``n`` new examples ``(n, ...)`` of one class, or of classes drawn at random."""
        shape = (check_positive_int(n, "n"), self.decoder.input_shape[-1] - self.n_classes)
        z = ops.convert_to_numpy(keras.random.normal(shape, seed=self.seed_generator))
        if label is None:
            label = ops.convert_to_numpy(keras.random.randint((n,), 0, self.n_classes, seed=self.seed_generator))
        return self.decode(self.with_label(z, np.full(n, label) if np.ndim(label) == 0 else label))

    def default_target(self, x):
        """The images alone."""
        return x["x"]

    def log_p_given(self, x, z):
        """log p(x|z, label) in nats: ``{"x", "label"}`` and a tensor ``z (n, latent_dim) -> (n,)``."""
        return super().log_p_given(x["x"], self.with_label(z, x["label"]))

    def checked(self, data, name, is_target=False):
        """As in every model; inputs are dictionaries."""
        if name in ("y", "validation_data[1]", "z"):
            return super().checked(data, name)
        if isinstance(data, dict) and set(data) == {"x", "label"} and not any(part is None for part in data.values()):
            images = super().checked(data["x"], name, is_target)
            return {"x": images, "label": self._checked_label(data["label"], len(images))}
        if hasattr(data, "__array__") or isinstance(data, (dict, list, tuple)):
            came = f"one with {sorted(data)}" if isinstance(data, dict) else type(data).__name__
            raise ValueError(f"{name}: expected a dictionary with 'x' and 'label', got {came}")
        return data

    def _checked_label(self, label, n):
        label = np.asarray(label)
        if label.shape != (n,) or not np.issubdtype(label.dtype, np.integer):
            raise ValueError(f"label: expected {n} integers, got shape {label.shape} of type {label.dtype}")
        if label.min() < 0 or label.max() >= self.n_classes:
            raise ValueError(
                f"label: expected 0 to {self.n_classes - 1}, because n_classes is {self.n_classes}, "
                f"got {label.min()} to {label.max()}"
            )
        return label.astype("int32")

    def get_config(self):
        """The arguments of ``__init__``."""
        return super().get_config() | {"n_classes": self.n_classes}
