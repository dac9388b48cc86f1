"""Tests of hubmodule.inspection.sarif."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import pytest

from hubmodule.auditing.ops import RISKY_OPS
from hubmodule.auditing.risks import Level, Risk
from hubmodule.inspection.audit import audit
from hubmodule.inspection.sarif import make_sarif
from tests.auditing.hostile import Hostile, Naming, Place, corpus, harmless_graph
from tests.auditing.protos import write_module


def log_of(path: str) -> dict[str, Any]:
    """The log of a module, as it comes out of JSON."""
    return json.loads(json.dumps(make_sarif(audit(path))))


def validate(log: dict[str, Any]) -> None:
    """Checks a log against models of the published schema."""
    sarif_pydantic = pytest.importorskip("sarif_pydantic")
    sarif_pydantic.Sarif.model_validate(log)


@pytest.fixture
def hostile(tmp_path: pathlib.Path) -> str:
    graphs = Hostile(RISKY_OPS["ReadFile"], Naming.CONSTANT, Place.FUNCTION).meta_graphs()
    return write_module(tmp_path / "hostile", *graphs)


def test_every_kind_of_finding_is_valid(tmp_path: pathlib.Path) -> None:
    graphs = [graph for hostile in corpus(Level.LOW) for graph in hostile.meta_graphs()]
    log = log_of(write_module(tmp_path / "m", *graphs))
    assert {result["level"] for result in log["runs"][0]["results"]} == {"error", "warning", "note"}
    validate(log)


def test_no_findings_are_valid(tmp_path: pathlib.Path) -> None:
    log = log_of(write_module(tmp_path / "m", harmless_graph()))
    assert log["runs"][0]["results"] == []
    validate(log)


def test_damage_is_a_notification(tmp_path: pathlib.Path) -> None:
    log = log_of(write_module(tmp_path / "m"))
    (invocation,) = log["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"] == [
        {"level": "error", "message": {"text": "The SavedModel has no graphs."}}
    ]
    validate(log)


def test_a_result(hostile: str) -> None:
    log = log_of(hostile)
    (run,) = log["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("reads-files", "error")
    assert result["message"]["text"] == (
        "ReadFile reads files: '/etc/passwd' (node 'risky' of function 'inner' in the variant "
        "without tags; run by signature 'default'). Returns the whole content of a file."
    )
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {
        "uri": "saved_model.pb",
        "uriBaseId": "MODULE",
    }
    assert location["physicalLocation"]["region"] == {"startLine": 1}
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "inner/risky"
    assert run["originalUriBaseIds"]["MODULE"]["uri"] == f"file://{hostile}/"


def test_results_point_at_their_rules(hostile: str) -> None:
    (run,) = log_of(hostile)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [risk.value for risk in Risk]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_finding_has_the_same_fingerprint_in_the_next_version(
    hostile: str, tmp_path: pathlib.Path
) -> None:
    graphs = Hostile(RISKY_OPS["ReadFile"], Naming.CONSTANT, Place.FUNCTION).meta_graphs()
    other = write_module(tmp_path / "other", *graphs)
    prints = [log_of(p)["runs"][0]["results"][0]["partialFingerprints"] for p in (hostile, other)]
    assert prints[0] == prints[1]


def test_fingerprints_tell_places_apart(tmp_path: pathlib.Path) -> None:
    modules = list(corpus())[::5]
    graphs = [graph for module in modules for graph in module.meta_graphs()]
    prints = {
        result["partialFingerprints"]["finding/v1"]
        for result in log_of(write_module(tmp_path / "m", *graphs))["runs"][0]["results"]
    }
    assert len(prints) > len(modules) / 2


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
