"""Finding MNIST and ECG5000: from a folder, from a cache, from a local server that misbehaves, and from nowhere."""

import hashlib
import io
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from aelib import datasets


@pytest.fixture
def tiny_mnist(tmp_path, monkeypatch):
    """A small stand-in with MNIST's keys, whose checksums aelib is told to expect. Returns the file's bytes."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (20, 28, 28), dtype="uint8"),
        "y_train": rng.integers(0, 10, 20, dtype="uint8"),
        "x_test": rng.integers(0, 256, (6, 28, 28), dtype="uint8"),
        "y_test": rng.integers(0, 10, 6, dtype="uint8"),
    }
    np.savez(tmp_path / "made.npz", **arrays)
    sums = {key: hashlib.sha256(array.tobytes()).hexdigest() for key, array in arrays.items()}
    monkeypatch.setattr(datasets, "MNIST_SHA256", sums)
    return (tmp_path / "made.npz").read_bytes()


@pytest.fixture(autouse=True)
def empty_home(tmp_path, monkeypatch):
    """No AELIB_DATA, empty caches, and a URL where nobody answers."""
    monkeypatch.delenv("AELIB_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("AELIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "MNIST_URL", "http://127.0.0.1:9/mnist.npz")
    monkeypatch.setattr(datasets, "ECG5000_URL", "http://127.0.0.1:9/ECG5000.zip")
    monkeypatch.setattr(datasets, "TIMEOUT", 1.0)
    return tmp_path / "keras" / "datasets"


@pytest.fixture
def serve(monkeypatch):
    """A function that starts a server which answers every request with `behave(handler)`."""
    servers = []

    def start(behave):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                behave(self)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(datasets, "MNIST_URL", f"http://127.0.0.1:{server.server_port}/mnist.npz")
        monkeypatch.setattr(datasets, "ECG5000_URL", f"http://127.0.0.1:{server.server_port}/ECG5000.zip")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def answer(body, announced=None, status=200):
    """A behaviour: send these bytes, after announcing so many."""

    def behave(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if announced is None else announced))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang(handler):
    """A behaviour: promise a lot, then say nothing until the client has given up."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    time.sleep(3)


def test_a_folder_named_by_aelib_data_comes_first(tiny_mnist, tmp_path, monkeypatch):
    (tmp_path / "mnist.npz").write_bytes(tiny_mnist)
    monkeypatch.setenv("AELIB_DATA", str(tmp_path))
    data = datasets.fetch_mnist()
    assert (data.name, data.origin) == ("MNIST", "$AELIB_DATA")
    assert data.x_train.shape == (20, 28, 28) and data.x_train.dtype == "float32" and data.y_test.dtype == "int64"
    assert data.x_train.min() >= 0 and data.x_train.max() == 1


def test_a_download_goes_to_kerass_cache_and_the_next_call_needs_no_server(tiny_mnist, serve, empty_home, monkeypatch):
    serve(answer(tiny_mnist))
    first = datasets.fetch_mnist()
    monkeypatch.setattr(datasets, "MNIST_URL", "http://127.0.0.1:9/mnist.npz")
    second = datasets.fetch_mnist()
    assert (first.origin, second.origin) == ("download", "Keras's cache")
    np.testing.assert_array_equal(first.x_test, second.x_test)
    assert [path.name for path in empty_home.iterdir()] == ["mnist.npz"]


@pytest.mark.parametrize(
    ("behave", "says"),
    {
        "breaks half-way": (lambda body: answer(body[: len(body) // 2], announced=len(body)), "ChunkedEncodingError"),
        "delivers a truncated file": (lambda body: answer(body[: len(body) // 2]), "not a readable mnist.npz"),
        "delivers a web page": (lambda body: answer(b"<html>Please log in</html>"), "not a readable mnist.npz"),
        "delivers nothing": (lambda body: answer(b""), "not a readable mnist.npz"),
        "is not found": (lambda body: answer(b"gone", status=404), "404"),
        "hangs": (lambda body: hang, "(?i)timed? ?out"),
    }.values(),
    ids=lambda value: None if callable(value) else str(value),
)
def test_a_bad_download_is_explained_leaves_nothing_and_the_next_call_works(
    tiny_mnist, serve, empty_home, behave, says
):
    serve(behave(tiny_mnist))
    started = time.monotonic()
    with pytest.raises(datasets.DataUnavailableError, match=says):
        datasets.fetch_mnist()
    assert time.monotonic() - started < 10
    assert list(empty_home.iterdir()) == []
    serve(answer(tiny_mnist))
    assert datasets.fetch_mnist().origin == "download"


def test_a_file_with_other_images_is_refused_and_replaced(tiny_mnist, serve, empty_home, tmp_path):
    empty_home.mkdir(parents=True)
    np.savez(empty_home / "mnist.npz", **{key: np.zeros((3, 28, 28), "uint8") for key in datasets.MNIST_SHA256})
    with pytest.raises(datasets.DataUnavailableError, match=r"Keras's cache .*checksum of x_train is not MNIST's"):
        datasets.fetch_mnist()
    serve(answer(tiny_mnist))
    assert datasets.fetch_mnist().origin == "download"
    assert datasets.fetch_mnist().origin == "Keras's cache"


def test_the_error_lists_every_place_and_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("AELIB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(datasets.DataUnavailableError) as caught:
        datasets.fetch_mnist()
    message = str(caught.value)
    assert "1. $AELIB_DATA" in message and str(tmp_path / "nowhere") in message
    assert "2. Keras's cache" in message and "3. download from http://127.0.0.1:9/mnist.npz" in message
    assert "point AELIB_DATA at that folder" in message


def test_a_cache_that_cannot_be_written_is_one_of_the_reasons(tiny_mnist, serve, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    serve(answer(tiny_mnist))
    with pytest.raises(
        datasets.DataUnavailableError, match=r"3\. download from .*(NotADirectoryError|FileExistsError)"
    ):
        datasets.fetch_mnist()


def test_without_mnist_load_images_draws_digits_and_warns():
    with pytest.warns(UserWarning, match="Using digits drawn by aelib.make_digits instead of MNIST"):
        data = datasets.load_images()
    assert data.name == "drawn digits" and data.x_train.shape == (60_000, 28, 28)
    assert data.factors_test.shape == (10_000, len(data.factor_names))


def test_embedded_asks_for_drawn_digits_without_a_warning_and_without_the_network(serve, monkeypatch, recwarn):
    asked = []
    serve(lambda handler: asked.append(handler.path))
    monkeypatch.setenv("AELIB_DATA", "embedded")
    monkeypatch.setattr(datasets.digits, "make_digits", few_digits)
    assert datasets.load_images().name == "drawn digits"
    with pytest.raises(datasets.DataUnavailableError, match="AELIB_DATA=embedded"):
        datasets.fetch_mnist()
    assert not asked and not [w for w in recwarn if w.category is UserWarning]


draw = datasets.digits.make_digits


def few_digits(n_samples, random_state):
    return draw(20 + random_state, random_state)


def test_digits_are_drawn_once_and_again_where_the_file_is_damaged_or_of_another_version(tmp_path, monkeypatch):
    monkeypatch.setenv("AELIB_DATA", "embedded")
    calls = []
    monkeypatch.setattr(
        datasets.digits, "make_digits", lambda n, random_state: calls.append(n) or few_digits(n, random_state)
    )
    first, second = datasets.load_images(), datasets.load_images()
    assert calls == [60_000, 10_000] and first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)
    (kept,) = (tmp_path / "cache").glob("digits-*.npz")
    whole = kept.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 3] ^= 1  # a single bit of an image
    for damaged in (whole[: len(whole) // 2], bytes(changed), b""):
        kept.write_bytes(damaged)
        calls.clear()
        assert np.array_equal(datasets.load_images().x_train, first.x_train) and calls
    monkeypatch.setattr(datasets.scipy, "__version__", "another")
    calls.clear()
    datasets.load_images()
    assert calls and len(list((tmp_path / "cache").iterdir())) == 2


def test_where_nothing_can_be_kept_digits_are_drawn_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("AELIB_DATA", "embedded")
    monkeypatch.setattr(datasets.digits, "make_digits", few_digits)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AELIB_CACHE", str(tmp_path / "file" / "cache"))
    assert datasets.load_images().x_train.shape == (20, 28, 28)


COUNTS = {"ECG5000_TEST.txt": (5, 3, 1, 1, 1), "ECG5000_TRAIN.txt": (3, 2, 1, 1, 1)}


@pytest.fixture
def tiny_ecg(monkeypatch):
    """Small stand-ins for ECG5000's two files, with so many beats of each class: ``{name: text}``."""
    monkeypatch.setattr(datasets, "ECG5000_FILES", COUNTS)
    rng = np.random.default_rng(0)
    texts = {}
    for name, counts in COUNTS.items():
        labels = np.repeat(np.arange(1, 6), counts)
        buffer = io.StringIO()
        np.savetxt(buffer, np.column_stack([labels, rng.normal(size=(len(labels), 140))]), fmt="%.7e")
        texts[name] = buffer.getvalue()
    return texts


def zipped(texts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_ecg5000_in_a_folder_has_its_training_beats_first(tiny_ecg, tmp_path, monkeypatch):
    monkeypatch.setenv("AELIB_DATA", str(tmp_path))
    for name, text in tiny_ecg.items():
        (tmp_path / name).write_text(text)
    data = datasets.fetch_ecg5000()
    assert data.x.shape == (19, 140) and data.x.dtype == "float32" and data.origin == "$AELIB_DATA"
    assert data.y.tolist() == [0, 0, 0, 1, 1, 2, 3, 4, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 4] and len(data.kinds) == 5
    assert "alone" not in data.description
    (tmp_path / "ECG5000_TEST.txt").unlink()
    part = datasets.fetch_ecg5000()
    np.testing.assert_array_equal(part.x, data.x[:8])
    assert part.description.endswith("38% of them normal, the archive's training part alone")


def test_ecg5000_is_downloaded_once(tiny_ecg, serve, empty_home, monkeypatch):
    serve(answer(zipped(tiny_ecg | {"README.md": "not for us"})))
    first = datasets.fetch_ecg5000()
    monkeypatch.setattr(datasets, "ECG5000_URL", "http://127.0.0.1:9/ECG5000.zip")
    second = datasets.load_heartbeats()
    assert (first.origin, second.origin) == ("download", "Keras's cache")
    np.testing.assert_array_equal(first.x, second.x)
    assert sorted(path.name for path in empty_home.iterdir()) == ["ECG5000_TEST.txt", "ECG5000_TRAIN.txt"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    {
        "is cut off": (lambda texts: zipped(texts)[:-200], "BadZipFile"),
        "is no archive": (lambda texts: b"<html>Please log in</html>", "BadZipFile"),
        "lacks a part": (lambda texts: zipped({"ECG5000_TRAIN.txt": texts["ECG5000_TRAIN.txt"]}), "ECG5000_TEST.txt"),
        "has a truncated table": (
            lambda texts: zipped({name: text[:-3000] for name, text in texts.items()}),
            "not a table of numbers|expected 8 rows of 141",
        ),
        "has other beats": (
            lambda texts: zipped(
                {name: text.replace("1.0000000e+00", "2.0000000e+00") for name, text in texts.items()}
            ),
            r"expected \(3, 2, 1, 1, 1\) beats of the classes 1 to 5, got \(0, 5, 1, 1, 1\)",
        ),
        "has holes": (
            lambda texts: zipped({name: text.replace("3.0000000e+00", "nan") for name, text in texts.items()}),
            "expected 8 rows of 141 finite numbers",
        ),
        "has pictures": (lambda texts: zipped(dict.fromkeys(texts, "\x89PNGÿ")), "not a table of numbers"),
    }.values(),
    ids=lambda value: None if callable(value) else str(value)[:20],
)
def test_a_bad_ecg_archive_is_explained_and_leaves_nothing(tiny_ecg, serve, empty_home, spoil, says):
    serve(answer(spoil(tiny_ecg)))
    with pytest.raises(datasets.DataUnavailableError, match=says) as caught:
        datasets.fetch_ecg5000()
    assert "1. $AELIB_DATA" in str(caught.value) and "ECG5000.zip holds into a folder" in str(caught.value)
    assert list(empty_home.iterdir()) == []
    serve(answer(zipped(tiny_ecg)))
    assert datasets.fetch_ecg5000().origin == "download"


def test_without_ecg5000_load_heartbeats_draws_beats_and_warns_unless_asked_to(monkeypatch, recwarn):
    with pytest.warns(UserWarning, match="Using beats drawn by aelib.make_heartbeats instead of ECG5000"):
        data = datasets.load_heartbeats()
    assert data.name == "drawn heartbeats" and data.x.shape == (5000, 140)
    np.testing.assert_allclose([data.x.mean(axis=1).max(), data.x.std(axis=1).min()], [0, 1], atol=1e-4)
    recwarn.clear()
    monkeypatch.setenv("AELIB_DATA", "embedded")
    np.testing.assert_array_equal(datasets.load_heartbeats().x, data.x)
    assert not recwarn.list
