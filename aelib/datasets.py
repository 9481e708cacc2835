"""The data of the course: MNIST and ECG5000 where they can be had, drawn digits and heartbeats where they cannot."""

import contextlib
import hashlib
import os
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import scipy
from sklearn.utils import Bunch

from aelib import digits, heartbeats
from aelib.digits import FACTOR_NAMES

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
# Of the arrays' bytes, not of the file: the same images are around in differently compressed files.
MNIST_SHA256 = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
ECG5000_URL = "https://www.timeseriesclassification.com/aeon-toolkit/ECG5000.zip"
# Beats of each class in the archive's two parts.
ECG5000_FILES = {"ECG5000_TEST.txt": (2627, 1590, 86, 175, 22), "ECG5000_TRAIN.txt": (292, 177, 10, 19, 2)}
ECG5000_KINDS = ("normal", "R-on-T", "ventricular", "supraventricular", "unclassified")
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, TypeError, zlib.error, zipfile.BadZipFile)  # of np.load
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
    arrays, origin = _found("MNIST", ("mnist.npz",), _read_mnist, MNIST_URL)
    x_train, x_test = (arrays[key].astype("float32") / 255 for key in ("x_train", "x_test"))
    y_train, y_test = (arrays[key].astype("int64") for key in ("y_train", "y_test"))
    return _images("MNIST", origin, x_train, y_train, x_test, y_test)


def fetch_ecg5000():
    """ECG5000: 5,000 heartbeats of one patient, made equally long, from the UCR archive (Dau et al., 2018, 1810.07758).

    They were cut from 20 hours of record ``chf07`` of the BIDMC Congestive Heart Failure Database (Goldberger et al.,
    2000), and labelled by a program. Looks for ``ECG5000_TRAIN.txt`` and ``ECG5000_TEST.txt`` in the same places as
    ``fetch_mnist``. A folder that holds the training part alone is enough; then 500 beats come, and the description
    says so.

    Returns:
        A ``Bunch``: ``x`` float32 ``(5000, 140)``, each beat with mean 0 and standard deviation 1, the archive's 500
        training beats first; ``y`` int64 ``(5000,)``, 0 is normal and 1 to 4 are kinds of abnormal beats, named in
        ``kinds``; ``name``, ``origin`` and ``description``.

    Raises:
        DataUnavailableError: if no place has the right files.
    """
    table, origin = _found("ECG5000", tuple(ECG5000_FILES), _read_ecg5000, ECG5000_URL)
    whole = len(table) == sum(map(sum, ECG5000_FILES.values()))
    part = "" if whole else ", the archive's training part alone"
    return _beats("ECG5000", origin, table[:, 1:], table[:, 0].astype("int64") - 1, ECG5000_KINDS, part)


def _found(name, files, read, url):
    """What ``read(folder, where)`` makes of these files in the first place that has them, and which place that is."""
    tried = []
    for place in (_from_folder, _from_keras_cache, _from_download):
        try:
            return place(files, read, url)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            tried.append(str(error))
            if os.environ.get("AELIB_DATA") == "embedded":
                break
    raise DataUnavailableError(
        f"{name} was not found. Tried:\n"
        + "".join(f"  {i}. {why}\n" for i, why in enumerate(tried, 1))
        + f"Put what {url} holds into a folder and point AELIB_DATA at that folder, or go online once."
    )


def load_images():
    """MNIST, or 70,000 images from ``make_digits`` where MNIST cannot be had; a warning says so.

    ``AELIB_DATA=embedded`` asks for the drawn digits, without a warning. They are drawn once and kept in
    ``cache_folder()``.

    Returns:
        A ``Bunch`` as from ``fetch_mnist``. The drawn digits have ``factors_train`` ``(60000, 6)``, ``factors_test``
        ``(10000, 6)`` and ``factor_names`` besides.
    """
    if os.environ.get("AELIB_DATA") != "embedded":
        try:
            return fetch_mnist()
        except DataUnavailableError as error:
            warnings.warn(f"Using digits drawn by aelib.make_digits instead of MNIST. {error}", stacklevel=2)
    drawn = _drawn_digits()
    factors = {name: drawn.pop(name) for name in ("factors_train", "factors_test")}
    images = _images("drawn digits", "aelib.make_digits", **drawn)
    images.update(factors, factor_names=FACTOR_NAMES)
    return images


def load_heartbeats():
    """ECG5000, or 5,000 beats from ``make_heartbeats`` where it cannot be had; a warning says so.

    ``AELIB_DATA=embedded`` asks for the drawn beats, without a warning.

    Returns:
        A ``Bunch`` as from ``fetch_ecg5000``. The drawn beats have ``factors (5000, 6)`` and ``factor_names`` besides.
    """
    if os.environ.get("AELIB_DATA") != "embedded":
        try:
            return fetch_ecg5000()
        except DataUnavailableError as error:
            warnings.warn(f"Using beats drawn by aelib.make_heartbeats instead of ECG5000. {error}", stacklevel=2)
    drawn = heartbeats.make_heartbeats(5000, random_state=0)
    x = (drawn.signals - drawn.signals.mean(axis=1, keepdims=True)) / drawn.signals.std(axis=1, keepdims=True)
    beats = _beats("drawn heartbeats", "aelib.make_heartbeats", x, drawn.target, heartbeats.KINDS)
    beats.update(factors=drawn.factors, factor_names=drawn.factor_names)
    return beats


def _drawn_digits():
    """Drawn once per machine and version, since that takes seconds. A damaged file is drawn again."""
    version = hashlib.sha256(f"{Path(digits.__file__).read_text('utf-8')}{np.__version__}{scipy.__version__}".encode())
    path = cache_folder() / f"digits-{version.hexdigest()[:16]}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in (*MNIST_SHA256, "factors_train", "factors_test")}
    except _UNREADABLE:
        pass
    train, test = digits.make_digits(60_000, random_state=0), digits.make_digits(10_000, random_state=1)
    drawn = {"x_train": train.images, "y_train": train.target, "x_test": test.images, "y_test": test.target}
    drawn |= {"factors_train": train.factors, "factors_test": test.factors}
    with contextlib.suppress(OSError):  # a full or read-only disk costs time, and nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".digits-", dir=path.parent) as folder:
            np.savez(Path(folder) / "digits.npz", **drawn)
            (Path(folder) / "digits.npz").replace(path)
    return drawn


def _images(name, origin, x_train, y_train, x_test, y_test):
    description = f"{name}: {len(x_train):,} training and {len(x_test):,} test images of 28 x 28 pixels in [0, 1]"
    return Bunch(
        x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test,
        name=name, origin=origin, description=description,
    )  # fmt: skip


def _beats(name, origin, x, y, kinds, part=""):
    normal = np.mean(y == 0)
    description = f"{name}: {len(x):,} heartbeats of {x.shape[1]} samples, {normal:.0%} of them normal{part}"
    return Bunch(x=x.astype("float32"), y=y, kinds=kinds, name=name, origin=origin, description=description)


def _from_folder(files, read, url):
    folder = os.environ.get("AELIB_DATA")
    if folder == "embedded":
        raise FileNotFoundError("AELIB_DATA=embedded asks for drawn data")
    if not folder:
        raise FileNotFoundError("$AELIB_DATA: not set")
    return read(Path(folder).expanduser(), "$AELIB_DATA"), "$AELIB_DATA"


def _from_keras_cache(files, read, url):
    return read(_keras_cache(), "Keras's cache"), "Keras's cache"


def _from_download(files, read, url):
    """Download next to the cache, check, and only then move the files to where the next call finds them."""
    import pooch  # not above: in a notebook without ipywidgets its progress bar warns as soon as it is imported

    try:
        _keras_cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".aelib-", dir=_keras_cache()) as folder:
            came = Path(folder) / url.rpartition("/")[2]
            pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)(url, came, None)
            if came.name not in files:
                with zipfile.ZipFile(came) as archive:
                    for file in files:
                        (came.parent / file).write_bytes(archive.read(file))
            data = read(came.parent, "what came")
            for file in files:
                (came.parent / file).replace(_keras_cache() / file)
    except (*_UNREADABLE, zipfile.BadZipFile) as error:
        raise OSError(f"download from {url}: {type(error).__name__}: {error}") from error
    return data, "download"


def _keras_cache():
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def cache_folder():
    """Where this course keeps what took long to compute: ``$AELIB_CACHE``, or ``aelib`` in the user's cache folder.

    Whatever is in it can be computed again, so it may be deleted at any time.
    """
    import pooch  # not above, as in _from_download

    return Path(os.environ.get("AELIB_CACHE") or pooch.os_cache("aelib")).expanduser()


def _read_mnist(folder, where):
    path = folder / "mnist.npz"
    where = f"{where} ({path})"
    if not path.exists():
        raise FileNotFoundError(f"{where}: no such file")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in MNIST_SHA256}
    except _UNREADABLE as error:
        raise ValueError(f"{where}: not a readable mnist.npz ({type(error).__name__}: {error})") from error
    for key, expected in MNIST_SHA256.items():
        if hashlib.sha256(np.ascontiguousarray(arrays[key])).hexdigest() != expected:
            raise ValueError(f"{where}: the checksum of {key} is not MNIST's; remove the file and try again")
    return arrays


def _read_ecg5000(folder, where):
    """The training part, then the test part if it is there: ``(n, 141)``, the class (1 to 5) and 140 samples."""
    parts = []
    for name, counts in reversed(ECG5000_FILES.items()):
        path = folder / name
        if not path.exists():
            if parts:
                break  # the training part alone
            raise FileNotFoundError(f"{where} ({path}): no such file")
        try:
            table = np.loadtxt(path, dtype="float32", ndmin=2)
        except (*_UNREADABLE, UnicodeDecodeError) as error:
            raise ValueError(f"{where} ({path}): not a table of numbers ({error})") from error
        if table.shape != (sum(counts), 141) or not np.isfinite(table).all():
            raise ValueError(f"{where} ({path}): expected {sum(counts)} rows of 141 finite numbers, got {table.shape}")
        came = tuple(int((table[:, 0] == label).sum()) for label in range(1, 6))
        if came != counts:
            raise ValueError(f"{where} ({path}): expected {counts} beats of the classes 1 to 5, got {came}")
        parts.append(table)
    return np.concatenate(parts)
