"""The figures of the last release, and what became worse since."""

from __future__ import annotations

import sys

import pytest

from benchmarks import figures
from benchmarks.__main__ import CASES
from benchmarks.figures import Figures, describe_change
from benchmarks.runs import Result


def result(ours: float, floor: float | None = None, peer: float | None = None) -> Result:
    measured = {"hubmodule": ours, "floor": floor, "tensorflow_hub": peer}
    return Result({name: {"cpu": cpu} for name, cpu in measured.items() if cpu}, {})


def kept(case: Result) -> Figures:
    return Figures("a machine", "versions", {"apply": case.values})


def test_a_slower_machine_is_not_worse():
    assert describe_change("apply", result(4.0, 2.0), kept(result(2.0, 1.0))) == "+0%"


def test_more_than_noise_is_marked():
    assert describe_change("apply", result(2.4, 1.0), kept(result(2.0, 1.0))) == "**+20%, worse**"


def test_noise_is_not_marked():
    assert describe_change("apply", result(2.2, 1.0), kept(result(2.0, 1.0))) == "+10%"


def test_without_a_floor_the_ratio_to_tensorflow_hub_counts():
    assert describe_change("apply", result(1.0, peer=4.0), kept(result(1.0, peer=2.0))) == "-50%"


@pytest.mark.parametrize("before", [None, kept(result(1.0)), kept(result(1.0, peer=2.0))])
def test_what_cannot_be_compared(before):
    assert describe_change("apply", result(1.0, 2.0), before) == ""


def test_what_is_written_is_read(tmp_path):
    before = kept(result(1.0, 2.0))
    before.write(tmp_path / "figures.json")
    assert figures.read(tmp_path / "figures.json") == before


def test_the_last_release_has_no_unknown_case():
    assert figures.read(figures.LAST_RELEASE).results.keys() <= set(CASES)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
