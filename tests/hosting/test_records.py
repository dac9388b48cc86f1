"""Tests of hubmodule.hosting.records."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from hubmodule.errors import FactsError
from hubmodule.hosting.names import ModuleName
from hubmodule.hosting.records import find_module, read_modules, read_record
from tests.hosting.hubs import make_facts
from tests.hosting.samples import read_facts

VERSION = {
    "version": 2,
    "published": "2026-01-31T12:00:00+00:00",
    "bytes": 7,
    "sha256": "00",
    "format": "TF1 Hub format",
    "signatures": ["default"],
    "conformance": [],
    "findings": None,
    "summary": "",
}


def make_module(name: str, *versions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"publisher": "acme", "name": name, "versions": [*versions], **more}


def test_facts_json() -> None:
    value = make_facts("acme/x/1", **json.loads(read_facts("image")))
    record = read_record(value, "facts.json")
    assert record.published == value["published"]
    assert record.archive.bytes == 7
    assert record.facts.to_dict() == value["facts"]
    assert record.audit.nodes == value["audit"]["nodes"]


def test_damaged_facts_json() -> None:
    with pytest.raises(FactsError, match=r"^facts\.json\.facts has no field"):
        read_record(make_facts("acme/x/1"), "facts.json")


def test_index_json() -> None:
    index = {"modules": [make_module("a", VERSION, {**VERSION, "version": 3}), make_module("b")]}
    (module,) = read_modules(index)
    assert (module.publisher, module.name, module.newest.version) == ("acme", "a", 3)
    assert find_module(index, ModuleName("acme", "a")) == module
    assert find_module(index, ModuleName("acme", "b")) is None
    assert find_module(index, ModuleName("acme", "c")) is None


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        [],
        make_module("x", {**VERSION, "bytes": "7"}),
        make_module("../x", VERSION),
        make_module("x", VERSION, publisher="javascript:alert(1)"),
    ],
)
def test_damaged_entries_are_left_out(damaged: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hubmodule"):
        modules = read_modules({"modules": [damaged, make_module("a", VERSION)]})
    assert [module.name for module in modules] == ["a"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("index", [{}, {"modules": None}, {"modules": {}}])
def test_an_index_without_modules(index: dict[str, Any]) -> None:
    assert read_modules(index) == []
    assert find_module(index, ModuleName("acme", "a")) is None


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
