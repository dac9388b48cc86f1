# make demo    the main job on real data: publish, reuse, fine-tune, re-publish
# make test    the test suite; TF=2.15.1 for another TensorFlow, ARGS=... for pytest
# make check   formatter, linter, types, architecture
# make interop tensorflow_hub of two generations reads what we write and shares our cache, and
#              the reverse

TF ?= 2.21.0
ARGS ?=

# tensorflow-cpu is the same library without the CUDA packages, where it exists.
TF_PACKAGE ?= $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' '-')),tensorflow-cpu,tensorflow)
VENV ?= .venv$(if $(filter 2.21.0,$(TF)),,-$(TF))
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: demo test check interop environment format clean
.DEFAULT_GOAL := test

$(READY): pyproject.toml setup.py $(wildcard proto/*.proto)
	$$(scripts/find_python.sh $(TF)) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(TF_PACKAGE)==$(TF) -e '.[examples,test,check]'
	touch $@

demo: $(READY)
	$(BIN)/python examples/text_embeddings/demo.py

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -p no:xdist tests/test_architecture.py

interop:
	$(MAKE) environment TF=2.21.0
	$(MAKE) environment TF=2.15.1
	scripts/make_peers.sh
	.venv/bin/python -m scripts.interop $(ARGS)
	.venv/bin/python -m scripts.interop_cache

environment: $(READY)

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv* build dist *.egg-info
