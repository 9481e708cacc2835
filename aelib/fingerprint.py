"""What a function does, as a short text: for caches that must not return stale numbers."""

import functools
import hashlib
import sys
import sysconfig
import types
from pathlib import Path

import joblib

HERE = Path(__file__).resolve().parent
_PATHS = sysconfig.get_paths()
_PLACES = [HERE, *(Path(_PATHS[key]).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib"))]


def fingerprint(function):
    """A hash of ``function``'s bytecode and of all it refers to: constants, globals, other functions, classes.

    What you wrote yourself counts by what it does, wherever it stands; what is installed counts by its name.

    Raises:
        ValueError: if it refers to something that cannot be hashed, such as an open file.
    """
    return joblib.hash(_described(function, "run", set()))


@functools.cache
def library_fingerprint():
    """A hash of aelib's own files."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(HERE.rglob("*.py")))).hexdigest()


def _described(value, name, seen):
    """``value`` as nested lists of texts. ``seen``: functions and classes met on the way, which may call each other."""
    value = getattr(value, "__wrapped__", value)  # what functools.cache and its like decorate
    if isinstance(value, types.ModuleType):
        ours = _is_ours(value)
        return [value.__name__, hashlib.sha256(Path(value.__file__).read_bytes()).hexdigest() if ours else ""]
    if isinstance(value, types.BuiltinFunctionType | types.FunctionType | type):
        qualified = f"{value.__module__}.{value.__qualname__}"
        if value in seen or not _is_ours(sys.modules.get(value.__module__)):
            return qualified
        seen.add(value)
        return [qualified, (_class if isinstance(value, type) else _function)(value, seen)]
    if isinstance(value, types.MethodType | staticmethod | classmethod):
        return _described(value.__func__, name, seen)
    if isinstance(value, functools.partial):
        return [_described(part, name, seen) for part in (value.func, value.args, value.keywords)]
    if isinstance(value, tuple | list):
        return [_described(part, name, seen) for part in value]
    if isinstance(value, dict):
        return [[repr(key), _described(part, key, seen)] for key, part in value.items()]
    try:
        return joblib.hash(value)
    except Exception as error:
        raise ValueError(
            f"run: expected it to refer only to what can be hashed, got {name}, a {type(value).__name__} ({error}); "
            "make it inside the function or pass it as data"
        ) from error


def _function(function, seen):
    code, scope = function.__code__, function.__globals__
    used = {name: scope[name] for name in sorted(_names(code)) if name in scope}
    inherited = [cell.cell_contents for cell in function.__closure__ or ()]
    parts = (function.__defaults__, function.__kwdefaults__, used, inherited)
    return [_bytecode(code), *(_described(part, function.__name__, seen) for part in parts)]


def _class(cls, seen):
    bookkeeping = {"__dict__", "__weakref__", "__doc__", "__firstlineno__", "__static_attributes__", "__annotations__"}
    members = {name: part for name, part in vars(cls).items() if name not in bookkeeping}
    return _described([cls.__bases__, members], cls.__name__, seen)


def _bytecode(code):
    """What is executed, without line numbers and file names."""
    constants = [_bytecode(part) if isinstance(part, types.CodeType) else repr(part) for part in code.co_consts]
    return [code.co_code.hex(), code.co_names, code.co_varnames, constants]


def _names(code):
    """The names of all globals that ``code`` may look up, in its inner functions too."""
    inner = (_names(part) for part in code.co_consts if isinstance(part, types.CodeType))
    return set(code.co_names).union(*inner)


def _is_ours(module):
    """Whether you wrote this module: a notebook or script, or a file that is neither installed nor part of aelib."""
    if module is None or module.__name__ == "__main__":
        return True
    file = getattr(module, "__file__", None)
    return file is not None and not any(place in Path(file).resolve().parents for place in _PLACES)
