"""Notebooks are executed several at once, and results are used again exactly where nothing they depend on changed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools" / "book"
sys.path.insert(0, str(TOOLS))
import execution  # noqa: E402
import threads  # noqa: E402
import timings  # noqa: E402
import verify  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder with a library of one line, and an empty store."""
    monkeypatch.setenv("AELIB_CACHE", str(tmp_path / "cache"))
    return new_clone(tmp_path / "clone", monkeypatch)


def new_clone(root, monkeypatch):
    (root / "aelib").mkdir(parents=True)
    (root / "aelib" / "models.py").write_text("x = 1\n", "utf-8")
    (root / "requirements.lock").write_text("numpy==2.4.0\n", "utf-8")
    monkeypatch.setattr(execution, "ROOT", root)
    return root


def write_notebook(path, *cells, text="# Title", tags=()):
    code = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text), *code]), path)
    return path


def run(*paths, data="drawn digits", **options):
    return execution.execute_all(paths, 60, data, **options)


def outputs(notebook):
    return "".join(output.get("text", "") for cell in execution.code(notebook) for output in cell.outputs)


def test_a_second_clone_takes_results_from_the_first_and_their_date_although_the_text_was_edited(
    clone, tmp_path, monkeypatch, capsys
):
    path = write_notebook(clone / "one.ipynb", "import os; print(os.getpid())")
    first = run(path)[0][path]
    second = new_clone(tmp_path / "second", monkeypatch)
    path = write_notebook(second / "one.ipynb", "import os; print(os.getpid())", text="# Another title", tags=["new"])
    again = run(path)[0][path]
    assert outputs(again) == outputs(first) != "" and again.metadata.run == first.metadata.run
    assert capsys.readouterr().out.splitlines()[-1] == "one.ipynb: kept from an earlier run"


def test_a_kept_result_that_a_new_run_does_not_print_is_found(clone, monkeypatch):
    monkeypatch.setattr(verify, "ROOT", clone)
    timed = "import time; print(f'took {time.time():.1f} s')"  # seconds differ, and may
    shown = "from IPython.display import HTML\nHTML('<b>1</b>')"
    path = write_notebook(clone / "one.ipynb", "print(6 * 7)", timed, shown)
    kept = run(path)[0][path]
    assert verify.compare(path.name, kept) == 0
    execution.code(kept)[0].outputs[0].text = "43\n"
    assert verify.compare(path.name, kept) == 1


def test_a_change_of_code_library_packages_or_data_is_another_key_and_a_change_of_text_is_not(clone):
    path = write_notebook(clone / "one.ipynb", "print(1)")

    def key(data="MNIST"):
        return execution.file_of(path, nbformat.read(path, as_version=4), data).name

    keys = [key(), key("drawn digits")]
    write_notebook(path, "print(2)")
    keys.append(key())
    (clone / "aelib" / "models.py").write_text("x = 2\n", "utf-8")
    keys.append(key())
    (clone / "requirements.lock").write_text("numpy==2.4.1\n", "utf-8")
    keys.append(key())
    write_notebook(path, "print(2)", tags=["skip-execution"])
    keys.append(key())
    assert len(set(keys)) == len(keys) == 6
    write_notebook(path, "print(2)", tags=["skip-execution", "hide-input"], text="# Other words")
    assert key() == keys[-1]


def test_a_damaged_or_foreign_file_in_the_store_is_run_again_and_replaced(clone):
    path = write_notebook(clone / "one.ipynb", "print('hello')")
    run(path)
    (file,) = execution.store().iterdir()
    for damage in ('{"cells": [', "[]", "", file.read_text("utf-8").replace('"date"', '"day"')):
        file.write_text(damage, "utf-8")
        assert outputs(run(path)[0][path]) == "hello\n"
        assert execution.read(file)


def test_a_failing_cell_is_named_on_both_runs_and_does_not_stop_the_others(clone):
    bad = write_notebook(clone / "bad.ipynb", "x = 2", "assert x == 3, 'x is not three'")
    good = write_notebook(clone / "good.ipynb", "print('hello')")
    for _ in range(2):
        done, failed = run(bad, good)
        assert list(done) == [good] and list(failed) == [bad]
        number, error = failed[bad]
        assert number == 3 and error.startswith("AssertionError: x is not three at: assert x == 3")


def test_a_cell_that_takes_too_long_is_named(clone):
    path = write_notebook(clone / "slow.ipynb", "while True: pass")
    _, failed = execution.execute_all([path], 1, "drawn digits")
    assert failed == {path: (2, "CellTimeoutError: A cell timed out while it was being executed, after 1 seconds.")}


MEET = """import pathlib, time
pathlib.Path("{me}").touch()
started = time.monotonic()
while not pathlib.Path("{other}").exists():
    assert time.monotonic() - started < 30, "alone"
    time.sleep(0.05)
"""


def test_two_notebooks_run_at_the_same_time_each_with_its_share_of_the_threads(clone, monkeypatch):
    monkeypatch.setenv("AELIB_JOBS", "2")
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    tell = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])"
    one = write_notebook(clone / "one.ipynb", MEET.format(me="a", other="b"), tell)
    two = write_notebook(clone / "two.ipynb", MEET.format(me="b", other="a"), tell)
    done, failed = run(one, two)
    assert not failed and outputs(done[one]) == f"{max(1, threads.cpu_count() // 2)} 7\n"


def test_the_longest_notebook_starts_first(clone, monkeypatch, capsys):
    monkeypatch.setenv("AELIB_JOBS", "1")
    short = write_notebook(clone / "short.ipynb", "print(1)")
    long = write_notebook(clone / "long.ipynb", "import time; time.sleep(1.5)")
    run(short, long)
    capsys.readouterr()
    run(short, long, again=True)
    assert capsys.readouterr().out.splitlines()[0] == "long.ipynb: running"


def test_a_number_of_notebooks_at_once_that_is_none_is_refused_by_name(clone, monkeypatch):
    for wrong in ("0", "two", "-1"):
        monkeypatch.setenv("AELIB_JOBS", wrong)
        with pytest.raises(SystemExit, match="AELIB_JOBS: expected how many notebooks"):
            execution.workers(3)
    monkeypatch.setenv("AELIB_JOBS", "5")
    assert execution.workers(3) == 3


def test_the_slowest_cells_of_a_profile_and_of_the_last_run_come_first(clone):
    path = write_notebook(clone / "one.ipynb", "pass", "import time; time.sleep(1)", "time.sleep(0.3)")
    run(path)
    for notebooks in (timings.profile([path]), timings.last_runs()):
        first, second, *_ = timings.slowest(notebooks)
        assert first.endswith("one, cell 3: import time; time.sleep(1)") and second.endswith("cell 4: time.sleep(0.3)")


def test_what_nobody_used_for_two_months_is_removed(clone):
    path = write_notebook(clone / "one.ipynb", "print('hello')")
    run(path)
    (file,) = execution.store().iterdir()
    old = execution.store() / "old.ipynb"
    old.touch()
    for kept in (old, file):
        os.utime(kept, (time.time() - 61 * 86400,) * 2)
    run(write_notebook(clone / "two.ipynb", "print('hello')"))
    assert not old.exists() and not file.exists()


PROGRAM = """import pathlib, sys
sys.path.insert(0, {tools!r})
import execution
execution.ROOT = pathlib.Path({root!r})
execution.execute_all([execution.ROOT / "quick.ipynb", execution.ROOT / "waits.ipynb"], 60, "drawn digits")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_or_killed_run_keeps_what_was_finished_leaves_no_kernel_and_can_be_repeated(clone, number):
    quick = write_notebook(clone / "quick.ipynb", "print('done')")
    code = "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\n"
    code += "while not pathlib.Path('go on').exists():\n    time.sleep(0.1)"
    waits = write_notebook(clone / "waits.ipynb", code)
    program = [sys.executable, "-u", "-c", PROGRAM.format(tools=str(TOOLS), root=str(clone))]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(program, env=os.environ | {"AELIB_JOBS": "2"}, **pipes)
    for line in process.stdout:
        if line.startswith("quick.ipynb: done"):
            break
    wait_until(lambda: (clone / "pid").exists() and (clone / "pid").read_text("utf-8"))
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0 and ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)
    kernel = int((clone / "pid").read_text("utf-8"))
    wait_until(lambda: not psutil.pid_exists(kernel) or psutil.Process(kernel).status() == psutil.STATUS_ZOMBIE)
    (file,) = execution.store().glob("*")
    assert file.name.startswith("quick")
    (clone / "go on").touch()
    done, failed = run(quick, waits)
    assert set(done) == {quick, waits} and not failed


def wait_until(condition, seconds=30):
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.1)
