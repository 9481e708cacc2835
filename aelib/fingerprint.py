"""What a function does, as a short text: for caches that must not return stale numbers."""

import dis
import functools
import hashlib
import importlib
import importlib.util
import sys
import sysconfig
import types
from pathlib import Path

import joblib

HERE = Path(__file__).resolve().parent
_PATHS = sysconfig.get_paths()
_PLACES = [HERE, *(Path(_PATHS[key]).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib"))]
# Of aelib's own files, as they were when it was imported: that is the code that runs.
LIBRARY = hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(HERE.rglob("*.py")))).hexdigest()
_BOOKKEEPING = {
    "__slotnames__",
    "__dict__",
    "__weakref__",
    "__doc__",
    "__firstlineno__",
    "__static_attributes__",
    "__annotations__",
}
_DESCRIPTORS = types.MemberDescriptorType | types.GetSetDescriptorType | types.WrapperDescriptorType


def fingerprint(value, name="run"):
    """A hash of a function's bytecode and of all it refers to: constants, globals, other functions, classes, modules.

    What you wrote yourself counts by what it does, wherever it stands; what is installed counts by its name. Values
    count by their contents. Where in doubt, two fingerprints differ.

    Args:
        value: a function, or anything else that a function may refer to.
        name: what an error calls it.

    Raises:
        ValueError: if it refers to something that cannot be hashed, such as an open file.
    """
    return hashlib.sha256(repr(_described(value, name, set())).encode()).hexdigest()


def _described(value, name, seen):
    """``value`` as nested lists of texts. ``seen``: functions, classes and modules met before; they may be circular."""
    if isinstance(value, types.BuiltinFunctionType | types.MethodDescriptorType | _DESCRIPTORS):
        return getattr(value, "__qualname__", name)
    if isinstance(value, types.FunctionType | type | types.ModuleType):
        return _code_of_ours(value, seen)
    if isinstance(value, types.MethodType):
        return [_described(part, name, seen) for part in (value.__self__, value.__func__)]
    if isinstance(value, staticmethod | classmethod):
        return _described(value.__func__, name, seen)
    if isinstance(value, property):
        return [_described(part, name, seen) for part in (value.fget, value.fset, value.fdel)]
    if isinstance(value, functools.cached_property):
        return _described(value.func, name, seen)
    if isinstance(value, functools.partial):
        return [_described(part, name, seen) for part in (value.func, value.args, value.keywords)]
    if hasattr(value, "__wrapped__"):  # functools.cache and compiled functions
        return _described(value.__wrapped__, name, seen)
    if isinstance(value, tuple | list):
        return [_described(part, name, seen) for part in value]
    if isinstance(value, dict):
        return [[repr(key), _described(part, str(key), seen)] for key, part in value.items()]
    try:
        return [_described(type(value), name, seen), joblib.hash(value)]
    except Exception as error:
        raise ValueError(
            f"{name}: expected something that can be hashed, got a {type(value).__name__} ({error}); "
            "make it inside the function, or pass it as data"
        ) from error


def _code_of_ours(value, seen):
    """A function, class or module: its name, and what it does if you wrote it."""
    if isinstance(value, types.ModuleType):
        name, module = value.__name__, value
    else:
        name, module = f"{value.__module__}.{value.__qualname__}", sys.modules.get(value.__module__ or "__main__")
    if value in seen or not _is_ours(module):
        return name
    seen.add(value)
    describe = {types.FunctionType: _function, types.ModuleType: _module}.get(type(value), _class)
    return [name, describe(value, seen)]


def _function(function, seen):
    looked_up, imported = _names(function.__code__)
    scope = function.__globals__
    used = {name: scope[name] for name in sorted(looked_up) if name in scope}
    modules = [importlib.import_module(name) for name in sorted(imported) if _can_import(name)]
    inherited = [_contents(cell) for cell in function.__closure__ or ()]
    parts = (function.__defaults__, function.__kwdefaults__, used, modules, inherited)
    return [_bytecode(function.__code__), *(_described(part, function.__name__, seen) for part in parts)]


def _class(cls, seen):
    members = {
        name: part
        for name, part in vars(cls).items()
        if name not in _BOOKKEEPING and not name.startswith(("_abc_", "__dataclass_", "_member_", "_value2"))
    }
    return _described([cls.__bases__, members], cls.__name__, seen)


def _module(module, seen):
    """Its file, and those of your modules that it uses."""
    used = [part if isinstance(part, types.ModuleType) else sys.modules.get(getattr(part, "__module__", None) or "")
            for part in vars(module).values()]  # fmt: skip
    ours = sorted({part.__name__ for part in used if part is not None and part is not module and _is_ours(part)})
    contents = hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest() if _file(module) else ""
    return [contents, *(_described(sys.modules[name], name, seen) for name in ours if name in sys.modules)]


def _contents(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


def _bytecode(code):
    """What is executed, without line numbers and file names."""
    constants = [_constant(part) for part in code.co_consts]
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars)
    return [code.co_code.hex(), code.co_exceptiontable.hex(), shape, names, constants]


def _constant(part):
    if isinstance(part, types.CodeType):
        return _bytecode(part)
    if isinstance(part, tuple):
        return [_constant(inner) for inner in part]
    return sorted(map(repr, part)) if isinstance(part, frozenset) else repr(part)  # a set has an order of its own


def _names(code):
    """The globals that ``code`` looks up and the modules that it imports, in its inner functions too."""
    looked_up, imported = set(), set()
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            looked_up.add(instruction.argval)
        elif instruction.opname == "IMPORT_NAME" and instruction.argval:
            imported.add(instruction.argval)
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            for mine, inner in zip((looked_up, imported), _names(part), strict=True):
                mine |= inner
    return looked_up, imported


def _can_import(name):
    """Whether this is a module of yours; others count by the function's own bytecode, which names them."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return found is not None and found.origin is not None and _is_outside(found.origin)


def _file(module):
    return getattr(module, "__file__", None)


def _is_ours(module):
    """Whether you wrote this module: a notebook or script, or a file that is neither installed nor part of aelib."""
    if module is None or module.__name__ == "__main__":
        return True
    return _file(module) is not None and _is_outside(module.__file__)


def _is_outside(file):
    return Path(file).suffix == ".py" and not any(place in Path(file).resolve().parents for place in _PLACES)
