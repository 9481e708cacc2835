"""One function, many settings, several seeds: a table with one tidy row per run."""

import dis
import functools
import hashlib
import inspect
import json
import multiprocessing
import operator
import os
import sys
import tempfile
import threading
import time
import traceback
import types
import warnings
from pathlib import Path

import joblib
import keras
import numpy as np
import pandas as pd
import scipy
import sklearn
from joblib.externals.loky import get_reusable_executor
from sklearn.model_selection import ParameterGrid
from tqdm import tqdm

_ONE_AT_A_TIME = threading.RLock()  # random seeds belong to a process, so a process has one run at a time
_RESERVED = {"seed", "seconds", "error"}
# Of aelib's own files, as they were when it was imported: that is the code that runs.
_SOURCES = [path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py"))]
_LIBRARY = hashlib.sha256(b"\0".join(_SOURCES)).hexdigest()
# TensorFlow keeps some memory of every model. joblib replaces a process that has grown, which is welcome, and warns.
warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given", category=UserWarning)


def sweep(run, grid, seeds=(0, 1, 2), data=None, n_jobs=None, cache=None):
    """Call ``run`` at every point of a grid and from every seed.

    Keras is seeded before each run. A run that fails does not stop the others: its row says why, and a warning names
    its parameters.

    With ``cache``, finished runs are kept on disk, so that the same call continues where an interrupted one stopped.
    What is kept counts only for the same data, parameters, seed, packages and aelib, and the same code: of ``run``, and
    of the functions, classes and values that it names and that stand in the same notebook or file. What it uses from
    other files of yours does not count: after a change there, empty the folder or name another.

    The same call runs on a Dask cluster, whose workers need aelib::

        dask.config.set({"distributed.worker.daemon": False})  # before the workers start
        with joblib.parallel_config("dask"):
            table = aelib.sweep(run, grid, data=data)

    The first line lets every worker give a run a process of its own. Without it the run shares Python's random numbers
    with Dask's threads, and now and then its result is not that of the same seed elsewhere.

    Args:
        run: a function ``run(seed, **point, **data)`` that makes a model of its own and returns a dict of names to
            numbers (or short texts).
        grid: a dict of parameter name to list of values, or a list of such dicts, as for scikit-learn's
            ``ParameterGrid``.
        seeds: integers; ``keras.utils.set_random_seed`` gets them modulo 2**32.
        data: a dict of arrays that every run gets by name, to read and not to change. Several processes share them.
        n_jobs: how many processes, as in joblib: ``-1`` for one per core. By default what ``joblib.parallel_config``
            says, otherwise 1: this process, which can use a GPU alone.
        cache: a folder for finished runs, or ``None`` to keep none.

    Returns:
        A ``pandas.DataFrame``, in the order of the grid: the parameters, ``seed``, what ``run`` returned, ``seconds``
        (of the run when it ran), and ``error`` if a run failed.

    Raises:
        ValueError: if ``run`` does not take these arguments, two columns would have the same name, or something that
            ``run`` refers to cannot be compared with what it was, for ``cache``.
        RuntimeError: if no run succeeded; with the first one's traceback.

    Example:
        >>> def run(seed, latent_dim, x_train, x_test):
        ...     model = aelib.SimpleAutoencoder(latent_dim)
        ...     model.compile()
        ...     model.fit(x_train, verbose=0)
        ...     return {"mse": aelib.mean_squared_error(x_test, model.predict(x_test))}
        >>> arrays = {"x_train": data.x_train, "x_test": data.x_test}
        >>> table = aelib.sweep(run, {"latent_dim": [2, 8, 32]}, data=arrays, n_jobs=-1, cache="runs")
        >>> table.groupby("latent_dim").mse.agg(["mean", "min", "max"])
    """
    data, points = dict(data or {}), list(ParameterGrid(grid))
    try:
        seeds = [operator.index(seed) for seed in seeds]
    except TypeError as error:
        raise ValueError(f"seeds: expected integers, got {seeds!r}") from error
    if not seeds or not points:
        raise ValueError(f"seeds, grid: expected at least one seed and one point, got {seeds!r} and {grid!r}")
    if n_jobs == 0:
        raise ValueError("n_jobs: expected None, -1 or a number of processes of at least 1, got 0")
    tasks = [(point, seed) for point in points for seed in seeds]
    for point, seed in tasks:
        _check_arguments(run, point, seed, data)
    store = _Store(cache, run, data) if cache is not None else {}
    keys = [store.key(point, seed) for point, seed in tasks] if cache is not None else range(len(tasks))
    outcomes = {i: store[key] for i, key in enumerate(keys) if key in store}
    todo = {i: task for i, task in enumerate(tasks) if i not in outcomes}
    with _Progress(len(tasks), len(outcomes)) as progress:
        for i, outcome in _outcomes(run, todo, data, n_jobs):
            outcomes[i] = outcome
            if "error" not in outcome:
                store[keys[i]] = outcome
            progress.step(failed="error" in outcome)
    return _table(tasks, [outcomes[i] for i in range(len(tasks))])


def _check_arguments(run, point, seed, data):
    clash = _RESERVED & {*point, *data} or set(point) & set(data)
    if clash:
        raise ValueError(f"grid: expected names other than {sorted(_RESERVED | set(data))}, got {sorted(clash)}")
    try:
        inspect.signature(run).bind(seed=seed, **point, **data)
    except TypeError as error:
        names = ", ".join(["seed", *point, *data])
        raise ValueError(f"run: expected a function of {names}, got one that does not fit: {error}") from error


def _settings():
    """What a helper process must know of Keras here, besides its backend."""
    return keras.config.dtype_policy().name, keras.config.floatx(), keras.config.image_data_format()


def _one(*task):
    """One run, in this process or, where other threads would draw from the same random numbers, in a child of it."""
    if threading.current_thread() is threading.main_thread() or multiprocessing.current_process().daemon:
        return _one_here(*task)
    with _ONE_AT_A_TIME:
        return get_reusable_executor(max_workers=1).submit(_one_here, *task).result()


def _one_here(i, run, point, seed, settings, data):
    """``i``, and what ``run`` returned or why it failed."""
    with _ONE_AT_A_TIME:
        if settings != _settings():
            policy, floatx, image_data_format = settings
            keras.config.set_floatx(floatx)
            keras.config.set_dtype_policy(policy)
            keras.config.set_image_data_format(image_data_format)
        keras.utils.set_random_seed(seed % 2**32)
        started = time.perf_counter()
        try:
            result = _plain(run(seed=seed, **point, **_read_only(data)), {*point, *_RESERVED})
        except (Exception, SystemExit) as error:
            return i, {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        return i, {"result": result, "seconds": time.perf_counter() - started}


def _read_only(data):
    """Arrays that a run cannot change for the next one."""
    views = {name: value.view() for name, value in data.items() if isinstance(value, np.ndarray)}
    for view in views.values():
        view.flags.writeable = False
    return {**data, **views}


def _plain(result, taken):
    """Numbers of numpy and of the backends as numbers of Python, which any process and any file can hold."""
    if not isinstance(result, dict) or not result:
        raise ValueError(f"run: expected it to return a dict of names to numbers, got {result!r}")
    if taken & set(result):
        raise ValueError(f"run: expected it to return names other than {sorted(taken)}, got {sorted(result)}")
    plain = {}
    for name, value in result.items():
        if keras.ops.is_tensor(value):
            value = keras.ops.convert_to_numpy(value)
        plain[name] = value.item() if getattr(value, "ndim", None) == 0 else value
        if not isinstance(name, str) or not isinstance(plain[name], bool | int | float | str | None):
            raise ValueError(f"run: expected a text as name and a number or a text as {name!r}, got {value!r}")
    return plain


def _outcomes(run, todo, data, n_jobs):
    """Yield ``(i, outcome)`` as the runs finish. If a process dies, the runs it may have had are tried again alone."""
    waiting = dict(todo)
    while waiting:
        handed_out = []
        try:
            for i, outcome in _parallel(_calls(run, dict(waiting), data, handed_out), n_jobs):
                del waiting[i]
                yield i, outcome
        except Exception:  # of the pool: those of runs are caught where they happen
            if not handed_out:
                raise
            for i in [i for i in handed_out if i in waiting]:
                alone = {i: waiting.pop(i)}
                try:
                    yield from _parallel(_calls(run, alone, data, []), n_jobs)
                except Exception as error:
                    why = "".join(traceback.format_exception(error))
                    yield i, {"error": f"could not be sent, or its process died: {error!r}", "traceback": why}


def _calls(run, tasks, data, handed_out):
    """What the processes shall do. joblib asks for the next one when a process is free."""
    for i, (point, seed) in tasks.items():
        handed_out.append(i)
        yield joblib.delayed(_one)(i, run, point, seed, _settings(), data)


def _parallel(calls, n_jobs):
    """joblib, with the cores divided among the processes. TensorFlow and JAX learn their share from the environment."""
    pool = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1)
    share = str(max(1, joblib.cpu_count() // joblib.effective_n_jobs(n_jobs)))
    threads = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC")  # NPROC: JAX's
    wanted = dict.fromkeys(threads, share) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield from pool(calls)
    finally:
        for name in added:
            os.environ.pop(name, None)


class _Store:
    """Finished runs as JSON files, each written whole or not at all. Behaves like a dict."""

    def __init__(self, folder, run, data):
        self.folder = Path(folder).expanduser()
        self.folder.mkdir(parents=True, exist_ok=True)
        backend = sys.modules[keras.backend.backend()]
        packages = [f"{package.__name__} {package.__version__}" for package in (keras, np, sklearn, scipy, backend)]
        self.mine = {"__main__", getattr(run, "func", run).__module__}
        self.common = [_LIBRARY, packages, sys.version, _settings(), self._key(run, "run"), self._key(data, "data")]

    def _key(self, value, name):
        return joblib.hash(_described(value, name, self.mine, set()))

    def key(self, point, seed):
        return self._key([*self.common, point, seed], "grid")

    def _path(self, key):
        return self.folder / f"{key}.json"

    def __contains__(self, key):
        try:
            return "result" in self[key]
        except (OSError, ValueError):
            return False  # no such file, or a damaged one: run it again

    def __getitem__(self, key):
        return json.loads(self._path(key).read_text("utf-8"))

    def __setitem__(self, key, outcome):
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".part", delete=False, encoding="utf-8") as file:
            json.dump(outcome, file)
        Path(file.name).replace(self._path(key))


_PARTS = {  # of what wraps code, and of code itself, without its line numbers and file name
    functools.partial: ("func", "args", "keywords"),
    functools.cached_property: ("func",),
    property: ("fget", "fset", "fdel"),
    types.MethodType: ("__self__", "__func__"),
    types.CodeType: (
        *("co_code", "co_exceptiontable", "co_consts", "co_names", "co_varnames", "co_freevars"),
        *("co_flags", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount"),
    ),
}


def _described(value, name, mine, seen):
    """``value`` as nested texts: functions and classes of the modules ``mine`` by what they do, others by name."""

    def parts(*values):
        return [_described(part, name, mine, seen) for part in values]

    if isinstance(value, types.FunctionType | type):
        if value in seen or not (value.__module__ in mine or "<" in value.__qualname__):
            return f"{value.__module__}.{value.__qualname__}"
        seen.add(value)
        if isinstance(value, type):
            functions = {key for key, part in vars(value).items() if isinstance(part, types.FunctionType)}
            own = {key for key in vars(value) if not key.startswith(("__", "_abc_"))}  # the rest is Python's
            return parts(value.__bases__, {key: vars(value)[key] for key in functions | own})
        used = {key: value.__globals__[key] for key in _globals(value.__code__) if key in value.__globals__}
        inherited = [cell.cell_contents for cell in value.__closure__ or ()]
        return parts(value.__code__, value.__defaults__, value.__kwdefaults__, inherited, used)
    for kind, names in _PARTS.items():
        if isinstance(value, kind):
            return parts(*(getattr(value, part) for part in names))
    if isinstance(value, types.ModuleType):
        return value.__name__
    if isinstance(value, dict):
        return [[repr(key), _described(value[key], str(key), mine, seen)] for key in sorted(value, key=str)]
    if isinstance(value, list | tuple):
        return parts(*value)
    if isinstance(value, set | frozenset):  # its order is another one in another process
        return parts(*sorted(value, key=repr))
    if hasattr(value, "__wrapped__"):  # static and class methods, what functools.cache and tf.function return
        return parts(value.__wrapped__)
    try:
        return [*parts(type(value)), joblib.hash(value)]
    except Exception as error:
        raise ValueError(
            f"{name}: expected something that can be hashed, got a {type(value).__name__} ({error}); "
            "make it inside run, or pass it as data"
        ) from error


def _globals(code):
    """The names that ``code`` looks up outside, in its inner functions too."""
    names = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return names.union(*(_globals(part) for part in code.co_consts if isinstance(part, types.CodeType)))


class _Progress:
    """How far we are: one line that is updated in place, in a notebook as on a terminal."""

    def __init__(self, total, kept):
        self.total, self.kept, self.done, self.failed = total, kept, kept, 0
        self.started = time.monotonic()

    def __enter__(self):
        ipython = sys.modules.get("IPython")
        shell = ipython and ipython.get_ipython()
        if shell is not None and hasattr(shell, "kernel"):
            self.handle = ipython.display.display(self._line(), raw=True, display_id=True)
            self.bar = None
        else:
            self.bar = tqdm(total=self.total, initial=self.kept, unit="run", leave=False, disable=None)
        return self

    def step(self, failed):
        self.done, self.failed = self.done + 1, self.failed + failed
        if self.bar is not None:
            self.bar.update()
        else:
            self.handle.update(self._line(), raw=True)

    def _line(self):
        parts = [f"{self.done} of {self.total} runs", f"{time.monotonic() - self.started:.0f} s"]
        parts += [f"{self.kept} kept from before"] * bool(self.kept) + [f"{self.failed} failed"] * bool(self.failed)
        return {"text/plain": ", ".join(parts)}

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()


def _table(tasks, outcomes):
    failed = [(task, outcome) for task, outcome in zip(tasks, outcomes, strict=True) if "error" in outcome]
    if failed:
        (point, seed), first = failed[0]
        where = ", ".join(f"{name}={value!r}" for name, value in {**point, "seed": seed}.items())
        message = f"{len(failed)} of {len(tasks)} runs failed. The first, with {where}: {first['error']}"
        if len(failed) == len(tasks):
            raise RuntimeError(f"{message}\n{first['traceback']}")
        warnings.warn(message, stacklevel=3)
    rows = [
        {
            **point,
            "seed": seed,
            **outcome.get("result", {}),
            "seconds": outcome.get("seconds"),
            **({"error": outcome.get("error")} if failed else {}),
        }
        for (point, seed), outcome in zip(tasks, outcomes, strict=True)
    ]
    return pd.DataFrame(rows)
