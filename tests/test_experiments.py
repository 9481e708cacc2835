"""A sweep loses nothing: not a failing run's neighbours, not what a killed process had done, on whatever backend."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

import aelib
from aelib.fingerprint import fingerprint

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
        match=r"1 of 5 runs failed. The first, with width=2, seed=0: could not be sent, or its process died",
    ):
        table = aelib.sweep(dies_at_two, {"width": [1, 2, 3, 4, 5]}, seeds=[0], n_jobs=2)
    assert table.value.dropna().tolist() == [1, 3, 4, 5]


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


def test_a_failed_run_is_tried_again(tmp_path):
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 of 2 runs failed"):
            aelib.sweep(fails_at_two, {"width": [1, 2]}, [0], cache=tmp_path)


def test_a_damaged_file_counts_as_no_file(tmp_path):
    log = tmp_path / "log"
    arguments = {"data": {"log": str(log)}, "cache": tmp_path / "runs"}
    table = aelib.sweep(count, {"width": [1]}, [0], **arguments)
    for path in (tmp_path / "runs").glob("*.json"):
        path.write_text(path.read_text()[:10])
    again = aelib.sweep(count, {"width": [1]}, [0], **arguments)
    assert len(lines(log)) == 2 and again.value.tolist() == table.value.tolist()


@pytest.mark.parametrize("changed", ["data", "global", "code"])
def test_what_is_kept_counts_only_for_the_same_code_data_and_globals(tmp_path, monkeypatch, changed):
    log = tmp_path / "log"
    function, other = count, {"log": str(log)}
    aelib.sweep(function, {"width": [1]}, [0], data=other, cache=tmp_path / "runs")
    if changed == "data":
        other = {"log": str(tmp_path / "." / "log") + "/../log2"}
        (tmp_path / "log").unlink()
        (tmp_path / "log").mkdir()
        log = tmp_path / "log2"
    elif changed == "global":
        monkeypatch.setattr(sys.modules[__name__], "FACTOR", 3)
    else:
        scope = {"Path": Path, "FACTOR": FACTOR, "__name__": __name__}
        exec(textwrap.dedent(f"""
            def count(seed, width, log):
                Path(log).open("a").write("again\\n" * {1})
                return {{"value": width + FACTOR + 1}}
        """), scope)  # fmt: skip
        function = scope["count"]
    before = len(lines(log))
    aelib.sweep(function, {"width": [1]}, [0], data=other, cache=tmp_path / "runs")
    assert len(lines(log)) == before + 1


def test_a_function_in_the_grid_counts_by_what_it_does(tmp_path):
    def of(make):
        return aelib.sweep(lambda seed, make: {"v": make(1)}, {"make": [make]}, [0], cache=tmp_path).v[0]

    assert of(lambda x: x + 1) == 2 and of(lambda x: x + 100) == 101


def test_a_run_may_sweep_itself_and_cannot_change_its_data():
    def inner(seed, width):
        return {"value": width}

    def outer(seed, x):
        assert not x.flags.writeable
        return {"total": aelib.sweep(inner, {"width": [1, 2]}, [0]).value.sum()}

    assert aelib.sweep(outer, {}, seeds=iter([0, 1]), data={"x": np.ones(3)}).total.tolist() == [3, 3]


def first_of(numbers):
    return helper(numbers)[0]


def helper(numbers):
    return sorted(numbers)


def test_a_fingerprint_follows_helpers_classes_partials_and_closures(monkeypatch):
    before = fingerprint(first_of)
    assert fingerprint(first_of) == before
    monkeypatch.setattr(sys.modules[__name__], "helper", lambda numbers: sorted(numbers, reverse=True))
    assert fingerprint(first_of) != before

    def closure(value):
        return lambda: value

    assert fingerprint(closure(1)) == fingerprint(closure(1)) != fingerprint(closure(2))
    assert fingerprint(functools.partial(first_of, [1])) != fingerprint(functools.partial(first_of, [2]))

    def with_class(power):
        class Model:
            def call(self, x):
                return x**power

        return lambda: Model()

    assert fingerprint(with_class(2)) == fingerprint(with_class(2)) != fingerprint(with_class(3))


def scaled(by):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(x):
            return by * function(x)

        return wrapper

    return decorate


class Adder:
    def __init__(self, amount):
        self.amount = amount

    @property
    def twice(self):
        return 2 * self.amount

    def add(self, x):
        return x + self.amount


ADDER = Adder(1)


def adds(x):
    return ADDER.add(x)


def test_a_fingerprint_sees_through_decorators_methods_instances_and_signatures(monkeypatch):
    def double(x):
        return 2 * x

    assert fingerprint(scaled(2)(double)) == fingerprint(scaled(2)(double)) != fingerprint(scaled(3)(double))
    assert fingerprint(Adder(1).add) == fingerprint(Adder(1).add) != fingerprint(Adder(2).add)
    assert fingerprint(lambda x, y: y) != fingerprint(lambda x, *y: y)
    before = fingerprint(adds)
    monkeypatch.setattr(Adder, "add", lambda self, x: x - self.amount)
    assert fingerprint(adds) != before


def test_a_fingerprint_follows_your_own_modules_and_what_they_use(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "outer_of_test.py").write_text("import inner_of_test\n")
    prints = []
    for body in ("x = 1\n", "x = 2\n"):
        (tmp_path / "inner_of_test.py").write_text(body)
        for name in ("outer_of_test", "inner_of_test"):
            sys.modules.pop(name, None)

        def run(seed):
            import outer_of_test

            return outer_of_test.inner_of_test.x

        prints.append(fingerprint(run))
    assert prints[0] != prints[1]


@pytest.mark.slow
def test_a_fingerprint_is_the_same_in_a_new_process_and_ignores_comments(tmp_path):
    program = """
from aelib.fingerprint import fingerprint
FACTOR = {}
def run(seed):
    {}
    return FACTOR + seed if str(seed) not in {{"alpha", "beta", "gamma"}} else 0
print(fingerprint(run))
"""
    printed = []
    for factor, comment in ((1, "# one"), (1, "# two\n\n    # three"), (2, "# one")):
        path = tmp_path / f"{len(printed)}.py"
        path.write_text(program.format(factor, comment))
        printed.append(subprocess.run([sys.executable, path], capture_output=True, text=True).stdout)
    assert len(printed[0]) > 30 and printed[0] == printed[1] != printed[2]


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
import os, sys, time
from pathlib import Path
import aelib
def slow(seed, width, log):
    with Path(log).open("a") as file:
        file.write(f"{width} {seed}\\n")
    time.sleep(0.3)
    return {"value": width * 10 + seed}
if __name__ == "__main__":
    log, cache = sys.argv[1:]
    table = aelib.sweep(slow, {"width": [1, 2, 3, 4, 5]}, (0, 1), {"log": log}, n_jobs=2, cache=cache)
    print(table.value.tolist())
"""


@pytest.mark.slow
def test_a_sweep_that_was_killed_goes_on_and_repeats_only_what_was_in_flight(tmp_path):
    program, log, cache = tmp_path / "program.py", tmp_path / "log", tmp_path / "runs"
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
    output = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    assert output.strip() == str([width * 10 + seed for width in range(1, 6) for seed in (0, 1)])
    assert len(lines(log)) == started + 10 - kept  # nothing that was kept ran again
    print(f"killed after {kept} of 10 runs: lost 0, repeated {started - kept}, which were in flight")


def small_model(seed, latent_dim, x):
    import keras

    keras.utils.set_random_seed(seed)
    model = aelib.SimpleAutoencoder(latent_dim)
    model.compile()
    model.fit(x, epochs=2, batch_size=50, verbose=0)
    return {"mse": aelib.mean_squared_error(x, model.predict(x)), "process": os.getpid()}


@pytest.mark.slow
def test_the_same_call_on_a_dask_cluster_gives_the_same_table_even_if_a_worker_is_killed(images):
    import dask
    from distributed import Client, LocalCluster

    dask.config.set({"distributed.worker.daemon": False})
    arguments = (small_model, {"latent_dim": [2, 4, 6, 8]}, (0, 1, 2), {"x": images[:500]})
    here = aelib.sweep(*arguments, n_jobs=2)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        Client(cluster) as client,
        joblib.parallel_config("dask", wait_for_workers_timeout=60),
    ):
        pids = list(client.run(os.getpid).values())
        killer = subprocess.Popen(["bash", "-c", f"sleep 6; kill -9 {pids[0]}"])
        there = aelib.sweep(*arguments)
        assert killer.wait() == 0
    pd.testing.assert_frame_equal(here[["latent_dim", "seed", "mse"]], there[["latent_dim", "seed", "mse"]])
    assert not set(here.process) & set(there.process)
