"""The images of the course: MNIST where it can be had, digits drawn by ``make_digits`` where it cannot."""

import hashlib
import os
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from aelib.digits import make_digits

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
# Of the arrays' bytes, not of the file: the same images are around in differently compressed files.
MNIST_SHA256 = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
TIMEOUT = 10.0  # seconds without an answer or a byte


class DataUnavailableError(OSError):
    """A data set could be found nowhere; the message lists every place that was tried and what to do."""


def fetch_mnist():
    """MNIST: 60,000 training and 10,000 test images of handwritten digits (LeCun, Cortes & Burges, CC BY-SA 3.0).

    Looks for ``mnist.npz`` in the folder ``$AELIB_DATA``, then in Keras's cache, then downloads it into that cache.
    With ``AELIB_DATA=embedded`` it looks nowhere. The images are compared with known checksums wherever they come from.

    Returns:
        A scikit-learn ``Bunch``: ``x_train`` float32 ``(60000, 28, 28)`` with pixels in [0, 1], ``y_train`` int64
        ``(60000,)``, ``x_test`` ``(10000, 28, 28)``, ``y_test`` ``(10000,)``, ``name`` and ``description``.

    Raises:
        DataUnavailableError: if no place has the right file.
    """
    tried = []
    for place in (_from_folder, _from_keras_cache, _from_download):
        try:
            arrays, origin = place()
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            tried.append(str(error))
            if os.environ.get("AELIB_DATA") == "embedded":
                break
            continue
        x_train, x_test = (arrays[key].astype("float32") / 255 for key in ("x_train", "x_test"))
        y_train, y_test = (arrays[key].astype("int64") for key in ("y_train", "y_test"))
        return _images("MNIST", origin, x_train, y_train, x_test, y_test)
    raise DataUnavailableError(
        "MNIST was not found. Tried:\n"
        + "".join(f"  {i}. {why}\n" for i, why in enumerate(tried, 1))
        + f"Put a copy of {MNIST_URL} into a folder and point AELIB_DATA at that folder, or go online once."
    )


def load_images():
    """MNIST, or 70,000 images from ``make_digits`` where MNIST cannot be had; a warning says so.

    ``AELIB_DATA=embedded`` asks for the drawn digits, without a warning.

    Returns:
        A ``Bunch`` as from ``fetch_mnist``. The drawn digits have ``factors_train`` ``(60000, 6)``, ``factors_test``
        ``(10000, 6)`` and ``factor_names`` besides.
    """
    if os.environ.get("AELIB_DATA") != "embedded":
        try:
            return fetch_mnist()
        except DataUnavailableError as error:
            warnings.warn(f"Using digits drawn by aelib.make_digits instead of MNIST. {error}", stacklevel=2)
    train, test = make_digits(60_000, random_state=0), make_digits(10_000, random_state=1)
    images = _images("drawn digits", "aelib.make_digits", train.images, train.target, test.images, test.target)
    images.update(factors_train=train.factors, factors_test=test.factors, factor_names=train.factor_names)
    return images


def _images(name, origin, x_train, y_train, x_test, y_test):
    description = f"{name}: {len(x_train):,} training and {len(x_test):,} test images of 28 x 28 pixels in [0, 1]"
    return Bunch(
        x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test,
        name=name, origin=origin, description=description,
    )  # fmt: skip


def _from_folder():
    folder = os.environ.get("AELIB_DATA")
    if folder == "embedded":
        raise FileNotFoundError("AELIB_DATA=embedded asks for the drawn digits")
    if not folder:
        raise FileNotFoundError("$AELIB_DATA: not set")
    path = Path(folder).expanduser() / "mnist.npz"
    return _read_mnist(path, f"$AELIB_DATA ({path})"), "$AELIB_DATA"


def _from_keras_cache():
    path = _keras_cache() / "mnist.npz"
    return _read_mnist(path, f"Keras's cache ({path})"), "Keras's cache"


def _from_download():
    """Download next to the cache, check, and only then move the file to where the next call finds it."""
    import pooch  # not above: in a notebook without ipywidgets its progress bar warns as soon as it is imported

    try:
        _keras_cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".mnist-", dir=_keras_cache()) as folder:
            path = Path(folder) / "mnist.npz"
            pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)(MNIST_URL, path, None)
            arrays = _read_mnist(path, "what came")
            path.replace(_keras_cache() / "mnist.npz")
    except (OSError, ValueError) as error:
        raise OSError(f"download from {MNIST_URL}: {type(error).__name__}: {error}") from error
    return arrays, "download"


def _keras_cache():
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def cache_folder():
    """Where this course keeps what took long to compute: ``$AELIB_CACHE``, or ``aelib`` in the user's cache folder.

    Whatever is in it can be computed again, so it may be deleted at any time.
    """
    import pooch  # not above, as in _from_download

    return Path(os.environ.get("AELIB_CACHE") or pooch.os_cache("aelib")).expanduser()


def _read_mnist(path, where):
    if not path.exists():
        raise FileNotFoundError(f"{where}: no such file")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in MNIST_SHA256}
    except (OSError, ValueError, KeyError, EOFError, TypeError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{where}: not a readable mnist.npz ({type(error).__name__}: {error})") from error
    for key, expected in MNIST_SHA256.items():
        if hashlib.sha256(np.ascontiguousarray(arrays[key])).hexdigest() != expected:
            raise ValueError(f"{where}: the checksum of {key} is not MNIST's; remove the file and try again")
    return arrays
