# Two commands do everything, set-up included: `make book` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The newest Python that TensorFlow has wheels for and that runs here; `make book PYTHON=...` chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
# `make ... JOBS=n` runs so many tests or notebooks at once. `make book` finds out by itself.
ifdef JOBS
export AELIB_JOBS := $(JOBS)
endif
JOBS ?= 2
COURSE ?= notebooks/assignments
ISOLATION ?= box

# An environment does not survive a move of its folder: then it is made again.
MOVED := $(shell test ! -f "$(READY)" || test "$$(cat "$(READY)")" = "$(CURDIR)" || echo yes)
# Only what this Makefile made is ever removed: for this very folder, or, in a folder that was moved, below it.
REMOVE_ENVIRONMENT = if test -e "$(VENV)"; then \
	owner="$$( { cat "$(VENV)/.aelib" "$(READY)" 2>/dev/null || true; } | tail -n 1)"; \
	test -z "$$(ls -A "$(VENV)")" || test "$$owner" = "$(CURDIR)" \
		|| { test -n "$$owner" && test "$$(cd "$(VENV)/.." && pwd -P)" = "$$(pwd -P)"; } \
		|| { echo "VENV=$(VENV): not made by 'make' in this folder, so it is left as it is. Name another, or remove it yourself."; exit 1; }; \
	rm -rf "$(VENV)"; fi
# Notebooks run in their own folder, so a relative path would mean another place there.
ifneq ($(AELIB_DATA),)
ifneq ($(AELIB_DATA),embedded)
export AELIB_DATA := $(if $(filter /%,$(firstword $(AELIB_DATA))),$(AELIB_DATA),$(CURDIR)/$(AELIB_DATA))
endif
endif
ifneq ($(AELIB_CACHE),)
export AELIB_CACHE := $(if $(filter /%,$(firstword $(AELIB_CACHE))),$(AELIB_CACHE),$(CURDIR)/$(AELIB_CACHE))
endif

export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: moved help book test test-unit test-backends test-notebooks test-floor test-assignments test-site pdf profile assignments grade mark serve lint format lock env repository figures clean clean-cache distclean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 18

book: $(READY)  ## run every notebook and build the pages in _build/html
	@$(BIN)/python tools/book/build.py

test: test-unit test-notebooks test-assignments  ## run the unit tests, every notebook, and the graders

test-unit: $(READY)  ## run the unit tests alone
	@$(BIN)/python -m pytest -q -n $(JOBS) tests --ignore tests/assignments --ignore tests/site

# PyTorch is not in the lock: its wheels for Linux bring gigabytes of CUDA. Where you have installed it, it is tested.
test-backends: export AELIB_ALL_MODELS := $(ALL)
test-backends: $(READY)  ## run the tests of the models on JAX, and on PyTorch where that is installed; ALL=1: of every model
	@for backend in jax $$($(BIN)/python -c 'import importlib.util as u; print("torch" if u.find_spec("torch") else "")'); do \
		echo "== $$backend"; KERAS_BACKEND=$$backend $(BIN)/python -m pytest -q -n $(JOBS) $(BACKEND_TESTS) || exit 1; done

test-notebooks: $(READY)  ## run every notebook that has not passed as it is now; `make book` and this share their runs
	@$(BIN)/python tools/book/verify.py

test-assignments: $(READY)  ## grade right, wrong and hostile answers to the problem sets
	@$(BIN)/python -m pytest -q -n $(JOBS) tests/assignments

test-site: $(READY)  ## look at the built book in Chromium: accessibility, live pages, bets, no other hosts
	@test -f _build/html/index.html || { echo "There is no book yet: run 'make book' first."; exit 1; }
	@$(BIN)/python -m pytest -q -n $(JOBS) tests/site

pdf: $(READY)  ## print the built book into _build/autoencoders-tested.pdf; needs Chromium
	@$(BIN)/python tools/book/pdf.py

profile: $(READY)  ## run notebooks and list their slowest cells: make profile NB=notebooks/05_embedding_dimension.ipynb
	@test -n "$(NB)" || { echo "Name a notebook: make profile NB=notebooks/05_embedding_dimension.ipynb"; exit 1; }
	@$(BIN)/python tools/book/timings.py $(NB)

assignments: $(READY)  ## write student and instructor versions of the problem sets
	@$(BIN)/python tools/assignments/versions.py --course "$(COURSE)" $(PS)

grade: $(READY)  ## grade a folder of notebooks: make grade SUBMISSIONS=folder [ROSTER=class.csv] [LATE=late.txt]
	@test -n "$(SUBMISSIONS)" || { echo "Name the folder of submitted notebooks: make grade SUBMISSIONS=folder"; exit 1; }
	@$(BIN)/python tools/assignments/grade.py "$(SUBMISSIONS)" --course "$(COURSE)" --isolation $(ISOLATION) $(if $(GRADES),--grades "$(GRADES)") $(if $(ROSTER),--roster "$(ROSTER)") $(if $(LATE),--late "$(LATE)")

mark: $(READY)  ## mark answers in words by hand: make mark SUBMISSIONS=folder
	@$(BIN)/python tools/assignments/mark.py "$(or $(GRADES),$(SUBMISSIONS:/=)-graded)"

serve: $(READY)  ## show the built book at http://localhost:8000
	@test -f _build/html/index.html || { echo "There is no book yet: run 'make book' first."; exit 1; }
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

lint: $(READY)  ## check style, formatting and that the notebooks are normalised
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python tools/maintenance/notebooks.py --check

format: $(READY)  ## mend what `make lint` complains about
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python tools/maintenance/notebooks.py

env: $(READY)  ## create the environment alone

# The stamp is written last: an interrupted installation starts afresh next time.
$(READY): requirements.lock $(if $(MOVED),moved)
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 was found. Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version), about a minute and 3 GB ..."
	@$(REMOVE_ENVIRONMENT)
	@mkdir -p "$(VENV)" && echo "$(CURDIR)" > "$(VENV)/.aelib"
	@$(PYTHON) -m venv "$(VENV)" || { echo "Python could not make a virtual environment. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock \
		|| { echo "The packages could not be installed. Is the package index within reach, and are 3 GB free? Then run the same command again."; exit 1; }
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable . \
		|| { echo "aelib itself could not be installed; the message above says why."; exit 1; }
	@echo "$(CURDIR)" > $@

lock: $(READY)  ## renew requirements.lock within the ranges of pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --quiet --universal --upgrade --python-version 3.11 --extra tensorflow --group dev \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements.lock
	@echo "Now run 'make test' and 'make book'."

BACKEND_TESTS := $(addprefix tests/test_, losses.py contract.py machinery.py models.py objectives.py keras_harness.py manifold.py anomaly.py)

# Colab's versions of August 2026 are the oldest that aelib supports.
FLOOR := keras==3.13.2 tensorflow==2.20.0 numpy==2.1.3 scikit-learn==1.6.1 matplotlib==3.10.0 scipy==1.14.1 pandas==2.2.3 joblib==1.4.2 pooch==1.8.2 threadpoolctl==3.1.0 tqdm==4.67.0
test-floor:  ## run the unit tests of aelib with the oldest supported packages; needs Python 3.13
	@python3.13 -c '' 2>/dev/null || { echo "test-floor needs python3.13 on the path."; exit 1; }
	@test -f .venv-floor/.ready || { rm -rf .venv-floor; python3.13 -m venv .venv-floor; \
		.venv-floor/bin/python -m pip install --quiet $(FLOOR) pytest pytest-xdist setuptools distributed; \
		.venv-floor/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .; touch .venv-floor/.ready; }
	@.venv-floor/bin/python -m pytest -q -n $(JOBS) $(BACKEND_TESTS) $(addprefix tests/test_, datasets.py digits.py experiments.py plots.py)

repository: $(READY)  ## change the repository's address everywhere: make repository URL=https://github.com/you/name
	@$(BIN)/python tools/maintenance/repository.py "$(URL)"

figures: $(READY)  ## redraw the pictures of the README and the front page
	@$(BIN)/python tools/maintenance/figures.py

clean:  ## remove the built book; executed notebooks are kept
	@rm -rf _build .pytest_cache .ruff_cache

clean-cache: $(READY)  ## forget executed notebooks, live models and drawn digits, so that the next run computes everything again
	@cache="$$($(BIN)/python -c 'from aelib.datasets import cache_folder; print(cache_folder())')" && \
		rm -rf "$$cache/executed" "$$cache/live" "$$cache"/digits-*

distclean: clean  ## remove the environments as well
	@$(REMOVE_ENVIRONMENT)
	@rm -rf .venv-floor *.egg-info
