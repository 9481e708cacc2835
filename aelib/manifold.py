"""What a code is compared with, and how it is judged: PCA, probes, sparsity, neighbourhoods, factors."""

import numbers

import numpy as np
from scipy.linalg import subspace_angles
from scipy.stats import entropy
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import trustworthiness as sklearn_trustworthiness
from sklearn.metrics import mutual_info_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

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


def _codes_with(z_train, y_train, z_test, y_test, what, called="y"):
    """Check codes to learn from and codes to judge by, with what belongs to each of them."""
    z_train = check_array(z_train, "z_train", (None,))
    z_test = check_array(z_test, "z_test", z_train.shape[1:])
    for name, y, z in ((f"{called}_train", y_train, z_train), (f"{called}_test", y_test, z_test)):
        if np.shape(y) != (len(z),):
            raise ValueError(f"{name}: expected one {what} per code, shape ({len(z)},), got {np.shape(y)}")
    return z_train, z_test


def probe_accuracy(z_train, y_train, z_test, y_test):
    """How plainly the class is written in a code: test accuracy of logistic regression (Alain & Bengio, 2016).

    Args:
        z_train: codes ``(n, latent_dim)`` to fit the probe on; it scales them to unit variance first.
        y_train: their classes, ``(n,)``.
        z_test: codes ``(m, latent_dim)`` that the probe has not seen.
        y_test: their classes, ``(m,)``.
    """
    z_train, z_test = _codes_with(z_train, y_train, z_test, y_test, "class")
    if len(np.unique(y_train)) < 2:
        raise ValueError(f"y_train: expected at least two classes, got {np.unique(y_train)}")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    with threadpool_limits(1):  # many small products: further threads only wait for each other
        return float(probe.fit(z_train, y_train).score(z_test, y_test))


def knn_accuracy(z_train, y_train, z_test, y_test, n_neighbors=5):
    """Do neighbours in a code share their class? Test accuracy of the vote of the nearest training codes.

    Args:
        z_train: codes ``(n, latent_dim)`` that vote.
        y_train: their classes, ``(n,)``.
        z_test: codes ``(m, latent_dim)`` to classify.
        y_test: their classes, ``(m,)``.
        n_neighbors: how many vote.
    """
    z_train, z_test = _codes_with(z_train, y_train, z_test, y_test, "class")
    n_neighbors = _check_neighbours(n_neighbors, len(z_train))
    return float(KNeighborsClassifier(n_neighbors).fit(z_train, y_train).score(z_test, y_test))


def active_share(z, threshold=0.0):
    """How sparse is each code? The share of its units that are active, from 0 to 1: ``(n,)``.

    Args:
        z: codes ``(n, latent_dim)``, best of examples that the model has not seen.
        threshold: a unit is active where its absolute value is above this. 0 suits codes with exact zeros, from a ReLU
            or a top-k; a sigmoid never gives 0 and needs another.
    """
    return _active(z, threshold).mean(axis=1)


def dead_units(z, threshold=0.0):
    """Which units of the code are active for none of these examples? Their indices, ``(n_dead,)``. Same arguments."""
    return np.flatnonzero(~_active(z, threshold).any(axis=0))


def _active(z, threshold):
    if isinstance(threshold, bool) or not isinstance(threshold, numbers.Real) or not 0 <= threshold < np.inf:
        raise ValueError(f"threshold: expected a finite number of at least 0, got {threshold!r}")
    return np.abs(check_array(z, "z", (None,))) > threshold


def _check_neighbours(n_neighbors, limit):
    if check_positive_int(n_neighbors, "n_neighbors") > limit:
        raise ValueError(f"n_neighbors: expected at most {limit} for so few examples, got {n_neighbors}")
    return n_neighbors


def trustworthiness(x, z, n_neighbors=10):
    """Are neighbours in the code neighbours in the data (Venna & Kaski, 2001)? 1 if all are; chance is near 0.5.

    Args:
        x: data ``(n, ...)``.
        z: their codes, ``(n, latent_dim)``.
        n_neighbors: size of a neighbourhood, less than ``n / 2``. Memory grows with the square of ``n``.
    """
    x, z = check_array(x, "x"), check_array(z, "z")
    if len(x) != len(z):
        raise ValueError(f"z: expected {len(x)} codes, as many as in x, got {len(z)}")
    _check_neighbours(n_neighbors, (len(x) - 1) // 2)
    flat = (part.reshape(len(part), -1) for part in (x, z))
    return float(sklearn_trustworthiness(*flat, n_neighbors=n_neighbors))


def continuity(x, z, n_neighbors=10):
    """Are neighbours in the data neighbours in the code, too (Venna & Kaski, 2001)? Same arguments."""
    x, z = check_array(x, "x"), check_array(z, "z")
    if len(x) != len(z):
        raise ValueError(f"z: expected {len(x)} codes, as many as in x, got {len(z)}")
    return trustworthiness(z, x, n_neighbors)


def intrinsic_dimension(x, n_neighbors=20):
    """How many directions the data has around its points: maximum likelihood from distances to neighbours.

    Levina & Bickel (2004), with the inverses of the points' estimates averaged, as MacKay & Ghahramani (2005) propose.
    Equal examples are left out.

    Args:
        x: data ``(n, ...)``; a few thousand examples suffice. With too few, high dimensions come out too low.
        n_neighbors: at least 2.
    """
    x = np.unique(check_array(x, "x").reshape(len(x), -1), axis=0).astype("float64")
    if check_positive_int(n_neighbors, "n_neighbors") < 2:
        raise ValueError(f"n_neighbors: expected at least 2, got {n_neighbors}")
    _check_neighbours(n_neighbors, len(x) - 1)
    distances = NearestNeighbors(n_neighbors=n_neighbors).fit(x).kneighbors()[0]  # without the point itself
    if not (distances > 0).all() or (distances[:, -1:] == distances).all():
        raise ValueError("x: expected points at different distances from each other; these are too regular or too near")
    log_ratios = np.log(distances[:, -1:] / distances[:, :-1])
    return float((n_neighbors - 1) * len(x) / log_ratios.sum())


def factor_recovery(z_train, factors_train, z_test, factors_test, random_state=0, n_jobs=None):
    """How well known factors can be read from a code, and whether each code number is about one factor.

    A random forest predicts each factor from the code. Its test R2 says how much of the factor the code holds; its
    importances say in which code numbers. These are the informativeness, disentanglement and completeness of
    Eastwood & Williams (2018).

    Args:
        z_train: codes ``(n, latent_dim)`` to fit the forests on.
        factors_train: their factors, ``(n, n_factors)``.
        z_test: codes ``(m, latent_dim)`` that the forests have not seen.
        factors_test: their factors, ``(m, n_factors)``.
        random_state: seed of the forests.
        n_jobs: how many threads grow trees, as in joblib: ``-1`` for one per core. The result does not depend on it.

    Returns:
        A ``Bunch``: ``r2 (n_factors,)``, 1 is perfect and 0 no better than the mean; ``importance (latent_dim,
        n_factors)``, whose columns sum to 1; ``disentanglement`` in [0, 1], 1 if every code number tells one factor
        alone; ``completeness`` in [0, 1], 1 if every factor sits in one code number. With a single factor the first is
        1, with a single code number the second. Both mean little where ``r2`` is near 0.
    """
    factors_train = check_array(factors_train, "factors_train", (None,))
    constant = np.flatnonzero(np.ptp(factors_train, axis=0) == 0)
    if len(constant):
        raise ValueError(f"factors_train: expected factors that vary, got constant columns {constant.tolist()}")
    factors_test = check_array(factors_test, "factors_test", factors_train.shape[1:])
    z_train, z_test = _codes_with(z_train, factors_train[:, 0], z_test, factors_test[:, 0], "row", "factors")
    r2, importance = [], []
    for own, unseen in zip(factors_train.T, factors_test.T, strict=True):
        forest = RandomForestRegressor(100, min_samples_leaf=3, random_state=random_state, n_jobs=n_jobs)
        r2.append(score_in_one_thread(forest.fit(z_train, own), z_test, unseen))
        importance.append(forest.feature_importances_)
    importance = np.array(importance).T
    weights = importance.sum(axis=1) / importance.sum()
    return Bunch(
        r2=np.array(r2),
        importance=importance,
        disentanglement=float(weights @ _concentration(importance)),
        completeness=float(np.mean(_concentration(importance.T))),
    )


def mutual_information_gap(z, factors, n_bins=20):
    """Does each known factor sit in one code number alone? The gap in [0, 1] (Chen et al., 2018, 1802.04942).

    For each factor: how much more the most informative code number tells about it than the second one does, as a share
    of the factor's entropy. Codes and factors are cut into bins of equal width, as Locatello et al. (2019) do. Unlike
    the forests of ``factor_recovery`` it has nothing to fit, and it sees only what one number tells alone.

    Args:
        z: codes ``(n, latent_dim)``, thousands: few examples in many bins share information by chance.
        factors: their factors ``(n, n_factors)``.
        n_bins: of each code number; of each factor as many, or as many as it has values.

    Returns:
        The gap of each factor, ``(n_factors,)``; their mean is the published score. With a single code number there is
        no second one, which counts as 0.
    """
    factors = check_array(factors, "factors", (None,))
    z = check_array(z, "z", (None,))
    if len(z) != len(factors):
        raise ValueError(f"z: expected {len(factors)} codes, as many as factors, got {len(z)}")
    constant = np.flatnonzero(np.ptp(factors, axis=0) == 0)
    if len(constant):
        raise ValueError(f"factors: expected factors that vary, got constant columns {constant.tolist()}")
    bins = check_positive_int(n_bins, "n_bins")
    codes = [_binned(column, bins) for column in z.T]
    gaps = []
    for factor in factors.T:
        own = _binned(factor, bins)
        information = sorted([0.0, *(mutual_info_score(own, code) for code in codes)])
        gaps.append((information[-1] - information[-2]) / mutual_info_score(own, own))
    return np.array(gaps)


def _binned(values, n_bins):
    """The number of each value's bin, of equal width; few different values keep a bin each."""
    different, own = np.unique(values, return_inverse=True)
    if len(different) <= n_bins:
        return own
    return np.digitize(values, np.linspace(values.min(), values.max(), n_bins + 1)[1:-1])


def score_in_one_thread(forest, x, y):
    """Several would add the trees' answers up in any order, and so round in any way."""
    return forest.set_params(n_jobs=1).score(x, y)


def _concentration(rows):
    """1 - entropy of each row: 1 if all is in one place, 0 if it is spread evenly. 1 where there is one place only."""
    n = rows.shape[1]
    if n == 1:
        return np.ones(len(rows))
    total = rows.sum(axis=1, keepdims=True)
    return 1 - entropy(np.where(total > 0, rows, 1.0), base=n, axis=1)  # a number that is never used tells nothing


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
