# The two commands of a fresh checkout are `make demo` and `make test`. Each makes its own virtual environment in .venv
# from the lock files, once; a stamp inside it says that this was done, and is outdated by a changed lock file.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
RUNTIME := $(VENV)/runtime-installed
DEV := $(VENV)/dev-installed
PEERS := .venv-peers
OLDEST := .venv-oldest
PACKAGING := setup.cfg pyproject.toml

LOCK := $(BIN)/uv pip compile setup.cfg --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-annotate --custom-compile-command "make lock"

# What the oldest TensorFlow and Keras are tried by: every cell, a training and what is saved of it, the whole way.
WITH_TENSORFLOW := tests/model/test_cells.py tests/model/test_kernels.py tests/test_learn.py tests/jobs/test_end_to_end.py

# The quicker ones first; together they take about an hour.
FAULTS := flushed lock_freed crowd many_names links malicious forged bit_flips sequences many_readers random_kills \
	unreadable outputs wrong_rows kill_at_every_call fail_at_every_call retrain_crowd poison clocks cron nights sabotage \
	retrain_kills ledger_kills ledger_crowd replay fetch fleet

.PHONY: help setup demo test test-oldest faults check bench bench-peers tutorials lint readme docs notebooks dist lock \
	coverage clean
.DEFAULT_GOAL := help

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV) ## make the virtual environment with everything for working on stockcast
	@echo "Ready. To use it: . $(BIN)/activate"

demo: $(RUNTIME) ## train on data/ibm.csv, predict and plot, in the folder demo
	@mkdir -p demo
	$(BIN)/stockcast --store demo/models train --csv data/ibm.csv
	$(BIN)/stockcast --store demo/models predict ibm
	$(BIN)/stockcast --store demo/models plot ibm -o demo/ibm.png
	@echo "The picture is demo/ibm.png. To go on by hand: . $(BIN)/activate"

test: $(DEV) ## run all tests: the quick ones first, then those with TensorFlow, a browser or a long trial
	$(BIN)/python -m pytest -m "not tensorflow and not browser and not trial" --maxfail 10 --numprocesses 2 --dist worksteal
	$(BIN)/python -m pytest -m "tensorflow or browser or trial" --numprocesses 2 --dist worksteal

test-oldest: $(DEV) $(OLDEST)/installed ## run the tests on the oldest libraries that setup.cfg allows
	$(OLDEST)/bin/python -m pytest -m "not tensorflow and not browser and not trial" --maxfail 10 --numprocesses 2 --dist worksteal
	$(OLDEST)/bin/python -m pytest $(WITH_TENSORFLOW) --numprocesses 2 --dist worksteal

faults: $(DEV) ## kill, fill, crowd and poison everything in full: see docs/reliability.md
	@failed=; for script in $(FAULTS); do \
		$(BIN)/python tests/faults/$$script.py || failed="$$failed $$script"; \
	done; \
	for script in full_disk ledger_full_disk fetch_full_disk; do \
		unshare --mount $(BIN)/python tests/faults/$$script.py || failed="$$failed $$script"; \
	done; \
	test -z "$$failed" || { echo "These failed:$$failed."; exit 1; } >&2

check: lint readme ## everything that must hold besides the tests: lint and readme

lint: $(DEV) ## ruff, mypy and the rules of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/test_house.py

readme: $(DEV) ## run the README's commands and compare what they print with what it says
	$(BIN)/python tools/readme_truth.py

docs: $(DEV) ## build the documentation site into site/, strictly, and check its links
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	$(BIN)/python tools/site_links.py

notebooks: $(DEV) ## run the notebooks of docs/notebooks, and keep what they print
	$(BIN)/python tools/notebooks.py

dist: $(DEV) ## build the wheel and the sdist into dist/, install the wheel elsewhere, and use it there
	$(BIN)/python tools/dist.py

bench: $(DEV) ## measure speed and, with DATA=DIR, quality: benchmarks/RESULTS.md and QUALITY.md
	$(BIN)/python -m benchmarks $(if $(DATA),--data "$(DATA)")
	$(if $(DATA),$(BIN)/python -m benchmarks.quality --data "$(DATA)/panel")

bench-peers: $(DEV) $(PEERS)/installed ## the same beside Darts and NeuralForecast; needs DATA=DIR
	$(BIN)/python -m benchmarks $(if $(DATA),--data "$(DATA)") --peers $(PEERS)/bin/python peers

tutorials: $(DEV) ## run the systems of the teaching texts on the files in DATA=DIR, and write docs/tutorials.md
	@test -n "$(DATA)" || { echo "Fix: make tutorials DATA=DIR, the folder with the texts' files." >&2; exit 2; }
	$(BIN)/python tools/tutorials.py --data "$(DATA)"

coverage: $(DEV) ## run all tests and say which lines they leave out
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lock: $(DEV) ## write the lock files anew, from setup.cfg and the newest releases
	$(LOCK) --extra baselines --output-file requirements.lock > /dev/null
	$(LOCK) --extra baselines --extra dask --extra yahoo --extra test --extra docs --extra dev --constraint requirements.lock --output-file requirements-dev.lock > /dev/null

clean: ## remove the virtual environment, the demo and what the tools left
	rm -rf $(VENV) $(PEERS) $(OLDEST) demo build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "stockcast needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)."; \
		echo "Fix: name one that is installed, for example: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUNTIME): requirements.lock $(PACKAGING) | $(BIN)/python
	@echo "Installing the locked libraries into $(VENV): about 3 GB, some minutes the first time."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(PACKAGING) | $(BIN)/python
	@echo "Installing the locked libraries and the tools into $(VENV): about 3 GB, some minutes the first time."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(RUNTIME)

$(PEERS)/installed: benchmarks/peers/requirements.txt | $(BIN)/python
	@echo "Installing Darts and NeuralForecast into $(PEERS): some GB, some minutes."
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -r $<
	@touch $@

$(OLDEST)/installed: $(PACKAGING) | $(DEV)
	@echo "Installing the oldest libraries into $(OLDEST): about 3 GB, some minutes."
	@rm -rf $(OLDEST)
	@$(BIN)/python -m venv --without-pip $(OLDEST)
	@$(BIN)/uv pip compile setup.cfg --quiet --resolution lowest-direct --extra baselines --extra dask --extra yahoo \
		--extra test --extra docs --python $(OLDEST)/bin/python --output-file $(OLDEST)/requirements.txt > /dev/null
	@$(BIN)/uv pip install --quiet --python $(OLDEST)/bin/python --requirements $(OLDEST)/requirements.txt
	@$(BIN)/uv pip install --quiet --python $(OLDEST)/bin/python --no-deps --editable .
	@touch $@
