"""The repository keeps its own promises: one-way imports, a lock that holds, a README that runs, whole chapters."""

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "maintenance"))
import notebooks as notebook_tool  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if not path.name.startswith("00")]
PYTHONS = ("3.11", "3.12", "3.13")


def tracked(pattern="*"):
    if not shutil.which("git"):
        pytest.skip("no git")
    listed = subprocess.run(["git", "ls-files", "-z", pattern], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


# Imports

LEVELS = [
    {"aelib.validation", "aelib.pipeline", "aelib.claims"},
    {"aelib.losses", "aelib.digits", "aelib.heartbeats", "aelib.mountains", "aelib.restoration", "aelib.latent"},
    {"aelib.datasets"},
    {"aelib.models"},
    {"aelib.training"},
    {"aelib.manifold", "aelib.anomaly", "aelib.alarm", "aelib.likelihood"},
    {"aelib.samples"},
    {"aelib.experiments"},
    {"aelib"},
]


def level(module):
    for i, names in enumerate(LEVELS):
        if any(module == name or (name != "aelib" and module.startswith(f"{name}.")) for name in names):
            return i
    return None


def test_imports_run_one_way_and_plots_imports_nothing_of_aelib():
    for path in (ROOT / "aelib").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aelib"):
                names = [
                    f"{node.module}.{alias.name}" if node.module == "aelib" else node.module for alias in node.names
                ]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names if alias.name.startswith("aelib")]
            if module == "aelib":
                continue
            assert not (names and module == "aelib.plots"), "plots imports no other aelib module"
            for name in names:
                assert level(module) is not None, f"{module} has no level: add it to LEVELS"
                assert level(name) <= level(module), f"{module} imports {name}"


INTERNAL = {
    "aelib.anomaly.dense_for_tables",
    "aelib.likelihood.PosteriorSearch",
    "aelib.likelihood.check_variational",
    "aelib.manifold.score_in_one_thread",
    "aelib.models.machinery.Machinery",
    "aelib.models.machinery.Reconstruction",
    "aelib.models.machinery.is_array",
    "aelib.models.randomness.SeededRandomness",
    "aelib.models.variational.kl_divergence",
    "aelib.mountains.scene",
    "aelib.pipeline.batches",
    "aelib.validation.check_array",
    "aelib.validation.check_positive_int",
    "aelib.validation.check_same_shape",
}


def test_everything_public_is_exported_and_documented():
    """Public is every function and class of a module of aelib without an underscore, except those that we name."""
    import aelib

    api = (ROOT / "book" / "api.md").read_text("utf-8")
    public = {}
    for path in (ROOT / "aelib").rglob("[!_]*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name, thing in vars(importlib.import_module(module)).items():
            if name[0] != "_" and getattr(thing, "__module__", None) == module:
                public[f"{module}.{name}"] = thing
    assert len(public) > 40 and set(public) >= INTERNAL
    for full_name in set(public) - INTERNAL:
        module, _, name = full_name.rpartition(".")
        documented = {f":: aelib.{name}\n", f":: {full_name}\n", f"automodule:: {module}\n"}
        assert any(line in api for line in documented), f"{full_name} is not in book/api.md"
        by_module = module.removeprefix("aelib.") in aelib.__all__ and f":: aelib.{name}\n" not in api
        assert getattr(aelib, name, None) is public[full_name] or by_module, f"{full_name} is not exported"
        assert public[full_name].__doc__, full_name
    assert all(hasattr(aelib, name) for name in aelib.__all__)


# Packages


def locked():
    text = re.sub(r"\\\n\s*", " ", (ROOT / "requirements.lock").read_text("utf-8"))
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, *hashes = re.split(r"\s--hash=", line)
        yield Requirement(requirement.strip()), hashes


def asked_for():
    groups = PROJECT["dependency-groups"]
    listed = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["tensorflow"]]
    listed += [item for group in groups.values() for item in group if isinstance(item, str)]
    return [Requirement(item) for item in listed]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("system", "platform"), [("Linux", "linux"), ("Darwin", "darwin"), ("Windows", "win32")])
def test_the_lock_satisfies_pyproject_on_every_supported_system(python, system, platform):
    environment = default_environment() | {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "platform_system": system,
        "sys_platform": platform,
        "os_name": "nt" if platform == "win32" else "posix",
    }
    pins = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin, _ in locked()
        if pin.marker is None or pin.marker.evaluate(environment)
    }
    for requirement in asked_for():
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_the_lock_pins_every_package_with_hashes_and_holds_no_address():
    for pin, hashes in locked():
        assert [specifier.operator for specifier in pin.specifier] == ["=="], pin
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", value.strip()) for value in hashes), pin
    assert "://" not in (ROOT / "requirements.lock").read_text("utf-8")


def test_environment_yml_points_to_the_lock_and_to_a_supported_python():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    *_, python, pip, packages = environment["dependencies"]
    assert python.removeprefix("python=") in PYTHONS and pip == "pip"
    assert packages == {"pip": ["--require-hashes", "-r requirements.lock"]}


def test_tensorflow_stays_an_extra():
    names = {Requirement(item).name for item in PROJECT["project"]["dependencies"]}
    assert "tensorflow" not in names and "keras" in names


def test_the_floor_that_the_makefile_tests_is_the_floor_of_pyproject():
    floor = re.search(r"^FLOOR := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M).group(1)
    pins = {pin.name: next(iter(pin.specifier)).version for pin in map(Requirement, floor.split())}
    for requirement in map(Requirement, PROJECT["project"]["dependencies"]):
        assert requirement.specifier.contains(pins[requirement.name]), requirement


# Notebooks


def cells(path, cell_type=None):
    listed = json.loads(path.read_text("utf-8"))["cells"]
    return [{**c, "source": "".join(c["source"])} for c in listed if cell_type in (None, c["cell_type"])]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_in_normal_form_and_normalising_twice_changes_nothing(path):
    text = path.read_text("utf-8")
    assert notebook_tool.normalised(text, notebook_tool.colab_cell()) == text, "run `make format`"


def test_outputs_counts_and_foreign_metadata_are_removed_and_the_first_cell_is_replaced():
    messy = json.loads(NOTEBOOKS[0].read_text("utf-8"))
    code = [cell for cell in messy["cells"] if cell["cell_type"] == "code"]
    code[0]["source"] = "# colab"
    code[1].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "hello"}], execution_count=7)
    code[1]["metadata"] = {"scrolled": True, "id": "x"}
    messy["metadata"]["widgets"] = {"state": {}}
    clean = notebook_tool.normalised(json.dumps(messy), notebook_tool.colab_cell())
    assert clean == NOTEBOOKS[0].read_text("utf-8")
    code[0]["source"] = "print(1)"
    with pytest.raises(ValueError, match="first code cell must be the one that installs aelib on Colab"):
        notebook_tool.normalised(json.dumps(messy), notebook_tool.colab_cell())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_first_cell_installs_the_tagged_library_beside_colabs_tensorflow(path):
    first = cells(path, "code")[0]
    assert CONFIG["repository"]["url"] in first["source"] and "--no-deps" in first["source"]
    assert f"@v{PROJECT['project']['version']}" in first["source"]
    assert first["metadata"] == {"tags": ["remove-cell"]}


def test_what_the_notebooks_import_is_on_colab_or_the_first_cell_installs_it():
    lines = (ROOT / "tests" / "colab.txt").read_text("utf-8").splitlines()
    on_colab = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = PROJECT["project"]["optional-dependencies"]["tensorflow"]
    needed = [Requirement(line) for line in PROJECT["project"]["dependencies"] + extras]
    for requirement in needed:
        assert on_colab[requirement.name] in requirement.specifier, requirement
    brought_by, used = packages_distributions(), {requirement.name for requirement in needed}
    for path in NOTEBOOKS:
        first, *others = (cell["source"] for cell in cells(path, "code"))
        for module in {module for source in others for module in imported(source)} - sys.stdlib_module_names:
            name = canonicalize_name(brought_by[module][0])
            used.add(name)
            assert name in {"aelib", *on_colab} or f"[{name}]" in first, f"{path.name} imports {module}"
    assert set(on_colab) <= used, "tests/colab.txt lists what nobody imports"


def imported(source):
    """The top-level modules that this code imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_drawing_cells_have_an_alt_text(path):
    for cell in cells(path, "code"):
        assert len(cell["source"].splitlines()) <= 32, cell["source"][:80]
        if re.search(r"plots\.\w+\(|plt\.|\.add_subplot", cell["source"]):
            assert len(cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")) > 40, cell["source"][:80]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_every_part_of_the_template(path):
    text = "\n".join(cell["source"] for cell in cells(path, "markdown"))
    for part in (
        "Place your bet",
        "What you will be able to do",
        "## The idea",
        "## The experiment",
        "## The verdict",
        "## What usually goes wrong",
        "## Exercises",
        "## Recap",
        "**Read next.**",
        "**In Korean.**",
    ):
        assert part in text, f"{path.name} lacks {part!r}"
    exercises = re.findall(r":label: (\S+)", text)
    assert 3 <= len(exercises) <= 7 and len(set(exercises)) == len(exercises)
    assert sorted(re.findall(r"\{solution-start\} (\S+)", text)) == sorted(exercises)
    assert text.count("{solution-end}") == len(exercises)
    assert any("assert " in cell["source"] for cell in cells(path, "code"))


def test_every_notebook_and_page_is_in_the_table_of_contents_and_nothing_else_is():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    sections = [section for chapter in chapters for section in chapter.get("sections", [])]
    listed = {toc["root"], *(page["file"] for page in chapters + sections)}
    previews = (ROOT / "notebooks" / "assignments" / "release").glob("*/*.ipynb")
    sources = [*NOTEBOOKS, *previews, *(ROOT / "book").glob("*.md")]
    pages = {path.relative_to(ROOT).with_suffix("").as_posix() for path in sources}
    assert listed == pages - {"book/LICENSE"}


# The gate


def test_the_gate_stops_at_the_first_failing_step_and_says_how_long_each_took_and_which_tests_were_slow(tmp_path):
    """With a `make` that does nothing."""
    (tmp_path / "repository" / ".ci").mkdir(parents=True)
    gate = shutil.copy(ROOT / ".ci" / "run", tmp_path / "repository" / ".ci")
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "2.50s call tests/of.py::$1"\ntest "$1" != "$FAILS"\n', "utf-8")
    make.chmod(0o755)
    for found in ("bwrap", "chromium"):  # nothing is to be installed
        shutil.copy(make, tmp_path / found)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    for fails, steps in (
        ("nothing", ["env", "lint", "test", "book", "test-site", "test-backends"]),
        ("lint", ["env", "lint"]),
    ):
        environment = os.environ | {"PATH": path, "FAILS": fails}
        done = subprocess.run(["bash", gate], env=environment, capture_output=True, text=True)
        assert (done.returncode == 0) == (fails == "nothing"), done.stdout
        work, table = done.stdout.split("== what took how long")
        assert re.findall(r"2\.50s call tests/of\.py::(\S+)", work) == steps
        assert sorted(re.findall(r"2\.50s call tests/of\.py::(\S+)", table)) == sorted(steps)
        assert ("lint, FAILED" in table) == (fails == "lint") and re.search(r"\d s  all", table)


def test_on_a_slow_machine_the_gate_leaves_out_what_is_run_elsewhere_and_says_so(tmp_path):
    (tmp_path / "repository" / ".ci").mkdir(parents=True)
    gate = tmp_path / "repository" / ".ci" / "run"
    late = (ROOT / ".ci" / "run").read_text("utf-8").replace('step "bubblewrap"', 'SECONDS=4300\nstep "bubblewrap"')
    gate.write_text(late, "utf-8")
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "made $1"\n', "utf-8")
    make.chmod(0o755)
    for found in ("bwrap", "chromium"):
        shutil.copy(make, tmp_path / found)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", gate], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert re.findall(r"^made (\S+)", done.stdout, re.M) == ["env", "lint", "test", "book"]
    assert done.stdout.count("the site in a browser: left out, for want of time") == 2


def test_workflows_are_yaml_and_run_commands_that_make_knows():
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    paths = list((ROOT / ".github" / "workflows").glob("*.yml"))
    for path in paths:
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            for step in job["steps"]:
                assert set(re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))) <= known, step
    assert len(paths) == 2


# Texts


def test_each_syllabus_has_every_chapter_and_names_only_exercises_and_live_parts_that_exist():
    text = (ROOT / "book" / "instructors.md").read_text("utf-8")
    by_number = {int(path.stem[:2]): path.read_text("utf-8") for path in NOTEBOOKS}
    for title in ("## A syllabus of twelve weeks", "## Six weeks"):
        plan = text.split(title)[1].split("\n## ")[0]
        links = re.findall(r"\{doc\}`(\d+)(?:\. [^<`]+)? </notebooks/(\w+)>`", plan)
        linked = [(int(shown), name) for shown, name in links]
        assert sorted(linked) == [(int(path.stem[:2]), path.stem) for path in NOTEBOOKS]
        for chapters in re.findall(r"exercises of chapters? (\d+(?: and \d+)?)", plan):
            assert all("{exercise}" in by_number[int(number)] for number in chapters.split(" and "))
        for row in plan.splitlines():
            if "(live: " in row:
                number = int(re.search(r"`(\d+)[^|]*\(live: ", row)[1])
                assert "data-live=" in by_number[number], row
        assert {f"problem set {n}" for n in range(1, 9)} <= set(re.findall(r"problem set \d", plan))


def test_the_ten_lines_of_the_readme_run(tmp_path, digits, monkeypatch):
    """On 2,000 drawn digits, because the point is that every line works, not the number that it prints."""
    import aelib

    few = {"x_train": digits.images[:1500], "y_train": digits.target[:1500], "x_test": digits.images[1500:]}
    monkeypatch.setattr(aelib, "load_images", lambda: type("Data", (), few))
    monkeypatch.chdir(tmp_path)
    program = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S).group(1)
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    exec(program, {})
    assert (tmp_path / "digits.png").stat().st_size > 1000


def test_links_between_files_point_at_files():
    for path in tracked("*.md"):
        for target in re.findall(r"\]\((?!https?://|#|/)([^)\s]+)\)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_repositorys_address_is_the_configured_one_wherever_it_appears():
    address = CONFIG["repository"]["url"]
    host = address.rsplit("/", 2)[0]
    for path in tracked():
        if path.suffix in {".md", ".yml", ".toml", ".ipynb", ".py"} and path.name not in {"repository.py", "Makefile"}:
            for found in re.findall(re.escape(host) + r"/[\w.-]+/[\w.-]+", path.read_text("utf-8")):
                assert found.removesuffix(".git") in (address, f"{host}/ACCOUNT/NAME") or "@v" in found, (
                    f"{path}: {found}"
                )


def test_one_command_changes_the_address_everywhere(tmp_path):
    """On a copy of what git tracks."""
    for source in tracked():
        target = tmp_path / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    old, new = CONFIG["repository"]["url"], "https://git.example.org/someone/course"
    command = [sys.executable, str(tmp_path / "tools" / "maintenance" / "repository.py")]
    subprocess.run([*command, new], check=True, capture_output=True)
    texts = {p: p.read_text("utf-8") for p in tmp_path.rglob("*") if p.suffix in {".md", ".yml", ".ipynb"}}
    assert not [path for path, text in texts.items() if old in text]
    assert all(new in texts[tmp_path / path.relative_to(ROOT)] for path in [*NOTEBOOKS, ROOT / "README.md"])
    assert "cd course\n" in texts[tmp_path / "README.md"]
    refused = subprocess.run([*command, "not an address"], capture_output=True, text=True)
    assert refused.returncode and "URL: expected https://HOST/ACCOUNT/NAME, got not an address" in refused.stderr


def test_no_tracked_file_names_a_path_of_somebodys_machine():
    """Neither anybody's home nor this clone, wherever it lies. Beside it may lie anything, as in a temporary folder."""
    somebodys = re.compile(r"(/home|/Users|\\Users)[/\\]\w|/root[/]|" + re.escape(f"{ROOT}/"))
    for path in tracked():
        if path.suffix not in {".png", ".svg"}:
            found = somebodys.search(path.read_text("utf-8", errors="replace"))
            assert not found, f"{path}: {found}"


# The environment


@pytest.fixture
def clone(tmp_path):
    """A folder with the Makefile and a Python that makes an environment in no time; gives code and output of `make`."""
    folder = tmp_path / "the clone"
    folder.mkdir()
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    python = tmp_path / "python"
    program = '#!/bin/sh\ntest "$2" != venv || { mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; }\n'
    python.write_text(program, "utf-8")
    python.chmod(0o755)

    def make(*words):
        command = ["make", *words, f"PYTHON={python}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
        return done.returncode, done.stdout + done.stderr

    make.folder = folder
    return make


@pytest.mark.parametrize("owner", ["", "somebody else's clone"])
@pytest.mark.parametrize("words", [("env",), ("env", "-n"), ("distclean",), ("env", "distclean")])
def test_no_environment_is_removed_that_was_not_made_here(owner, words, clone, tmp_path):
    other = tmp_path / "other"
    (other / "bin").mkdir(parents=True)
    (other / "bin" / "precious").write_text("work of years", "utf-8")
    for name in (".aelib", ".ready") if owner else ():
        (other / name).write_text(f"{owner}\n", "utf-8")
    before = {path: path.read_text("utf-8") for path in other.rglob("*") if path.is_file()}
    code, said = clone(*words, f"VENV={other}")
    assert {path: path.read_text("utf-8") for path in other.rglob("*") if path.is_file()} == before
    assert "-n" in words or (code and "not made by 'make' in this folder, so it is left as it is" in said), said


def test_an_environment_of_ones_own_is_made_again_after_a_move_or_an_interruption(clone, tmp_path):
    ready = clone.folder / ".venv" / ".ready"
    code, said = clone("env")
    assert not code, said
    assert ready.read_text("utf-8").strip() == str(clone.folder)
    (clone.folder / ".venv" / "left over").touch()
    clone("env", "-n")
    assert (clone.folder / ".venv" / "left over").exists()
    ready.write_text("/where/it/was/before\n", "utf-8")  # moved
    code, said = clone("env")
    assert not code and not (clone.folder / ".venv" / "left over").exists(), said
    assert ready.read_text("utf-8").strip() == str(clone.folder)
    ready.unlink()  # interrupted
    (clone.folder / ".venv" / "left over").touch()
    assert not clone("env")[0] and not (clone.folder / ".venv" / "left over").exists()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert not clone("env", f"VENV={elsewhere}")[0] and (elsewhere / ".ready").exists()
    assert not clone("distclean", f"VENV={elsewhere}")[0] and not elsewhere.exists()
