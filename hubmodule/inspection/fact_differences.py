"""Compares the facts of two modules; needs neither their files nor TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hubmodule.inspection import compatibility
from hubmodule.inspection.differences import Change, Changes, ModuleDifferences, ValueChange
from hubmodule.inspection.facts import ModuleFacts, SignatureFacts, VariableFacts
from hubmodule.inspection.report import describe_writers
from hubmodule.inspection.wording import (
    describe_tags,
    describe_tensor,
    describe_type,
    format_bytes,
    format_tags,
)


def compare_facts(before: ModuleFacts, after: ModuleFacts) -> ModuleDifferences:
    """Compares the facts of two modules.

    Args:
        before: The facts of the first module.
        after: The facts of the second module, for example of a new version of the first.

    Returns:
        The differences except those of ops, which facts do not have. The checksums of the
        variables show which values differ, not by how much.
    """
    return ModuleDifferences(
        before=before.handle,
        after=after.handle,
        about=_compare_about(before, after),
        variants=_compare(
            *({format_tags(v.tags): "" for v in m.variants} for m in (before, after))
        ),
        signatures=_compare(_describe_signatures(before), _describe_signatures(after)),
        variables=_compare(_describe_variables(before), _describe_variables(after)),
        values=tuple(
            ValueChange(new.name)
            for old, new in find_changed_variables(before, after)
            # If the partitions differ, even equal values have other checksums.
            if old.partitions == new.partitions
        ),
        common_variables=len(
            {v.name for v in before.variables} & {v.name for v in after.variables}
        ),
        assets=_compare(*({a.name: a.sha256 for a in m.assets} for m in (before, after))),
        messages=_compare(_describe_messages(before), _describe_messages(after)),
        ops=(),
        incompatible=compatibility.find_incompatibilities(before, after),
        cannot_restore=compatibility.find_restore_problems(before, after),
        damage=tuple(f"{m.handle}: {text}" for m in (before, after) for text in m.damage),
        calls=_compare(_describe_calls(before), _describe_calls(after)),
    )


def find_changed_variables(
    before: ModuleFacts, after: ModuleFacts
) -> Iterator[tuple[VariableFacts, VariableFacts]]:
    """Finds the variables of the same type and shape whose values have other checksums.

    Args:
        before: The facts of the first module.
        after: The facts of the second module.

    Yields:
        The facts of the variable in the first module and in the second.
    """
    twins = {variable.name: variable for variable in before.variables}
    for variable in after.variables:
        twin = twins.get(variable.name)
        if twin is None or None in (twin.digest, variable.digest) or twin.digest == variable.digest:
            continue
        if (twin.dtype, twin.shape) == (variable.dtype, variable.shape):
            yield twin, variable


def _compare(before: Mapping[str, str], after: Mapping[str, str]) -> Changes:
    return Changes(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(
            Change(name, before[name], after[name])
            for name in sorted(before.keys() & after.keys())
            if before[name] != after[name]
        ),
    )


def _compare_about(old: ModuleFacts, new: ModuleFacts) -> tuple[Change, ...]:
    facts = [
        {"format": module.format.value, "written by": describe_writers(module)}
        for module in (old, new)
    ]
    return _compare(*facts).changed


def _describe_signatures(module: ModuleFacts) -> dict[str, str]:
    found = {}
    for variant in module.variants:
        for signature in variant.signatures:
            name = (
                f"{signature.name} ({format_tags(variant.tags)})"
                if variant.tags
                else signature.name
            )
            found[name] = _describe_signature(signature)
    return found


def _describe_signature(signature: SignatureFacts) -> str:
    sides = (
        ", ".join(f"{info.name}: {describe_tensor(info)}" for info in infos)
        for infos in (signature.inputs, signature.outputs)
    )
    return " -> ".join(f"({side})" for side in sides)


def _describe_calls(module: ModuleFacts) -> dict[str, str]:
    found: dict[str, str] = {}
    for call in (*module.calls, *module.methods):
        # The loader takes the first function that accepts the arguments.
        found.setdefault(f"{call.method}({call.arguments})", call.outputs)
    return found


def _describe_variables(module: ModuleFacts) -> dict[str, str]:
    return {variable.name: _describe_variable(variable) for variable in module.variables}


def _describe_variable(variable: VariableFacts) -> str:
    text = describe_type(variable.dtype, variable.shape)
    if variable.partitions > 1:
        text += f" in {variable.partitions} parts"
    for word, variants in (("in", variable.variants), ("trainable in", variable.trainable_in)):
        text += f"; {word} {', '.join(map(_name_variant, variants)) or 'no variant'}"
    return text


def _name_variant(tags: tuple[str, ...]) -> str:
    return f"the variant {describe_tags(tags)}"


def _describe_messages(module: ModuleFacts) -> dict[str, str]:
    found = {}
    for variant in module.variants:
        for message in variant.messages:
            fields = ", ".join(f"{key} {value}" for key, value in (message.content or {}).items())
            name = f"{message.key} ({format_tags(variant.tags)})" if variant.tags else message.key
            found[name] = fields or f"{format_bytes(message.bytes)}, sha256 {message.sha256}"
    return found
