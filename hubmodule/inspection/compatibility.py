"""Decides whether programs that use one version of a module can use another version."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from hubmodule.inspection.facts import (
    CALL_METHOD,
    Argument,
    Call,
    ModuleFacts,
    Shape,
    SignatureFacts,
    TensorFacts,
)
from hubmodule.inspection.wording import describe_tags, describe_tensor

_MOST_NAMES = 3


def find_incompatibilities(before: ModuleFacts, after: ModuleFacts) -> tuple[str, ...]:
    """Finds the reasons why programs that call one module cannot call another one.

    They can if the second module has every graph variant, signature, output and attached
    message of the first, its signatures have the same inputs, which take at least the same
    shapes, and its outputs have the same types and the same or narrower shapes. The same
    applies to the calls of the object of a TF2 SavedModel and of its public methods.

    Args:
        before: The facts of the module that the programs call.
        after: The facts of the module that is to replace it.

    Returns:
        The reasons, a sentence each; empty if the programs can call the second module.
    """
    return tuple(_compare_modules(before, after))


def find_restore_problems(before: ModuleFacts, after: ModuleFacts) -> tuple[str, ...]:
    """Finds the reasons why a checkpoint of a program cannot be restored with another module.

    Args:
        before: The facts of the module that the program used when it wrote the checkpoint.
        after: The facts of the module that it is to use.

    Returns:
        The reasons, a sentence each; empty if the checkpoint can be restored.
    """
    old = {variable.name: variable for variable in before.variables}
    new = {variable.name: variable for variable in after.variables}
    other = [
        name
        for name in old.keys() & new.keys()
        if (old[name].dtype, old[name].shape) != (new[name].dtype, new[name].shape)
    ]
    problems = []
    for names, what in (
        (old.keys() - new.keys(), "removed"),
        (new.keys() - old.keys(), "added"),
        (other, "of another type or shape"),
    ):
        if names:
            problems.append(f"Variables are {what}: {_list_names(sorted(names))}.")
    return tuple(problems)


def _compare_modules(before: ModuleFacts, after: ModuleFacts) -> Iterator[str]:
    if before.format != after.format:
        yield f"The format is {after.format.value}, not {before.format.value}."
    variants = {variant.tags: variant for variant in after.variants}
    for old in before.variants:
        new = variants.get(old.tags)
        if new is None:
            yield f"There is no graph variant {describe_tags(old.tags)}."
            continue
        signatures = {signature.name: signature for signature in new.signatures}
        where = f" of the variant {describe_tags(old.tags)}" if len(before.variants) > 1 else ""
        for signature in old.signatures:
            if signature.name not in signatures:
                yield f"There is no signature '{signature.name}'{where}."
            else:
                what = f"signature '{signature.name}'{where}"
                yield from _compare_signatures(signature, signatures[signature.name], what)
        missing = {m.key for m in old.messages} - {m.key for m in new.messages}
        for key in sorted(missing):
            yield f"There is no attached message '{key}'{where}."
    yield from _compare_calls((*before.calls, *before.methods), (*after.calls, *after.methods))


def _compare_calls(before: Sequence[Call], after: Sequence[Call]) -> Iterator[str]:
    new_calls: dict[str, list[Call]] = {}
    for call in after:
        new_calls.setdefault(call.method, []).append(call)
    for method in dict.fromkeys(call.method for call in before):
        if method not in new_calls:
            is_object = method == CALL_METHOD
            yield "The object cannot be called." if is_object else f"There is no method '{method}'."
    for call in before:
        what = "The object" if call.method == CALL_METHOD else f"Method '{call.method}'"
        # The loader takes the first function that accepts the arguments.
        candidates = new_calls.get(call.method, [])
        new = next((each for each in candidates if _accepts_call(each, call)), None)
        if new is not None and not _accepts_result(call.result, new.result):
            yield f"{what} returns {new.outputs}, not {call.outputs}, for ({call.arguments})."
        elif new is None and candidates:
            yield f"{what} cannot be called with ({call.arguments})."


def _accepts_call(new: Call, old: Call) -> bool:
    """Returns whether a function can be called as another one is."""
    if any(not parameter.name for parameter in (*new.parameters, *old.parameters)):
        pairs = list(itertools.zip_longest(new.parameters, old.parameters))
    else:
        given = {parameter.name: parameter for parameter in old.parameters}
        pairs = [(parameter, given.pop(parameter.name, None)) for parameter in new.parameters]
        pairs += [(None, parameter) for parameter in given.values()]
    return all(
        place.is_optional
        if value is None
        else place is not None and _accepts_argument(place, value)
        for place, value in pairs
    )


def _accepts_argument(place: Argument, value: Argument) -> bool:
    return place.layout == value.layout and all(
        _accepts(*tensors) for tensors in zip(place.tensors, value.tensors, strict=True)
    )


def _accepts_result(old: Argument, new: Argument) -> bool:
    """Returns whether a result can replace another one; callers ignore what a dict has more."""
    if old.layout != new.layout and not (old.layout[:1] == new.layout[:1] == "{"):
        return False
    tensors = {tensor.name: tensor for tensor in new.tensors}
    return all(t.name in tensors and _accepts(t, tensors[t.name]) for t in old.tensors)


def _compare_signatures(old: SignatureFacts, new: SignatureFacts, what: str) -> Iterator[str]:
    new_inputs = {info.name: info for info in new.inputs}
    new_outputs = {info.name: info for info in new.outputs}
    for info in old.inputs:
        if info.name not in new_inputs:
            yield f"Input '{info.name}' of {what} was removed."
        elif not _accepts(new_inputs[info.name], info):
            yield (
                f"Input '{info.name}' of {what} takes {describe_tensor(new_inputs[info.name])}, "
                f"not {describe_tensor(info)}."
            )
    for name in sorted(new_inputs.keys() - {info.name for info in old.inputs}):
        yield f"Input '{name}' of {what} was added; callers do not give it."
    for info in old.outputs:
        if info.name not in new_outputs:
            yield f"Output '{info.name}' of {what} was removed."
        elif not _accepts(info, new_outputs[info.name]):
            yield (
                f"Output '{info.name}' of {what} is {describe_tensor(new_outputs[info.name])}, "
                f"not {describe_tensor(info)}."
            )


def _accepts(place: TensorFacts, value: TensorFacts) -> bool:
    """Returns whether a tensor declared as `value` fits where one like `place` is expected."""
    kinds = [(info.kind, info.type, info.dtype, info.ragged_rank) for info in (place, value)]
    return kinds[0] == kinds[1] and _covers(place.shape, value.shape)


def _covers(general: Shape, special: Shape) -> bool:
    if general is None:
        return True
    if special is None or len(general) != len(special):
        return False
    return all(g is None or g == s for g, s in zip(general, special, strict=True))


def _list_names(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_NAMES])
    rest = len(names) - _MOST_NAMES
    return f"{shown} and {rest} more" if rest > 0 else shown
