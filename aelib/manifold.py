"""What a code is compared with, and how it is judged: PCA, angles between subspaces, PSNR, probe, two-sample test."""

import numpy as np
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aelib.validation import check_array, check_positive_int


class PCABaseline:
    """scikit-learn's PCA with the ``encode``/``decode`` of an autoencoder, for data of any shape.

    No linear model of the same code size has a smaller mean squared error on the data it was fitted to
    (Eckart & Young, 1936).

    Args:
        latent_dim: how many principal components to keep.
    """

    def __init__(self, latent_dim):
        self.latent_dim = check_positive_int(latent_dim, "latent_dim")

    def fit(self, x):
        """Find the principal components of ``x (n, ...)``; returns ``self``."""
        x = check_array(x, "x")
        flat = x.reshape(len(x), -1)
        if self.latent_dim > min(flat.shape):
            raise ValueError(
                f"latent_dim: expected at most {min(flat.shape)}, the smaller of the {flat.shape[0]} examples and "
                f"{flat.shape[1]} features of x, got {self.latent_dim}"
            )
        self.example_shape = x.shape[1:]
        self.pca = PCA(self.latent_dim, svd_solver="covariance_eigh").fit(flat)
        return self

    def encode(self, x):
        """``x (n, ...) -> z (n, latent_dim)``."""
        x = check_array(x, "x", self.example_shape)
        return self.pca.transform(x.reshape(len(x), -1))

    def decode(self, z):
        """``z (n, latent_dim) -> x_hat (n, ...)``."""
        z = check_array(z, "z", (self.latent_dim,))
        return self.pca.inverse_transform(z).reshape(-1, *self.example_shape)

    def predict(self, x):
        """``x (n, ...) -> x_hat (n, ...)``: project onto the principal components and come back."""
        return self.decode(self.encode(x))

    @property
    def components(self):
        """The principal axes, ``(latent_dim, n_features)``, orthonormal, largest variance first."""
        return self.pca.components_


def _pair(x, x_hat, unit_interval=False):
    x = check_array(x, "x", unit_interval=unit_interval)
    x_hat = check_array(x_hat, "x_hat", x.shape[1:])
    if len(x) != len(x_hat):
        raise ValueError(f"x_hat: expected {len(x)} examples, as in x, got {len(x_hat)}")
    return x, x_hat


def mean_squared_error(x, x_hat):
    """Mean over examples and features of the squared error: what other books print. Shapes ``(n, ...)``, equal."""
    x, x_hat = _pair(x, x_hat)
    return float(np.mean(np.square(x - x_hat), dtype="float64"))


def psnr(x, x_hat):
    """Peak signal-to-noise ratio in decibels, of each image, averaged over the images; ``x_hat`` is clipped to [0, 1].

    Args:
        x: clean images ``(n, ...)`` in [0, 1].
        x_hat: their reconstructions, same shape.

    Returns:
        The mean of ``10 log10(1 / mse)``; infinite where an image is reconstructed to the bit.
    """
    x, x_hat = _pair(x, x_hat, unit_interval=True)
    mse = np.mean(np.square(x - x_hat.clip(0, 1)).reshape(len(x), -1), axis=1, dtype="float64")
    with np.errstate(divide="ignore"):
        return float(np.mean(-10 * np.log10(mse)))


def probe_accuracy(z_train, y_train, z_test, y_test):
    """How plainly the class is written in a code: test accuracy of logistic regression (Alain & Bengio, 2016).

    Args:
        z_train: codes ``(n, latent_dim)`` to fit the probe on; it scales them to unit variance first.
        y_train: their classes, ``(n,)``.
        z_test: codes ``(m, latent_dim)`` that the probe has not seen.
        y_test: their classes, ``(m,)``.
    """
    z_train = check_array(z_train, "z_train", (None,))
    z_test = check_array(z_test, "z_test", z_train.shape[1:])
    for name, y, z in (("y_train", y_train, z_train), ("y_test", y_test, z_test)):
        if np.shape(y) != (len(z),):
            raise ValueError(f"{name}: expected one class per code, shape ({len(z)},), got {np.shape(y)}")
    if len(np.unique(y_train)) < 2:
        raise ValueError(f"y_train: expected at least two classes, got {np.unique(y_train)}")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(probe.fit(z_train, y_train).score(z_test, y_test))


def two_sample_accuracy(x, other, random_state=0):
    """Can a random forest tell two sets of images apart? Its cross-validated accuracy (Lopez-Paz & Oquab, 2017).

    0.5 means that it cannot, 1 that it always can; clearly below 0.5, the two sets share examples. Pixels are set to 0
    or 1 first, whichever is nearer, so that shapes are judged and not shades that no eye would see.

    Args:
        x: images ``(n, ...)`` in [0, 1], for instance real ones.
        other: images ``(n, ...)``, for instance generated ones; clipped to [0, 1].
        random_state: seed of the forest.
    """
    x, other = check_array(x, "x", unit_interval=True), check_array(other, "other", np.shape(x)[1:])
    if len(x) != len(other) or len(x) < 3:
        raise ValueError(f"other: expected as many examples as in x, at least 3, got {len(other)} and {len(x)} in x")
    both = np.concatenate([x, other]).reshape(2 * len(x), -1) > 0.5
    labels = np.repeat([0, 1], len(x))
    forest = RandomForestClassifier(100, random_state=random_state, n_jobs=-1)
    folds = StratifiedKFold(3, shuffle=True, random_state=random_state)
    return float(np.mean(cross_val_score(forest, both, labels, cv=folds)))


def excess_error(x, x_hat, x_hat_optimal):
    """By which fraction the mean squared error of ``x_hat`` exceeds that of ``x_hat_optimal``; 0.01 is one per cent."""
    optimum = mean_squared_error(x, x_hat_optimal)
    return mean_squared_error(x, x_hat) / optimum - 1


def principal_angles(a, b):
    """Angles between the spans of the rows of two matrices (Björck & Golub, 1973).

    Args:
        a: ``(k, n_features)``, for instance ``LinearAutoencoder.components``.
        b: ``(m, n_features)``.

    Returns:
        ``(min(k, m),)``: degrees in [0, 90], largest first; all zero when the subspaces are equal.
    """
    a = check_array(a, "a")
    b = check_array(b, "b", a.shape[1:])
    return np.degrees(subspace_angles(a.T.astype("float64"), b.T.astype("float64")))
