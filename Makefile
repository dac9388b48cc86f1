# make demo    the main job on real data: publish, reuse, fine-tune, re-publish;
#              ARGS=--output_dir=DIR keeps the modules
# make hub-demo  publishes the modules of the demo to a hub and serves its pages;
#              ARGS=--port=0 for a free port
# make test    the test suite; TF=2.15.1 for another TensorFlow, ARGS=... for pytest
# make test-beam  the tests that need Apache Beam, Ray or faiss, in an environment of their own,
#              since Beam needs an older protobuf than TensorFlow brings; TF=2.15.1 as for test
# make matrix  the test suite on each TensorFlow and Python of the README's table, which it writes;
#              takes hours, and goes on where it stopped; ARGS="--only 2.18.1" for one
# make docs    the site of the documentation, in build/site; runs its notebooks
# make coverage  the lines and branches that the test suite runs
# make browser what the tests of HTML pages need: Chromium, and axe-core for accessibility
# make check   formatters, linter, types, architecture
# make hooks   runs what it can of that before each commit
# make bazel   the test suite under Bazel, ARGS=... for bazel test
# make interop tensorflow_hub of three generations reads what we write, shares our cache and
#              loads from our hub, and the reverse, where it can write; programs of TensorFlow 1
#              train as there, and continue its checkpoints
# make bench   each figure of docs/performance.md, side by side with tensorflow_hub; CASE=apply for one
# make bench-beam  how fast a corpus is embedded with Apache Beam; a part of make bench
# make hub-load hubmodule serve under load, beside nginx
# make scanners the audit held against other scanners; DATA=... for folders of harmless modules
# make growth  the plot of docs/growth.png
# make sizes   time and memory per node, variable, signature, variant and application, as a module
#              grows; ARGS='--scale 10' for larger modules

TF ?= 2.21.0
ARGS ?=

# tensorflow-cpu is the same library without the CUDA packages, where it exists.
TF_PACKAGE ?= $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' '-')),tensorflow-cpu,tensorflow)
# What brings tf.estimator back where TensorFlow has dropped it. It comes without its
# dependencies: tf-keras asks for the package tensorflow, even beside tensorflow-cpu.
ESTIMATOR = $(if $(filter 2.15.%,$(TF)),,tf-estimator-nightly==2.16.0.dev2024012409 tf-keras~=$(basename $(TF)).0)
VENV ?= .venv$(if $(filter 2.21.0,$(TF)),,-$(TF))
BIN = $(VENV)/bin
READY = $(VENV)/.ready
BEAM_VENV ?= .venv-beam$(if $(filter 2.21.0,$(TF)),,-$(TF))
BEAM_READY = $(BEAM_VENV)/.ready
BEAM_TESTS = tests/beam tests/test_beam_page.py $(addprefix tests/examples/text_embeddings/test_, \
	corpus.py vector_files.py embed_corpus.py search_corpus.py)

BUILDIFIER = .cache/buildifier/node_modules/.bin/buildifier
PYRIGHT = .cache/pyright/node_modules/.bin/pyright
BUILD_FILES = $(shell find . \( -name '.?*' -o -name node_modules \) -prune -o \( \
	-name BUILD -o -name '*.bzl' -o -name WORKSPACE -o -name MODULE.bazel \) -print)

AXE = .cache/axe/node_modules/axe-core/axe.min.js

.PHONY: demo hub-demo test test-beam matrix beam-environment docs browser coverage check hooks bazel interop hub-load scanners bench bench-beam growth sizes bench_environments environment format clean
.DEFAULT_GOAL := test

$(READY): pyproject.toml setup.py $(wildcard proto/*.proto)
	$$(scripts/find_python.sh $(TF)) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(TF_PACKAGE)==$(TF) -e '.[examples,test,check]'
	$(if $(ESTIMATOR),$(BIN)/python -m pip install --quiet --no-deps $(ESTIMATOR))
	touch $@

# Ray and faiss are for recipes and the example; the package itself does not use them.
$(BEAM_READY): pyproject.toml setup.py $(wildcard proto/*.proto)
	$$(scripts/find_python.sh $(TF)) -m venv $(BEAM_VENV)
	$(BEAM_VENV)/bin/python -m pip install --quiet --upgrade pip
	$(BEAM_VENV)/bin/python -m pip install --quiet $(TF_PACKAGE)==$(TF) -e '.[beam,examples,search,test]' 'ray[data]>=2.44'
	touch $@

demo: $(READY)
	$(BIN)/python examples/text_embeddings/demo.py $(ARGS)

hub-demo: $(READY)
	scripts/hub_demo.sh $(BIN)/python .cache/hub-demo $(ARGS)

# The tests of the Estimator make tf.keras Keras 2, for a whole process; so they have their own.
test: $(READY) browser
ifeq ($(ARGS),)
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/estimator
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/estimator
else
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)
endif

test-beam: $(BEAM_READY)
	$(BEAM_VENV)/bin/python -m pytest -n 2 --dist loadfile $(or $(ARGS),$(BEAM_TESTS))

beam-environment: $(BEAM_READY)

matrix: $(READY)
	$(BIN)/python -m scripts.matrix $(ARGS)

# Warnings are errors. What the commands and exceptions say of themselves is written first.
docs: $(VENV)/.docs-ready
	$(BIN)/python -m scripts.reference_pages
	rm -rf build/site
	PYTHONPATH=. $(BIN)/python -m sphinx -E -W --keep-going -q -b html -c docs -d build/doctrees . build/site
	$(BIN)/python -m scripts.check_site build/site
	@echo Open build/site/index.html

$(VENV)/.docs-ready: $(READY)
	$(BIN)/python -m pip install --quiet -e '.[docs]'
	touch $@

# What kills its process, and what runs in an environment without coverage, is not measured.
coverage: $(READY)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile --ignore=tests/estimator
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile tests/estimator
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# What the tests of pages need; without it they are skipped.
browser: $(AXE)
	-scripts/need.sh chromium chromium
	-scripts/need.sh chromedriver chromium-driver

$(AXE):
	-scripts/need.sh npm npm
	-npm install --prefix .cache/axe --no-save --no-audit --no-fund --loglevel=error axe-core@4.14.1

check: $(READY) $(BUILDIFIER) $(PYRIGHT)
	$(BIN)/ruff format --check .
	$(BUILDIFIER) --mode=check --lint=warn $(BUILD_FILES)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -p no:xdist tests/test_architecture.py tests/test_types.py

hooks: $(READY) $(BUILDIFIER)
	$(BIN)/python -m pip install --quiet 'pre-commit>=4'
	$(BIN)/pre-commit install

bazel: $(READY)
	scripts/bazel.sh $(BIN)/python $(ARGS)

$(BUILDIFIER):
	scripts/need.sh npm npm
	npm install --prefix .cache/buildifier --no-save --no-audit --no-fund --loglevel=error @bazel/buildifier@8.2.1

# The package of the same name on PyPI downloads Node.
$(PYRIGHT):
	scripts/need.sh npm npm
	npm install --prefix .cache/pyright --no-save --no-audit --no-fund --loglevel=error pyright@1.1.411

interop:
	$(MAKE) environment TF=2.21.0
	$(MAKE) environment TF=2.15.1
	TF_PACKAGE=$(TF_PACKAGE) scripts/make_peers.sh
	.venv/bin/python -m scripts.interop $(ARGS)
	.venv/bin/python -m scripts.interop_cache
	-scripts/need.sh nginx nginx
	.venv/bin/python -m scripts.interop_hub
	.venv/bin/python -m scripts.interop_programs

hub-load: $(READY)
	-scripts/need.sh nginx nginx
	$(BIN)/python -m benchmarks.hub_load $(ARGS)

scanners: $(READY)
	$(BIN)/python -m scripts.auditing_page
	$(BIN)/python -m scripts.compare_scanners $(DATA)

# Both libraries on the newest TensorFlow that tensorflow_hub has the API on.
BENCH = .venv-2.15.1/bin/python
PEER = $(or $(HUBMODULE_PEERS),.cache/peers)/peer215/bin/python
BENCH_PYTHONS = --ours $(BENCH) --peer '$(PEER)'

bench: bench_environments
	$(BENCH) -m benchmarks $(BENCH_PYTHONS) $(if $(CASE),--case $(CASE)) $(ARGS)
	$(if $(CASE),,$(MAKE) bench-beam ARGS=)

# Where the environment of `make test-beam` is missing, it says that it measures nothing.
bench-beam:
	$(if $(wildcard $(BEAM_READY)),$(BEAM_VENV)/bin/python,python3) -m benchmarks.corpus_throughput $(ARGS)

growth: bench_environments
	$(BENCH) -m pip install --quiet 'matplotlib>=3.8' 'numpy<2'
	$(BENCH) -m benchmarks.growth $(BENCH_PYTHONS) $(ARGS)

sizes: bench_environments
	$(BENCH) -m benchmarks.sizes $(ARGS)

bench_environments:
	$(MAKE) environment TF=2.15.1
	TF_PACKAGE=$(TF_PACKAGE) scripts/make_peers.sh peer215

environment: $(READY)

format: $(READY) $(BUILDIFIER)
	$(BIN)/ruff format .
	$(BUILDIFIER) --lint=fix $(BUILD_FILES)
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv* build dist *.egg-info
