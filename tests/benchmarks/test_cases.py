"""Each case is in the list, says what is to be reached, and runs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from benchmarks import cases, modules
from benchmarks.__main__ import CASES
from benchmarks.measuring import Measurement

METRICS = {"seconds", "cpu", "memory", "nodes"}
SMALL = {"instantiate", "instantiate_trainable", "apply", "nodes", "initialise", "evaluate"}


def test_the_list_is_complete():
    files = Path(cases.__file__).parent.glob("*.py")
    assert sorted(CASES) == sorted(file.stem for file in files if file.stem != "__init__")


@pytest.mark.parametrize("name", CASES)
def test_has_a_target(name):
    case = importlib.import_module(f"benchmarks.cases.{name}")
    assert case.TITLE and all(str(target) for target in case.TARGETS)
    assert len(case.TARGETS) >= 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("modules")
    variants = [(set(), {"training": False}), ({"train"}, {"training": True})]
    modules.write(path / "large", modules.network(2), variants)
    return path


@pytest.mark.parametrize("name", sorted(SMALL))
def test_measures(name, folder):
    measurement = Measurement()
    importlib.import_module(f"benchmarks.cases.{name}").measure("hubmodule", folder, measurement)
    assert measurement.values.keys() == METRICS
    assert measurement.values["seconds"] > 0


@pytest.mark.parametrize("name", sorted(SMALL - {"nodes"}))
def test_measures_the_floor(name, folder):
    measurement = Measurement()
    importlib.import_module(f"benchmarks.cases.{name}").floor(folder, measurement)
    assert measurement.values.keys() == METRICS


@pytest.mark.parametrize("name", ["instantiate", "instantiate_trainable", "apply"])
def test_the_floor_adds_the_same_nodes(name, folder):
    case = importlib.import_module(f"benchmarks.cases.{name}")
    ours, floor = Measurement(), Measurement()
    case.measure("hubmodule", folder, ours)
    case.floor(folder, floor)
    assert ours.values["nodes"] == floor.values["nodes"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
