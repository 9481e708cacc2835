"""Every test starts from the same seed, draws into memory, and sees 2,000 drawn digits at most."""

import matplotlib

matplotlib.use("Agg")

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import aelib


@pytest.fixture(autouse=True)
def fresh_start():
    keras.utils.set_random_seed(0)
    yield
    keras.backend.clear_session(free_memory=False)  # its garbage collection takes half a second
    plt.close("all")


@pytest.fixture
def rng():
    """The same numbers in every test, in whatever order the tests run."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def digits():
    """2,000 drawn digits; treat them as read-only."""
    bunch = aelib.make_digits(2000, random_state=0)
    bunch.images.flags.writeable = False
    return bunch


@pytest.fixture(scope="session")
def images(digits):
    return digits.images


def pytest_xdist_make_scheduler(config, log):
    """Keep what shares something slow in one process: a compiled model, a class's grades, a book."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            if "test_contract" in nodeid and "[" in nodeid:
                return nodeid[nodeid.index("[") :]
            whole = ("test_book", "test_grading", "test_leaks")
            return nodeid.split("::")[0] if any(name in nodeid for name in whole) else nodeid

    return Together(config, log)
