"""Tests of hubmodule.inspection.compatibility."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from hubmodule.inspection.compatibility import find_incompatibilities, find_restore_problems
from hubmodule.inspection.facts import Argument, Call, MessageFacts, ModuleFormat
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


def argument(name: str, dtype: str = "float32", shape=(None, 3)) -> Argument:
    """An argument that is one tensor."""
    return Argument(name, "tensor", (tensor(name, dtype, shape),))


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


RESULT = argument("")


def call(*parameters: Argument, result: Argument = RESULT, method: str = "__call__") -> Call:
    """A way to call an object."""
    text = ", ".join(f"{each.name}: {each.layout}" for each in parameters)
    return Call(text, result.layout, (), method, parameters, result)


def compare_calls(old: Call, *new: Call) -> tuple[str, ...]:
    """Why modules with the new calls cannot replace one with the old call."""
    return find_incompatibilities(module(calls=(old,)), module(calls=new))


X = argument("x")
TRAINING = Argument("training", "False", ())
OPTIONAL = Argument("mask", "None", (), is_optional=True)


@pytest.mark.parametrize(
    "new",
    [
        call(X),
        call(argument("x", shape=(None, None))),
        call(X, OPTIONAL),
        call(X, result=argument("", shape=(2, 3))),
    ],
)
def test_a_call_that_callers_do_not_notice(new: Call) -> None:
    assert compare_calls(call(X), new) == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (call(X), call(argument("w")), "The object cannot be called with (x: tensor)."),
        (call(X), call(argument("x", shape=(2, 3))), "cannot be called"),
        (call(X), call(argument("x", "float64")), "cannot be called"),
        (call(X), call(X, TRAINING), "cannot be called"),
        (call(X, TRAINING), call(X), "cannot be called"),
        (call(X), call(X, result=argument("", "int32")), "The object returns tensor, not tensor"),
        (call(X), call(X, result=Argument("", "[tensor]", (tensor("[0]"),))), "returns [tensor]"),
    ],
)
def test_a_call_that_callers_notice(old: Call, new: Call, reason: str) -> None:
    (found,) = compare_calls(old, new)
    assert reason in found


def test_a_dict_may_get_more_results() -> None:
    both = Argument("", "{'a': tensor, 'b': tensor}", (tensor("['a']"), tensor("['b']")))
    one = Argument("", "{'a': tensor}", (tensor("['a']"),))
    assert compare_calls(call(X, result=one), call(X, result=both)) == ()
    assert compare_calls(call(X, result=both), call(X, result=one)) == (
        "The object returns {'a': tensor}, not {'a': tensor, 'b': tensor}, for (x: tensor).",
    )


def test_arguments_without_names_are_compared_in_their_order() -> None:
    unnamed = call(argument(""), argument(""))
    assert compare_calls(unnamed, unnamed) == ()
    (found,) = compare_calls(unnamed, call(argument("")))
    assert "cannot be called" in found


def test_the_first_call_that_accepts_the_arguments_counts() -> None:
    other = call(X, result=argument("", "int32"))
    assert compare_calls(call(X), call(X), other) == ()
    assert compare_calls(call(X), call(TRAINING), call(X), other) == ()
    assert len(compare_calls(call(X), other, call(X))) == 1


def test_methods() -> None:
    encode, decode = (call(X, method=method) for method in ("encode", "decode"))
    before = module(calls=(call(X),), methods=(decode, encode))
    assert find_incompatibilities(before, module(methods=(encode,))) == (
        "The object cannot be called.",
        "There is no method 'decode'.",
    )
    narrow = call(argument("x", shape=(1, 3)), method="encode")
    assert find_incompatibilities(module(methods=(encode,)), module(methods=(narrow,))) == (
        "Method 'encode' cannot be called with (x: tensor).",
    )


def test_variants_and_messages() -> None:
    before = module(messages=[MessageFacts("m", 1, "")])
    assert find_incompatibilities(before, module()) == ("There is no attached message 'm'.",)
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
