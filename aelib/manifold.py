"""What a code is compared with: PCA, and the angles between subspaces."""

import numpy as np
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

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


def mean_squared_error(x, x_hat):
    """Mean over examples and features of the squared error: what other books print. Shapes ``(n, ...)``, equal."""
    x = check_array(x, "x")
    x_hat = check_array(x_hat, "x_hat", x.shape[1:])
    if len(x) != len(x_hat):
        raise ValueError(f"x_hat: expected {len(x)} examples, as in x, got {len(x_hat)}")
    return float(np.mean(np.square(x - x_hat), dtype="float64"))


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
