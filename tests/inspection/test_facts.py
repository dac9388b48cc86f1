"""Tests of hubmodule.inspection.facts."""

from __future__ import annotations

import dataclasses
import json
import sys

import pytest

from hubmodule.inspection.facts import ModuleFormat, convert_to_plain
from hubmodule.inspection.inspect import inspect
from tests.inspection.modules import golden


def test_the_dict_is_what_json_gives_back() -> None:
    facts = inspect(golden("image")).to_dict()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["schema"] == 1
    assert facts["format"] == "TF1 Hub format"
    assert facts["variants"][0]["messages"][0]["content"] == {"height": 6, "width": 4}


def test_plain_values() -> None:
    assert convert_to_plain({"a": (1, ModuleFormat.TF1_HUB)}) == {"a": [1, "TF1 Hub format"]}


def test_the_repr_is_a_line() -> None:
    path = golden("image")
    facts = inspect(path)
    assert repr(facts) == (f"<hub.inspect({path!r}): TF1 Hub format, 1 graph variant, 1 variable>")
    damaged = dataclasses.replace(facts, damage=("It is.",), variables=())
    assert repr(damaged).endswith(", 0 variables, damaged>")


def test_facts_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        inspect(golden("image")).handle = ""


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
