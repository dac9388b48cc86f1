"""Tests of scripts.scanners: what counts as an alarm."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest

from scripts.scanners import SCANNERS, read_modelaudit_alarms, read_modelscan_alarms
from tests.auditing.hostile import harmless_graph
from tests.auditing.protos import constant, meta_graph, node, write_module


def test_an_issue_of_modelscan_is_an_alarm() -> None:
    report = {"issues": [{"source": "m/saved_model.pb", "severity": "HIGH"}], "errors": []}
    assert read_modelscan_alarms(json.dumps(report)) == {"m"}


def test_a_warning_of_modelaudit_is_an_alarm() -> None:
    severities = {"a": "critical", "b": "warning", "c": "info"}
    issues = [
        {"severity": severity, "location": f"/corpus/{name}/saved_model.pb (node: n)"}
        for name, severity in severities.items()
    ]
    issues.append({"severity": "warning", "location": "/corpus/d/other.txt"})
    assert read_modelaudit_alarms(json.dumps({"issues": issues})) == {"a", "b"}


@pytest.mark.parametrize("name", ["hubmodule audit", "saved_model_cli scan"])
def test_scanners_that_need_no_environment(name: str, tmp_path: pathlib.Path) -> None:
    nodes = [constant("c", "/x"), node("op", "ReadFile", "c"), node("y", "NoOp", "^op")]
    write_module(tmp_path / "hostile", meta_graph(nodes, {}, {"default": "y:0"}))
    write_module(tmp_path / "harmless", harmless_graph())
    (scanner,) = (scanner for scanner in SCANNERS if scanner.name == name)
    assert scanner.alarms(tmp_path) == {"hostile"}


def test_every_requirement_is_pinned() -> None:
    assert all(scanner.version for scanner in SCANNERS if scanner.requirement)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
