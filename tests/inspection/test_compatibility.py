"""Tests of hubmodule.inspection.compatibility."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from hubmodule.inspection.compatibility import find_incompatibilities, find_restore_problems
from hubmodule.inspection.facts import Call, MessageFacts, ModuleFormat
from hubmodule.inspection.inspect import inspect
from tests.inspection.modules import golden, signature, tensor, variable

BASE = inspect(golden("dense_regularized"))


INPUTS, OUTPUTS = (tensor("x"),), (tensor("y"),)


def module(inputs=INPUTS, outputs=OUTPUTS, name="default", **changes):
    """A module with one signature."""
    (variant,) = BASE.variants
    variant = dataclasses.replace(
        variant,
        signatures=(signature(name, inputs, outputs),),
        messages=changes.pop("messages", ()),
    )
    return dataclasses.replace(BASE, variants=(variant,), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"inputs": [tensor("x", shape=(None, None))]},
        {"inputs": [tensor("x", shape=None)]},
        {"outputs": [tensor("y", shape=(2, 3))]},
        {"outputs": [tensor("y"), tensor("z")]},
        {"messages": [MessageFacts("new", 1, "")]},
    ],
)
def test_what_callers_do_not_notice(changes) -> None:
    assert find_incompatibilities(module(), module(**changes)) == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "other"}, "There is no signature 'default'."),
        ({"inputs": [tensor("x", "float64")]}, "takes float64 [?, 3], not float32 [?, 3]"),
        ({"inputs": [tensor("x", shape=(1, 3))]}, "takes float32 [1, 3]"),
        ({"inputs": [tensor("x", kind="sparse")]}, "takes float32 [?, 3], sparse"),
        ({"inputs": []}, "Input 'x' of signature 'default' was removed."),
        ({"inputs": [tensor("x"), tensor("w")]}, "Input 'w' of signature 'default' was added"),
        ({"outputs": []}, "Output 'y' of signature 'default' was removed."),
        ({"outputs": [tensor("y", shape=(None, 4))]}, "is float32 [?, 4], not float32 [?, 3]"),
        ({"outputs": [tensor("y", shape=None)]}, "is float32 of any shape"),
        ({"format": ModuleFormat.TF2_SAVED_MODEL}, "format is TF2 SavedModel, not TF1 Hub"),
    ],
)
def test_what_callers_notice(changes, reason: str) -> None:
    (found,) = find_incompatibilities(module(), module(**changes))
    assert reason in found


def test_variants_messages_and_calls() -> None:
    before = module(
        messages=[MessageFacts("m", 1, "")], calls=(Call("x", "y", ()), Call("z", "y", ()))
    )
    after = module(calls=(Call("x", "y", ()),))
    assert find_incompatibilities(before, after) == (
        "There is no attached message 'm'.",
        "The object cannot be called with (z).",
    )
    (found,) = find_incompatibilities(before, dataclasses.replace(before, variants=()))
    assert found == "There is no graph variant without tags."


def test_checkpoints() -> None:
    before = module(variables=(variable("a"), variable("b"), variable("c", 8)))
    after = module(variables=(variable("a"), variable("c", 12), variable("d")))
    assert find_restore_problems(before, before) == ()
    assert find_restore_problems(before, after) == (
        "Variables are removed: 'b'.",
        "Variables are added: 'd'.",
        "Variables are of another type or shape: 'c'.",
    )
    many = module(variables=tuple(variable(f"v{number}") for number in range(9)))
    (text,) = find_restore_problems(module(variables=()), many)
    assert text == "Variables are added: 'v0', 'v1', 'v2' and 6 more."


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
