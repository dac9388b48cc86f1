"""Each case is in the list, says what is to be reached, and runs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

import hubmodule as hub
from benchmarks import calling, cases, exporting, modules
from benchmarks.__main__ import CASES
from benchmarks.measuring import Measurement

METRICS = {"seconds", "cpu", "memory", "process", "nodes"}
FURTHER_METRICS = {"apply_again": {"slowdown"}}
# The others need a process of their own, tf.estimator, or a file that is fetched.
RUN = sorted(
    set(CASES)
    - {"importing", "export_latest", "train_estimator", "embeddings", "initialise_on_two_devices"}
)
WITHOUT_FLOOR = {"nodes", "download"}


def test_the_list_is_complete():
    files = Path(cases.__file__).parent.glob("*.py")
    assert sorted(CASES) == sorted(file.stem for file in files if file.stem != "__init__")


@pytest.mark.parametrize("name", CASES)
def test_says_what_it_needs_and_what_is_to_be_reached(name):
    case = importlib.import_module(f"benchmarks.cases.{name}")
    assert set(case.MODULES) <= modules.MAKERS.keys()
    assert isinstance(case.TITLE, str)
    assert case.TARGETS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The modules that cases use, but small."""
    path = tmp_path_factory.mktemp("modules")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modules, "LAYERS", 2)
        patch.setattr(modules, "SIGNATURES", 3)
        patch.setattr(modules, "HEAVY_LAYERS", 1)
        patch.setattr(modules, "ARCHIVE_BYTES", 300_000)
        for name in modules.MAKERS.keys() - {"glove"}:
            modules.MAKERS[name](path / name)
    return path


@pytest.fixture(autouse=True)
def few_calls(monkeypatch):
    monkeypatch.setattr(calling, "CALLS", 2)
    monkeypatch.setattr(calling, "BATCHES", 2)
    monkeypatch.setattr(exporting, "TIMES", 2)


@pytest.fixture(autouse=True)
def layer_of_tf_keras(monkeypatch):
    """Other tests of the process may have imported tf_keras, and so chosen its layer."""
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "0")
    monkeypatch.delitem(vars(hub), "KerasLayer", raising=False)


@pytest.mark.parametrize("name", RUN)
def test_measures(name, folder, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", "set by the case")
    measurement = Measurement()
    importlib.import_module(f"benchmarks.cases.{name}").measure("hubmodule", folder, measurement)
    assert measurement.values.keys() == METRICS | FURTHER_METRICS.get(name, set())
    assert measurement.values["seconds"] > 0


@pytest.mark.parametrize("name", sorted(set(RUN) - WITHOUT_FLOOR))
def test_measures_the_floor(name, folder):
    measurement = Measurement()
    importlib.import_module(f"benchmarks.cases.{name}").measure_floor(folder, measurement)
    assert measurement.values.keys() == METRICS | FURTHER_METRICS.get(name, set())


@pytest.mark.parametrize("name", ["instantiate", "instantiate_trainable", "apply"])
def test_the_floor_adds_the_same_nodes(name, folder):
    case = importlib.import_module(f"benchmarks.cases.{name}")
    ours, floor = Measurement(), Measurement()
    case.measure("hubmodule", folder, ours)
    case.measure_floor(folder, floor)
    assert ours.values["nodes"] == floor.values["nodes"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
