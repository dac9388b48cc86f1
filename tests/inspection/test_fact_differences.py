"""Tests of hubmodule.inspection.fact_differences."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from hubmodule.inspection.differences import Change, ValueChange
from hubmodule.inspection.fact_differences import compare_facts, find_changed_variables
from hubmodule.inspection.facts import ModuleFacts
from hubmodule.inspection.inspect import inspect
from tests.inspection.modules import golden, variable


@pytest.fixture(scope="module")
def facts() -> ModuleFacts:
    return inspect(golden("image"))


def test_equal_facts(facts: ModuleFacts) -> None:
    assert compare_facts(facts, facts).is_equal


def test_values_that_changed(facts: ModuleFacts) -> None:
    old = dataclasses.replace(
        facts, variables=(variable("a"), variable("b"), variable("c"), variable("d", digest=None))
    )
    new = dataclasses.replace(
        facts,
        variables=(
            variable("a", digest="x"),
            variable("b", digest="x", partitions=2),
            variable("c", 8, digest="x"),
            variable("d", digest="x"),
            variable("e"),
        ),
    )
    found = compare_facts(old, new)
    assert found.values == (ValueChange("a"),)
    assert found.variables.added == ("e",)
    assert [change.name for change in found.variables.changed] == ["b", "c"]
    assert [new.name for _, new in find_changed_variables(old, new)] == ["a", "b"]


def test_signatures_that_changed(facts: ModuleFacts) -> None:
    (variant,) = facts.variants
    fewer = dataclasses.replace(facts, variants=(dataclasses.replace(variant, signatures=()),))
    found = compare_facts(facts, fewer)
    assert found.signatures.removed == tuple(sorted(s.name for s in variant.signatures))
    assert not found.is_compatible
    assert compare_facts(fewer, facts).is_compatible


def test_who_wrote_it(facts: ModuleFacts) -> None:
    (variant,) = facts.variants
    other = dataclasses.replace(variant, tensorflow_version="9.9", hubmodule_version=None)
    found = compare_facts(facts, dataclasses.replace(facts, variants=(other,)))
    (change,) = found.about
    assert (change.name, change.after) == ("written by", "TensorFlow 9.9")
    assert isinstance(change, Change)


def test_needs_no_tensorflow() -> None:
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import hubmodule.inspection.fact_differences, hubmodule.inspection.facts_reader"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
