"""Look for wrong answers that get full marks: `python tools/assignments/mutants.py` spoils right ones, bit by bit.

Each autograded question's reference and first alternative is changed in one place at a time: another operator, another
constant, an argument dropped, a statement deleted, the given array changed, the given generator ignored. Such a mutant
must fail the tests of its question. One that passes is either right after all, or shows that a test is missing.

What is right after all is found in two ways. `# %% QUESTION | inputs` in `answers/NAME.py` defines `inputs(rng)`,
which yields arguments that the question allows, a tuple for each call: a mutant that answers them all as the reference
does is equivalent. Where results may differ a little, or are models without weights, the cell defines `same(one, two)`
too. And a mutant that is listed as `# %% QUESTION | alternative | why it is right` is what it is called.

    python tools/assignments/mutants.py [--course FOLDER] [--only QUESTION ...] [--quick] [--equivalent] [NAME ...]
"""

import argparse
import ast
import contextlib
import copy
import io
import signal
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from answers import answers, inputs
from grading import execution
from grading.problem_set import ASSIGNMENTS, names_defined, problem_sets

SEEDS = 3  # of the hidden tests; a margin that is too wide for one of them is too wide
DRAWS = 12  # of `inputs`
LONGEST = 30  # seconds for one run of the tests
FATES = ("caught", "equivalent", "listed", "survivor")
SLOW = 1.0  # seconds; tests that take longer, because they train, see one seed and the reference's mutants alone

SWAPPED = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add, ast.Mult), ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.Sub), ast.FloorDiv: (ast.Div, ast.Mult), ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult, ast.Add), ast.MatMult: (ast.Mult,),
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.GtE), ast.NotEq: (ast.Eq,),
}  # fmt: skip
RENAMED = {
    "min": "max", "max": "min", "mean": "sum", "sum": "mean", "median": "mean", "argmin": "argmax", "argmax": "argmin",
    "argsort": "argmin", "var": "std", "std": "var", "exp": "expm1", "log": "log10", "log10": "log", "sqrt": "square",
    "square": "sqrt", "abs": "square", "zeros": "ones", "ones": "zeros", "cov": "corrcoef", "inv": "transpose",
    "degrees": "radians", "arccos": "arcsin", "svd": "qr", "median_filter": "uniform_filter", "normal": "uniform",
    "standard_normal": "random", "quantile": "percentile", "int": "round", "round": "int", "Adam": "SGD",
    "flatnonzero": "argsort", "Flatten": "Identity",
}  # fmt: skip


class TooSlowError(BaseException):
    """A mutant that does not end. No `except Exception` of an answer or a test swallows it."""


# Running answers


class Stage:
    """A problem set's tests and answers in this process: students in one namespace, the judge in another.

    As when grading, the judge's namespace holds what the setup cell defines and the functions that are asked for.
    """

    def __init__(self, problem_set):
        self.problem_set, self.setup = problem_set, execution.given(problem_set)

    def asked(self, question):
        """The names that an answer must define."""
        return names_defined(self.problem_set.cells[question].source)

    def answer(self, question, source):
        """Name to value of what an answer defines."""
        space = dict(self.setup)
        exec(compile(source, "the answer", "exec"), space)
        return {name: space[name] for name in self.asked(question)}

    def verdict(self, question, source, seed=0, wrap=lambda function: function):
        """What the tests say about an answer, `""` if nothing. `wrap` gets its functions before the judge does."""
        try:
            with quiet(), time_limit(), execution.grading(seed):
                found = {name: wrap(v) if callable(v) else v for name, v in self.answer(question, source).items()}
                for judge in self.problem_set.judges[question]:
                    tests = self.problem_set.cells[judge].source
                    exec(compile(tests, "the tests", "exec"), dict(self.setup) | found)
        except (Exception, SystemExit, TooSlowError) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def places(self, question, source, *kinds):
        """For each type, which parameters of an answer's function get such a thing from the tests: a list of names."""
        names, found = parameters(source), [set() for _ in kinds]

        def watch(function):
            def watched(*given, **named):
                for name, value in [*zip(names, given, strict=False), *named.items()]:
                    for parameters_of_kind, kind in zip(found, kinds, strict=True):
                        if isinstance(value, kind):
                            parameters_of_kind.add(name)
                return function(*given, **named)

            return watched

        complaint = self.verdict(question, source, wrap=watch)
        if complaint:
            raise ValueError(f"{question}: a right answer does not pass: {complaint}")
        return [[name for name in names if name in some] for some in found]


@contextlib.contextmanager
def quiet():
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(action="ignore"),
    ):
        yield


@contextlib.contextmanager
def time_limit(seconds=LONGEST):
    def stop(*_):
        raise TooSlowError(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# Changing them


def mutants(source, arrays=(), generators=()):
    """Each way to spoil an answer: `(new source, line of the old one)`, no source twice.

    `arrays` and `generators` are the parameters that get such things.
    """
    tree = bare(source)
    seen = {ast.unparse(tree)}
    for new, line in [*_changed_places(tree, parameters(source), generators), *_changed_bodies(tree, arrays)]:
        if new not in seen:
            seen.add(new)
            yield new, line


def bare(source):
    """The tree of an answer, without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return tree


def parameters(source):
    """The names of the arguments of the function that an answer defines."""
    function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return [argument.arg for argument in function.args.args]


def _changed_places(tree, names, generators):
    """Sources with another expression in one place. The tree is changed for each, and mended afterwards."""
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            places = [(value, i) for i in range(len(value))] if isinstance(value, list) else [(vars(node), field)]
            for holder, key in places:
                old = holder[key]
                if isinstance(old, ast.expr):
                    for new in _variants(old, names, generators):
                        holder[key] = new
                        yield ast.unparse(ast.fix_missing_locations(tree)), old.lineno
                    holder[key] = old
        for pieces in (getattr(node, name, None) for name in ("args", "keywords", "elts", "ifs")):
            if isinstance(pieces, list) and not isinstance(node, ast.Module):
                for i, piece in enumerate(list(pieces)):
                    del pieces[i]
                    yield ast.unparse(tree), node.lineno if hasattr(node, "lineno") else 1
                    pieces.insert(i, piece)
                for i in range(len(pieces) - 1):
                    pieces[i], pieces[i + 1] = pieces[i + 1], pieces[i]
                    yield ast.unparse(tree), node.lineno if hasattr(node, "lineno") else 1
                    pieces[i], pieces[i + 1] = pieces[i + 1], pieces[i]


def _variants(node, names, generators):
    """What may stand in the place of an expression."""
    match node:
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float() as number):
            for other in (0, 1, -1, 2 * number, number + 1, number - 1):
                if other != number:
                    yield _expression(repr(other))
        case ast.Constant(value=str()):
            yield ast.Constant(None)
        case ast.Name(id=name, ctx=ast.Load()):
            if name in RENAMED:
                yield _expression(RENAMED[name])
            if name in names:
                yield from (_expression(other) for other in names if other != name)
            if name in generators:
                yield from map(_expression, ("np.random.default_rng()", "np.random.default_rng(0)", "np.random"))
        case ast.Attribute(value=value, attr=name):
            if name in RENAMED:
                yield ast.Attribute(value, RENAMED[name], ast.Load())
            if name == "T":
                yield value
        case ast.BinOp(left=left, op=op, right=right):
            yield from (left, right, ast.BinOp(right, op, left))
            yield from (ast.BinOp(left, new(), right) for new in SWAPPED.get(type(op), ()))
            if isinstance(op, ast.FloorDiv):  # rounded up
                yield ast.UnaryOp(ast.USub(), ast.BinOp(ast.UnaryOp(ast.USub(), left), op, right))
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            yield from (ast.Compare(left, [new()], [right]) for new in SWAPPED.get(type(op), ()))
            yield ast.Constant(True)
        case ast.Call(func=func, args=arguments):
            yield from arguments[:1]
            if isinstance(func, ast.Attribute):
                yield func.value
            if isinstance(func, ast.Name) and func.id == "int" and arguments:  # rounded up
                yield _expression(f"int(np.ceil({ast.unparse(arguments[0])}))")
        case ast.Subscript(value=value, slice=place, ctx=ast.Load()):
            yield value
            if isinstance(place, ast.Slice):
                for at in ("lower", "upper", "step"):
                    bound = getattr(place, at)
                    if bound is not None:
                        for other in ("None", f"{ast.unparse(bound)} + 1", f"{ast.unparse(bound)} - 1"):
                            new = ast.Slice(place.lower, place.upper, place.step)
                            setattr(new, at, _expression(other))
                            yield ast.Subscript(value, new, ast.Load())


def _changed_bodies(tree, arrays):
    """Sources with another statement: one deleted, an early return, an argument that is cut or changed."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or isinstance(node, ast.Module):
            continue
        for i, old in enumerate(list(body)):
            body[i] = ast.Pass()
            yield ast.unparse(tree), old.lineno
            if isinstance(old, ast.AugAssign):
                body[i] = ast.Assign([old.target], old.value, lineno=old.lineno)
                yield ast.unparse(tree), old.lineno
                for new in SWAPPED.get(type(old.op), ()):
                    body[i] = ast.AugAssign(old.target, new(), old.value)
                    yield ast.unparse(tree), old.lineno
            body[i] = old
        if isinstance(node, ast.FunctionDef):
            first = [f"return {argument.arg}" for argument in node.args.args] + ["return"]
            for name in arrays:
                first += [f"{name} = {name}[1:]", f"{name} = {name}[:-1]"]
                # Right in what it returns, wrong in what it leaves behind.
                change = "given[...] = ~given if given.dtype == bool else given + 1"
                first.append(f"{name}, given = {name}.copy(), {name}\n{change}")
            for program in first:
                node.body = [*ast.parse(program).body, *body]
                yield ast.unparse(tree), node.lineno
            node.body = body


def _expression(source):
    return ast.parse(source, mode="eval").body


# Judging them


def same(one, two):
    """Whether two results are the same but for rounding."""
    import keras
    import numpy as np

    if isinstance(one, keras.Model) and isinstance(two, keras.Model):
        settings = [
            (float(m.optimizer.learning_rate), int(m.optimizer.iterations)) if m.optimizer else None for m in (one, two)
        ]
        return type(one) is type(two) and settings[0] == settings[1] and same(one.get_weights(), two.get_weights())
    if isinstance(one, tuple | list) and isinstance(two, tuple | list):
        return len(one) == len(two) and all(map(same, one, two))
    if callable(one) or isinstance(one, np.random.Generator) or one is None:
        return type(one) is type(two)
    try:
        return np.shape(one) == np.shape(two) and bool(np.allclose(one, two, rtol=1e-6, atol=1e-9, equal_nan=True))
    except TypeError:
        return False


def equivalent(stage, question, reference, mutant, program, draws=DRAWS):
    """Whether a mutant answers all that `inputs` draws as the reference does, and leaves its arguments as that does."""
    import keras
    import numpy as np

    space = dict(stage.setup)
    exec(program, space)
    close = space.get("same", same)
    (name,) = stage.asked(question)
    both = [stage.answer(question, source)[name] for source in (reference, mutant)]
    for seed in range(draws):
        for arguments in space["inputs"](np.random.default_rng(seed)):
            results = []
            for function in both:
                keras.utils.set_random_seed(seed)
                given = copy.deepcopy(arguments)
                try:
                    with quiet(), time_limit():
                        results.append((function(*given), given))
                except (Exception, TooSlowError):
                    return False
            if not close(results[0][0], results[1][0]) or not same(results[0][1], results[1][1]):
                return False
    return True


def judged(stage, question, listed, program, quick=False):
    """Every mutant of a question: `(line of source, mutant, fate)`. Its fate is one of `FATES`."""
    import numpy as np

    right = [answer.source for answer in listed if answer.kind in ("reference", "alternative")]
    known = {ast.unparse(bare(source)) for source in right}
    stage.verdict(question, right[0])  # imports what it needs
    started = time.monotonic()
    kinds = [stage.places(question, right[0], np.ndarray, np.random.Generator)]
    slow = time.monotonic() - started > SLOW
    if slow and quick:
        return
    made = set()
    kinds += [] if slow else [stage.places(question, right[1], np.ndarray, np.random.Generator)]
    for source, (arrays, generators) in zip(right, kinds, strict=False):
        lines = source.splitlines()
        for mutant, line in mutants(source, arrays, generators):
            if mutant in made:
                continue
            made.add(mutant)
            text = lines[line - 1].strip()
            if mutant in known:
                yield text, mutant, "listed"
            elif any(stage.verdict(question, mutant, seed) for seed in range(1 if slow else SEEDS)):
                yield text, mutant, "caught"
            elif program and equivalent(stage, question, source, mutant, program, 1 if slow else DRAWS):
                yield text, mutant, "equivalent"
            else:
                yield text, mutant, "survivor"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="problem sets, all by default")
    parser.add_argument("--course", type=Path, default=ASSIGNMENTS, help="the folder that holds source/ and answers/")
    parser.add_argument("--only", nargs="*", default=(), help="questions, all by default")
    parser.add_argument("--equivalent", action="store_true", help="show the equivalent mutants too")
    parser.add_argument("--quick", action="store_true", help="leave out questions whose tests train for long")
    chosen = parser.parse_args(arguments)
    survivors = 0
    for name, problem_set in problem_sets(chosen.course.expanduser().resolve()).items():
        if chosen.names and name not in chosen.names:
            continue
        print(f"\n{problem_set.title}\n  {'':14s}  made  {'  '.join(FATES)}", flush=True)
        path, stage = chosen.course / "answers" / f"{name}.py", Stage(problem_set)
        programs = inputs(path)
        for question, listed in answers(problem_set, path).items():
            if chosen.only and question not in chosen.only:
                continue
            if not isinstance(bare(listed[0].source).body[-1], ast.FunctionDef):
                print(f"  {question:14s}  no function: whatever is honest is right", flush=True)
                continue
            found = list(judged(stage, question, listed, programs.get(question), chosen.quick))
            row = "".join(f"{sum(fate == which for *_, fate in found):{len(which) + 2}d}" for which in FATES)
            print(f"  {question:14s}{len(found):6d}{row if found else '  left out: it takes long'}", flush=True)
            for line, mutant, fate in found:
                survivors += fate == "survivor"
                if fate == "survivor" or (chosen.equivalent and fate == "equivalent"):
                    print(f"    {fate}, was: {line}", *mutant.splitlines(), sep="\n      | ", flush=True)
    if survivors:
        sys.exit(f"{survivors} mutants pass the tests and are not equivalent to the reference.")


if __name__ == "__main__":
    main()
