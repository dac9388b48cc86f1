"""A row of the table of results."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from benchmarks.runs import Result
from benchmarks.table import HEAD, format_row
from benchmarks.targets import AtMost, NearFloor, TimesLess

PEER = {"seconds": 2.0, "cpu": 3.0, "memory": 5e6, "nodes": 900}
OURS = {"seconds": 0.5, "cpu": 0.5, "memory": 1e6, "nodes": 300}
FLOOR = {"seconds": 0.25, "cpu": 0.2, "memory": 2e6, "nodes": 250}
MEASURED = {"peer": PEER, "ours": OURS, "floor": FLOOR}


def cells(*targets: object, peer: object = PEER, ours: object = OURS, floor: object = FLOOR):
    measured = {"tensorflow_hub": peer, "hubmodule": ours, "floor": floor}
    values = {library: numbers for library, numbers in measured.items() if numbers}
    line = format_row(SimpleNamespace(TITLE="title", TARGETS=targets), Result(values, {}))
    assert line.count("|") == HEAD.splitlines()[0].count("|")
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_of_time():
    assert cells(TimesLess(4)) == [
        "title",
        "2.00 s",
        "500.0 ms",
        "4.00 (6.00)",
        "4 times as fast",
        "holds",
        "250.0 ms",
        "2.00 (2.50)",
        "5 MB / 1 MB / 2 MB",
        "",
    ]


def test_of_less_than_a_millisecond():
    short = {"seconds": 0.00025, "cpu": 0.00025, "memory": 0, "nodes": 0}
    assert cells(TimesLess(4), ours=short)[2] == "250 us"


def test_of_nodes():
    assert cells(TimesLess(2.5, "nodes"))[1:6] == ["900", "300", "3.00", "2.5 times fewer", "holds"]


def test_without_a_floor():
    assert cells(TimesLess(4), floor=None)[6:] == ["", "", "5 MB / 1 MB", ""]


def test_of_several_targets():
    assert cells(NearFloor(1.5), NearFloor(1.1, "memory"))[4:6] == [
        "time up to 1.5 x floor; memory up to 1.1 x floor",
        "**fails**; holds",
    ]


def test_of_repetitions():
    slower = {"ours": {**OURS, "slowdown": 1.2}, "floor": {**FLOOR, "slowdown": 1.4}}
    assert cells(AtMost(1.1, "slowdown"), **slower)[4:6] == [
        "up to 1.1 times the first",
        "**fails** (slow-down 1.20, of the floor 1.40)",
    ]


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (TimesLess(4), "holds"),
        (TimesLess(4.1), "**fails**"),
        (TimesLess(3.1, "nodes"), "**fails**"),
        (NearFloor(2), "holds"),
        (NearFloor(1.9), "**fails**"),
        (TimesLess(6, "cpu"), "holds"),
        (AtMost(0.5), "holds"),
        (AtMost(0.4), "**fails**"),
        (AtMost(1e6, "memory"), "holds"),
    ],
)
def test_verdicts(target, verdict):
    assert cells(target)[5] == verdict


@pytest.mark.parametrize("target", [TimesLess(1), NearFloor(1)])
def test_nothing_to_compare_with(target):
    assert cells(target, peer=None, floor=None)[5] == "?"


def test_of_repetitions_without_a_floor():
    slower = {"ours": {**OURS, "slowdown": 1.2}, "floor": None}
    assert cells(AtMost(1.1, "slowdown"), **slower)[5] == "**fails** (slow-down 1.20)"


def test_as_fast_as_the_peer():
    assert cells(TimesLess(1))[4] == "as fast"


def test_of_all_memory():
    process = {name: {**values, "process": 7e6} for name, values in MEASURED.items()}
    assert cells(NearFloor(1.1, "process"), **process)[8] == "7 MB / 7 MB / 7 MB in all"


@pytest.mark.parametrize("target", [NearFloor(1, "memory"), AtMost(1, "memory")])
def test_memory_that_could_not_be_measured(target):
    unknown = {name: {"seconds": 1, "cpu": 1, "nodes": 0} for name in MEASURED}
    verdict, *_, memory, _ = cells(target, **unknown)[5:]
    assert (verdict, memory) == ("?", "? / ? / ?")


def test_of_a_failure():
    case = SimpleNamespace(TITLE="title", TARGETS=[AtMost(1)])
    assert "could not be run" in format_row(case, Result({"floor": FLOOR}, {"hubmodule": "reason"}))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
