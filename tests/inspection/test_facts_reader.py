"""Tests of hubmodule.inspection.facts_reader."""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

import pytest

from hubmodule.errors import FactsError
from hubmodule.inspection.facts_reader import read_facts
from hubmodule.inspection.inspect import inspect
from tests.inspection.modules import ALL_GOLDEN, golden


@pytest.mark.parametrize("path", ALL_GOLDEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_facts_come_back_from_json(path) -> None:
    facts = inspect(path)
    assert read_facts(json.loads(json.dumps(facts.to_dict()))) == facts


@pytest.fixture(scope="module")
def image() -> dict[str, Any]:
    return inspect(golden("image")).to_dict()


def change(facts: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    """Returns a copy with another value at a path of keys and indices."""
    changed = copy.deepcopy(facts)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["sizes", "graph"], "4", "facts.sizes.graph is of type str, not int."),
        (["sizes", "graph"], True, "facts.sizes.graph is of type bool, not int."),
        (["variants"], {}, "facts.variants is of type dict, not list."),
        (["variants", 0], None, "facts.variants is of type NoneType, not dict."),
        (["format"], "ONNX", "facts.format is 'ONNX', which is not known."),
        (["format"], [], "facts.format is [], which is not known."),
        (["sizes"], {"graph": 1, "assets": 1}, "facts.sizes has no field 'variables'."),
        (
            ["schema"],
            2,
            "facts has the layout 2, and this version of hubmodule reads the layout 1; upgrade "
            "hubmodule.",
        ),
    ],
)
def test_damage(image: dict[str, Any], path: list[Any], value: Any, message: str) -> None:
    with pytest.raises(FactsError) as caught:
        read_facts(change(image, path, value))
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [None, [], "facts", {}])
def test_what_are_no_facts(value: object) -> None:
    with pytest.raises(ValueError, match=r"^facts (is of type|has no field)"):
        read_facts(value)


def test_fields_of_later_versions_are_ignored(image: dict[str, Any]) -> None:
    later = change(image, ["sizes", "later"], [1])
    assert read_facts(later) == read_facts(image)


def test_fields_with_a_default_may_be_missing(image: dict[str, Any]) -> None:
    earlier = {name: value for name, value in image.items() if name != "findings"}
    assert read_facts(earlier).findings == ()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
