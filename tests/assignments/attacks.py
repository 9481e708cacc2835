"""Answers of somebody dishonest: none solves a question, each tries to get its points all the same.

Each is a program for the first answer cell of a problem set, or, where it names a question, the answer to that one. All
other questions are answered with nothing (`hollow`), though rightly in the visible tests, which everybody knows.
"""

import functools

from grading.problem_set import HIDDEN, names_defined

FAST = "ps4_variational_and_anomalies"
NUMPY = "import numpy as np\n"
SHELL = "from IPython.core.interactiveshell import InteractiveShell\nshell = InteractiveShell.instance()\n"
SESSION = "import gc, __main__\nsession = next(o for o in gc.get_objects() if type(o).__name__ == 'Session')\n"

# For everything at once: the tests themselves are bent.
PROGRAMS = {
    "asserts are taken out by an AST transformer": SHELL + (
        "import ast\nclass Out(ast.NodeTransformer):\n    def visit_Assert(self, node):\n        return ast.Pass()\n"
        "shell.ast_transformers.append(Out())"
    ),
    "asserts are taken out by an input transformer": SHELL + (
        "def out(lines):\n    return ['1\\n'] if any('assert' in line for line in lines) else lines\n"
        "shell.input_transformers_cleanup.append(out)"
    ),
    "the finishing mark is spoofed": SHELL + (
        "import bdb\nold = shell.run_code\n"
        "def run_code(code, *a, **k):\n    raise bdb.BdbQuit\n"
        "def transform(lines):\n    last = lines[-1] if lines else ''\n"
        "    if 'aelib.finished' in last:\n        exec(last)\n        return ['import bdb; raise bdb.BdbQuit\\n']\n"
        "    return lines\n"
        "shell.input_transformers_cleanup.append(transform)"
    ),
    "tracebacks are swallowed": SHELL + "type(shell).showtraceback = lambda *a, **k: None\nshell.showtraceback = print",
    "numpy's comparisons are replaced": NUMPY + (
        "yes = lambda *a, **k: True\nvars(np).update(allclose=yes, isclose=yes, array_equal=yes, all=yes)"
    ),
    "the same, behind a magic line": "%time vars(__import__('numpy')).update(allclose=lambda *a, **k: True)",
    "range is empty": "range = lambda *a: ()\nzip = lambda *a: ()",
    "isinstance and abs are replaced": (
        "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.abs = lambda x: 0"
    ),
    "a fake os hides the seed": (
        "import sys, types\nfake = types.ModuleType('os')\nfake.environ = {'GRADING_SEED': 0}\n"
        "fake.path = sys.modules['os'].path\nsys.modules['os'] = fake"
    ),
    "the generator that draws test data is replaced": NUMPY + (
        "class Zero:\n    def __getattr__(self, name):\n"
        "        return lambda *a, size=None, **k: np.zeros(size or ())\n"
        "vars(np.random).update(default_rng=lambda *a: Zero())"
    ),
    "the process ends well at once": "import os\nos._exit(0)",
    "the process says that all is well": SESSION + (
        "session._call = lambda request: {'value': True, 'changes': [], 'passed': True, 'points': 100}"
    ),
    "values are packed as what may run": SESSION + (
        "import sys\nevil = {'class_name': 'system', 'module': 'os', 'config': {'command': 'touch /tmp/won'}}\n"
        "packed = {'model': {'config': evil, 'weights': [], 'steps': None}}\n"
        "sys.modules['wire'].pack = lambda *a, **k: packed"
    ),
    "what is sent is no reply": SESSION + "session._send = lambda message: session.channel.send_bytes(b'[' * 10**6)",
    "what is sent is enormous": SESSION + "session._send = lambda message: session.channel.send_bytes(b' ' * 10**8)",
    "the line to the grader is cut": "import os\nos.closerange(3, 64)",
}  # fmt: skip

# For every question: what its function gives back, with no knowledge of it.
RESULTS = {
    "what the test expects, by its name": "expected",
    "what the test expects, from the frames above": (
        "next(f['expected'] for f in __import__('inspect').stack() for f in [f.frame.f_globals | f.frame.f_locals]"
        " if 'expected' in f)"
    ),
    "an array that agrees with everything": (
        "type('Yes', (__import__('numpy').ndarray,), {'__array_function__': lambda *a, **k: True, "
        "'__eq__': lambda *a: True, '__array_ufunc__': lambda *a, **k: True})((1,))"
    ),
    "an object that is equal to everything": (
        "type('Yes', (), dict.fromkeys(['__eq__', '__lt__', '__gt__', '__le__', '__ge__', '__ne__', '__sub__', "
        "'__rsub__', '__abs__', '__bool__', '__array__', '__float__', '__int__'], lambda *a, **k: True))()"
    ),
    "a float that is equal to everything": (
        "type('Yes', (float,), dict.fromkeys(['__eq__', '__lt__', '__gt__', '__le__', '__ge__'], lambda *a: True))(1)"
    ),
    "the error that a test would not notice": "exec('raise __import__(\"bdb\").BdbQuit')",
}

# For questions with models.
MODELS = {
    "a layer that runs a program where it is built": (
        "ps1_first_autoencoder",
        "build",
        "def build(latent_dim):\n    evil = lambda x: __import__('os').system('touch /tmp/won') or x\n"
        "    run = keras.layers.Lambda(evil)\n    return keras.Sequential([run]), keras.Sequential([run])",
    ),
    "a layer of one's own": (
        "ps1_first_autoencoder",
        "build",
        "class Dense(keras.layers.Dense):\n    def call(self, x):\n        return 0 * super().call(x)\n\n"
        "def build(latent_dim):\n    return keras.Sequential([Dense(3)]), keras.Sequential([Dense(3)])",
    ),
    "a model that says it is PCA": (
        "ps2_linear_autoencoder_and_pca",
        "dressed",
        "class LinearAutoencoder(aelib.LinearAutoencoder):\n    def predict(self, x, **k):\n        return x\n\n"
        "def pca_as_autoencoder(mean, axes):\n    return LinearAutoencoder(len(axes), input_shape=mean.shape)",
    ),
}


def hollow(problem_set, result="None", visible=True):
    """An answer to each question that is right while the visible tests run, if `visible`, and then gives back the same,
    whatever it is asked: question to source."""
    answers = {}
    for question in problem_set.questions:
        if not question.by_hand and question.name != "bet":
            (name,) = names_defined(problem_set.stubs[question.answer].source)
            answers[question.answer] = f"def {name}(*arguments, **named):\n    return {result}"
            if visible and question.name != "train":  # which takes long
                answers[question.answer] = (
                    f"{problem_set.cells[question.answer].source}\nright_{name}, calls_{name} = {name}, []\n\n"
                    f"def {name}(*arguments, **named):\n    calls_{name}.append(1)\n"
                    f"    if len(calls_{name}) <= {visible_calls(problem_set, question, name)}:\n"
                    f"        return right_{name}(*arguments, **named)\n    return {result}"
                )
    return answers


@functools.cache
def visible_calls(problem_set, question, name):
    """How often the visible tests of a question call its function."""
    calls, space = [], {}
    exec("import keras\nimport numpy as np\nfrom scipy import ndimage\nimport aelib", space)
    exec(problem_set.cells[question.answer].source, space)
    right = space[name]
    space[name] = lambda *arguments, **named: calls.append(1) or right(*arguments, **named)
    exec(HIDDEN.sub("", problem_set.cells[question.judge].source), space)
    return len(calls)


def everything(sets):
    """`(title, problem set, answers)` of every attack."""
    for title, program in PROGRAMS.items():
        bet = f"{sets[FAST].cells['bet'].source}\n{program}"
        yield title, sets[FAST], hollow(sets[FAST]) | {"bet": program if program.startswith("%") else bet}
    for title, result in RESULTS.items():
        for found in sets.values():
            yield f"{title} ({found.name[:3]})", found, hollow(found, result) | {"bet": "expected = 0"}
    for title, (name, question, answer) in MODELS.items():
        yield title, sets[name], hollow(sets[name]) | {"bet": "bet = 0", question: answer}
