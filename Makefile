# make run: set up and compare the papers' systems, quickly. make test: set up and test. make soak: what is tested long. Python 3.11 or newer, nothing else.
# make site: the reference of the Python API, into site/. make dist: a release, checked, into dist/.
# make advisories: known vulnerabilities in what constraints.txt pins; it asks PyPI, and fails where that does not answer.
# make bench: every run of results/plan.yaml that is not there, the leaderboard, the report, the tables of the documentation.
# make bench-speed: what features and an answer cost on this machine, which nothing else should keep busy.
PYTHON ?= python3
RAVDESS ?= $(EMOTONE_DATA)/ravdess
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test soak lint bench bench-speed docs pictures site dist advisories clean

run: $(VENV)/.train
	$(BIN)/emotone compare --preset quick --out runs --beside results
	@echo "Open it in the browser: $(BIN)/emotone report --open"

test: $(VENV)/.dev
	$(BIN)/pytest -n auto --dist loadgroup --no-loadscope-reorder

soak: $(VENV)/.dev
	$(BIN)/pytest -n auto -m soak

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/.train
	$(BIN)/emotone bench results results/copies results/cross results/shipped
	$(BIN)/python docs/generate.py

bench-speed: $(VENV)/.dev
	$(BIN)/python benchmarks/features.py $(RAVDESS)
	$(BIN)/python benchmarks/recognise.py $(RAVDESS)
	$(BIN)/python docs/generate.py

docs: $(VENV)/.train
	$(BIN)/emotone report results
	$(BIN)/python docs/generate.py

pictures: $(VENV)/.dev
	EMOTONE_PICTURES=docs $(BIN)/pytest tests/web/test_pictures.py

site: $(VENV)/.dev
	$(BIN)/python docs/site.py site

dist: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/cyclonedx-py requirements constraints.txt --pyproject pyproject.toml --output-reproducible -o dist/emotone.cdx.json

advisories: $(VENV)/.dev
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

clean:
	rm -rf $(VENV) runs build dist site

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.train: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,media]'
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,media,serve,wav2vec2,xlsx,explain,ray,dev]'
	touch $@
