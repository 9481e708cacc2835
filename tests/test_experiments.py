"""A sweep loses nothing: not a failing run's neighbours, not what a killed process had done, on whatever backend."""

import functools
import importlib.metadata
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import keras
import numpy as np
import pandas as pd
import pytest

import aelib
from aelib.experiments import _parallel

FACTOR = 2


def product(seed, width, x):
    return {"value": float(x.sum()) * width * FACTOR + seed, "process": os.getpid()}


def test_every_point_and_seed_has_one_row_in_the_order_of_the_grid():
    x = np.ones(3)
    table = aelib.sweep(product, {"width": [5, 1]}, seeds=(0, 1), data={"x": x})
    assert list(table.columns) == ["width", "seed", "value", "process", "seconds"]
    assert table.width.tolist() == [5, 5, 1, 1] and table.seed.tolist() == [0, 1, 0, 1]
    assert table.value.tolist() == [30.0, 31.0, 6.0, 7.0]


def test_two_processes_give_the_same_table_as_one_and_are_other_processes():
    arguments = (product, {"width": [1, 2]}, (0, 1), {"x": np.ones(3)})
    alone, shared = aelib.sweep(*arguments), aelib.sweep(*arguments, n_jobs=2)
    pd.testing.assert_frame_equal(alone[["width", "seed", "value"]], shared[["width", "seed", "value"]])
    assert set(alone.process) == {os.getpid()} and os.getpid() not in set(shared.process)


@pytest.mark.parametrize(("n_jobs", "processes"), [(None, 2), (1, 1), (4, 4)])
def test_the_cores_are_divided_among_the_processes(n_jobs, processes, monkeypatch):
    """Threads stand for processes here: they see the environment that a new process would get."""
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    with joblib.parallel_config("threading", n_jobs=2):
        seen = set(_parallel([joblib.delayed(os.getenv)("TF_NUM_INTRAOP_THREADS")], n_jobs))
    assert seen == {str(max(1, joblib.cpu_count() // processes))} and "TF_NUM_INTRAOP_THREADS" not in os.environ


def fails_at_two(seed, width):
    if width == 2:
        raise ZeroDivisionError("two is too many")
    return {"value": width}


def test_a_failing_run_is_named_and_does_not_stop_the_others():
    with pytest.warns(
        UserWarning, match=r"1 of 3 runs failed. The first, with width=2, seed=0: ZeroDivisionError: two"
    ):
        table = aelib.sweep(fails_at_two, {"width": [1, 2, 3]}, seeds=[0])
    assert table.value.tolist()[::2] == [1, 3] and np.isnan(table.value[1])
    assert table.error.tolist()[1] == "ZeroDivisionError: two is too many"


def test_if_every_run_fails_the_first_ones_traceback_is_raised():
    with pytest.raises(RuntimeError, match=r"(?s)2 of 2 runs failed.*raise ZeroDivisionError"):
        aelib.sweep(fails_at_two, {"width": [2]}, seeds=[0, 1])


def dies_at_two(seed, width):
    if width == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"value": width}


@pytest.mark.slow
def test_a_run_that_kills_its_process_is_named_and_does_not_stop_the_others():
    with pytest.warns(
        UserWarning,
        match=r"1 of 3 runs failed. The first, with width=2, seed=0: could not be sent, or its process died",
    ):
        table = aelib.sweep(dies_at_two, {"width": [1, 2, 3]}, seeds=[0], n_jobs=2)
    assert table.value.dropna().tolist() == [1, 3]


def count(seed, width, log):
    with Path(log).open("a") as file:
        file.write(f"{width} {seed}\n")
    return {"value": width + FACTOR}


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def test_finished_runs_are_kept_and_only_the_others_run(tmp_path):
    log = tmp_path / "log"
    arguments = {"data": {"log": str(log)}, "cache": tmp_path / "runs"}
    first = aelib.sweep(count, {"width": [1, 2]}, [0], **arguments)
    assert len(lines(log)) == 2
    second = aelib.sweep(count, {"width": [1, 2, 3]}, [0], **arguments)
    assert lines(log) == ["1 0", "2 0", "3 0"]
    pd.testing.assert_frame_equal(first, second.iloc[:2])


def count_and_fail_at_two(seed, width, log):
    return count(seed, width, log) | fails_at_two(seed, width)


def test_a_failed_run_is_tried_again_and_the_others_are_not(tmp_path):
    log = tmp_path / "log"
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 of 2 runs failed"):
            aelib.sweep(count_and_fail_at_two, {"width": [1, 2]}, [0], {"log": str(log)}, cache=tmp_path / "runs")
    assert lines(log) == ["1 0", "2 0", "2 0"]


def test_a_damaged_file_counts_as_no_file(tmp_path):
    log = tmp_path / "log"
    arguments = {"data": {"log": str(log)}, "cache": tmp_path / "runs"}
    table = aelib.sweep(count, {"width": [1]}, [0], **arguments)
    for path in (tmp_path / "runs").glob("*.json"):
        path.write_text(path.read_text()[:10])
    again = aelib.sweep(count, {"width": [1]}, [0], **arguments)
    assert len(lines(log)) == 2 and again.value.tolist() == table.value.tolist()


def test_a_run_may_sweep_itself_and_cannot_change_its_data():
    def inner(seed, width):
        return {"value": width}

    def outer(seed, x):
        assert not x.flags.writeable
        return {"total": aelib.sweep(inner, {"width": [1, 2]}, [0]).value.sum()}

    assert aelib.sweep(outer, {}, seeds=iter([0, 1]), data={"x": np.ones(3)}).total.tolist() == [3, 3]


class Runs:
    """Sweeps over functions that return nothing of interest, and how many of their runs were not kept before."""

    def __init__(self, folder):
        self.folder = folder

    def new(self, run, **arguments):
        before = len(list(self.folder.glob("*.json")))
        aelib.sweep(run, **{"grid": {}, "seeds": [0], "cache": self.folder} | arguments)
        return len(list(self.folder.glob("*.json"))) - before


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def uses_helper(seed, **given):
    return {"value": len([helper(number) for number in (2, 1)])}


def helper(number):
    return number * FACTOR


def test_what_is_kept_counts_only_for_the_same_data_parameters_seed_and_packages(runs, monkeypatch):
    arguments = {"grid": {"width": [1]}, "data": {"x": np.zeros(3)}}
    assert runs.new(uses_helper, **arguments) == 1 and runs.new(uses_helper, **arguments) == 0
    assert runs.new(uses_helper, **arguments | {"grid": {"width": [1.0]}}) == 1
    assert runs.new(uses_helper, **arguments | {"data": {"x": np.array([0, 0, 1e-9])}}) == 1
    assert runs.new(uses_helper, **arguments | {"seeds": [1]}) == 1
    backend = sys.modules[keras.backend.backend()]
    for thing, name in ((np, "__version__"), (backend, "__version__"), (aelib.experiments, "_LIBRARY")):
        monkeypatch.setattr(thing, name, "another")
        assert runs.new(uses_helper, **arguments) == 1


def test_what_is_kept_counts_only_for_the_same_code_and_for_what_it_names_in_its_file(runs, monkeypatch):
    module = sys.modules[__name__]
    assert runs.new(uses_helper) == 1 and runs.new(uses_helper) == 0
    monkeypatch.setattr(module, "FACTOR", 3)  # named by the helper alone
    assert runs.new(uses_helper) == 1
    monkeypatch.setattr(module, "helper", lambda number: number + FACTOR)
    assert runs.new(uses_helper) == 1 and runs.new(uses_helper) == 0


def test_a_backend_that_was_installed_under_another_name_does_not_matter(runs, monkeypatch):
    """As ``tensorflow-cpu``."""

    def no_such_package(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", no_such_package)
    assert runs.new(uses_helper) == 1


def closure(value):
    return lambda seed: {"value": value}


def scaled(by):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(seed):
            return {"value": by * function(seed)["value"]}

        return wrapper

    return decorate


def with_class(power):
    class Model:
        @functools.cached_property
        def power(self):
            return POWERS[power]

    return lambda seed: {"value": Model().power}


POWERS = (1, 2, 3)


class Adder:
    def __init__(self, amount):
        self.amount = amount

    @property
    def total(self):
        return 1 + self.amount

    def run(self, seed):
        return {"value": self.total}


@pytest.mark.parametrize(
    "make",
    [
        closure,
        with_class,
        lambda value: scaled(value)(closure(1)),
        lambda value: functools.partial(lambda seed, value: {"value": value}, value=value),
        lambda value: Adder(value).run,
        lambda value: (lambda seed: {"value": 1}, lambda seed: {"value": 2})[value - 1],
        lambda value: (lambda seed, *more: {"v": len(more)}, lambda seed, more=(): {"v": len(more)})[value - 1],
    ],
    ids=["closure", "class", "decorator", "partial", "method", "lambda", "signature"],
)
def test_two_functions_count_as_one_only_if_they_do_the_same(runs, make):
    assert [runs.new(make(value)) for value in (1, 1, 2, 1)] == [1, 0, 1, 0]


def test_a_class_of_the_same_file_counts_by_what_it_does(runs, monkeypatch):
    run = Adder(1).run
    assert runs.new(run) == 1
    monkeypatch.setattr(Adder, "total", property(lambda self: 2 + self.amount))
    assert runs.new(run) == 1 and runs.new(run) == 0


def makes_a_model(seed):
    return {"value": SmallModel().name}


class SmallModel(keras.Model):
    def call(self, x):
        return x


def test_using_a_class_of_keras_does_not_change_it(runs):
    assert runs.new(makes_a_model) == 1 and runs.new(makes_a_model) == 0


def test_a_function_in_the_grid_counts_by_what_it_does(tmp_path):
    def of(make):
        return aelib.sweep(lambda seed, make: {"v": make(1)}, {"make": [make]}, [0], cache=tmp_path).v[0]

    assert of(lambda x: x + 1) == 2 and of(lambda x: x + 100) == 101


LOCK = threading.Lock()


def test_what_cannot_be_compared_is_refused_by_name(runs):
    def run(seed):
        return {"value": LOCK.locked()}

    with pytest.raises(ValueError, match="LOCK: expected something that can be hashed, got a lock"):
        runs.new(run)
    with pytest.raises(ValueError, match="file: expected something that can be hashed, got a TextIOWrapper"):
        runs.new(lambda seed, file: {"v": 1}, data={"file": sys.__stderr__})


def draws(seed):
    return {"python": random.random(), "numpy": np.random.rand(), "keras": float(keras.random.uniform(()))}  # noqa: NPY002


def test_every_run_is_seeded():
    first, again = (aelib.sweep(draws, {}, (0, 1, -1, 2**32 + 1)) for _ in range(2))
    drawn = first[["python", "numpy", "keras"]]
    pd.testing.assert_frame_equal(drawn, again[drawn.columns])
    assert drawn.nunique().tolist() == [3, 3, 3] and drawn.iloc[1].equals(drawn.iloc[3])  # modulo 2**32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": lambda seed: {"value": 1}}, "run: expected a function of seed, width, got one that does not fit"),
        ({"grid": {"seed": [1]}}, r"grid: expected names other than .*got \['seed'\]"),
        ({"run": lambda seed, width: 3}, "run: expected it to return a dict of names to numbers, got 3"),
        ({"run": lambda seed, width: {"width": 3}}, "run: expected it to return names other than"),
        (
            {"run": lambda seed, width: {"v": [1]}},
            r"run: expected a text as name and a number or a text as 'v', got \[1\]",
        ),
        ({"seeds": []}, r"seeds, grid: expected at least one seed and one point, got \[\]"),
        ({"seeds": 3}, "seeds: expected integers, got 3"),
        ({"n_jobs": 0}, "n_jobs: expected None, -1 or a number of processes of at least 1, got 0"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {"run": lambda seed, width: {"value": 1}, "grid": {"width": [1]}, "seeds": [0]} | change
    with pytest.raises((ValueError, RuntimeError), match=message):
        aelib.sweep(**arguments)


PROGRAM = """
import sys, time
from pathlib import Path
import aelib
def slow(seed, width, log):
    with Path(log).open("a") as file:
        file.write(f"{width} {seed}\\n")
    time.sleep(0.3)
    return {"value": width * 10 + seed * (str(seed) not in {"alpha", "beta", "gamma"})}
def sweep(log, cache, n_jobs):
    return aelib.sweep(slow, {"width": [1, 2, 3, 4, 5]}, (0, 1), {"log": log}, n_jobs=n_jobs, cache=cache)
if __name__ == "__main__":
    sweep(*sys.argv[1:], n_jobs=2)
"""


@pytest.mark.slow
def test_a_sweep_that_was_killed_goes_on_in_a_new_process_and_repeats_only_what_was_in_flight(tmp_path, monkeypatch):
    program, log, cache = tmp_path / "program_of_test.py", tmp_path / "log", tmp_path / "runs"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), str(log), str(cache)]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(cache.glob("*.json")) if cache.exists() else []) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # joblib's processes belong to the group and die with it
    kept, started = len(list(cache.glob("*.json"))), len(lines(log))
    assert 4 <= kept < 10 and started - kept <= 3  # two in flight, and one just handed over
    program.write_text(PROGRAM.replace("time.sleep(0.3)", "time.sleep(0.3)  # a comment does not matter"))
    monkeypatch.syspath_prepend(tmp_path)
    import program_of_test

    table = program_of_test.sweep(str(log), str(cache), n_jobs=1)
    assert table.value.tolist() == [width * 10 + seed for width in range(1, 6) for seed in (0, 1)]
    assert len(lines(log)) == started + 10 - kept  # nothing that was kept ran again
    print(f"killed after {kept} of 10 runs: lost 0, repeated {started - kept}, which were in flight")


def small_model(seed, latent_dim, x):
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile()
    model.fit(x, epochs=2, batch_size=50, verbose=0)
    return {"mse": aelib.mean_squared_error(x, model.predict(x)), "worker": os.getppid()}


def kills_its_worker_once(seed, latent_dim, x, victim):
    """On a Dask worker a run has a process of its own, whose parent is the worker."""
    if not Path(victim).exists():
        Path(victim).write_text(str(os.getppid()))
        os.kill(os.getppid(), signal.SIGKILL)
    return small_model(seed, latent_dim, x)


@pytest.mark.slow
def test_the_same_call_on_a_dask_cluster_gives_the_same_table_even_if_a_worker_is_killed(images, tmp_path):
    import dask
    from distributed import Client, LocalCluster

    dask.config.set({"distributed.worker.daemon": False})
    grid, seeds, data, victim = {"latent_dim": [2, 4]}, (0, 1), {"x": images[:500]}, tmp_path / "victim"
    here = aelib.sweep(small_model, grid, seeds, data)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        Client(cluster) as client,
        joblib.parallel_config("dask", wait_for_workers_timeout=60),
    ):
        workers = set(client.run(os.getpid).values())
        assert joblib.effective_n_jobs(None) == 2
        there = aelib.sweep(kills_its_worker_once, grid, seeds, {**data, "victim": str(victim)})
        survivors = set(client.run(os.getpid).values())
    killed = int(victim.read_text())
    assert killed in workers and killed not in survivors  # by one of the runs, so during the sweep
    assert set(there.worker) <= survivors and os.getpid() not in survivors
    pd.testing.assert_frame_equal(here[["latent_dim", "seed", "mse"]], there[["latent_dim", "seed", "mse"]])
