"""hub.diff: compares two modules by their files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from hubmodule.errors import ModuleFormatError
from hubmodule.inspection import checkpoint_files, compatibility, graph_differences, weights
from hubmodule.inspection.differences import (
    Change,
    Changes,
    ModuleDifferences,
    ScopeChange,
    ValueChange,
)
from hubmodule.inspection.facts import ModuleFacts, SignatureFacts, VariableFacts
from hubmodule.inspection.inspect import collect_facts
from hubmodule.inspection.report import describe_writers
from hubmodule.inspection.saved_model_file import read_saved_model
from hubmodule.inspection.wording import (
    describe_tensor,
    describe_type,
    format_bytes,
    format_tags,
)
from hubmodule.resolver.resolvers import resolve
from hubmodule.resolver.urls import redact

_MOST_REASONS = 3


def diff(
    before: str | os.PathLike[str], after: str | os.PathLike[str], weights: bool = False
) -> ModuleDifferences:
    """Compares two modules by their files; runs nothing and imports no graph.

    Args:
        before: The handle of the first module, as for hub.inspect().
        after: The handle of the second module, for example of a new version of the first.
        weights: Whether to read the values that differ, and compute by how much. If False,
            the checksums in the checkpoints show which values differ, and no value is read.

    Returns:
        The differences.

    Raises:
        NotAModuleError: If one of the modules has no saved_model.pb.
        ModuleFormatError: If the file system refuses to read a file, or if no graph of a damaged
            module can be read.
        CheckpointError: If `weights` is True and a checkpoint cannot be read.

    Further exceptions are those of hub.resolve().
    """
    old, new = (
        collect_facts(redact(os.fsdecode(handle)), resolve(handle)) for handle in (before, after)
    )
    for module in (old, new):
        if module.damage and not module.variants:
            raise ModuleFormatError(
                f"{module.path} cannot be compared, because none of its graphs can be read: "
                f"{' '.join(module.damage[:_MOST_REASONS])} Fetch the module again."
            )
    return ModuleDifferences(
        before=old.handle,
        after=new.handle,
        about=_compare_about(old, new),
        variants=_compare(*({format_tags(v.tags): "" for v in m.variants} for m in (old, new))),
        signatures=_compare(_describe_signatures(old), _describe_signatures(new)),
        variables=_compare(_describe_variables(old), _describe_variables(new)),
        values=tuple(_compare_values(old, new, weights)),
        common_variables=len({v.name for v in old.variables} & {v.name for v in new.variables}),
        assets=_compare(*({a.name: a.sha256 for a in m.assets} for m in (old, new))),
        messages=_compare(_describe_messages(old), _describe_messages(new)),
        ops=_compare_ops(old.path, new.path),
        incompatible=compatibility.find_incompatibilities(old, new),
        cannot_restore=compatibility.find_restore_problems(old, new),
        damage=tuple(f"{m.handle}: {text}" for m in (old, new) for text in m.damage),
        calls=_compare(_describe_calls(old), _describe_calls(new)),
    )


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
        text += f"; {word} {', '.join(map(format_tags, variants)) or 'no variant'}"
    return text


def _describe_messages(module: ModuleFacts) -> dict[str, str]:
    found = {}
    for variant in module.variants:
        for message in variant.messages:
            fields = ", ".join(f"{key} {value}" for key, value in (message.content or {}).items())
            name = f"{message.key} ({format_tags(variant.tags)})" if variant.tags else message.key
            found[name] = fields or f"{format_bytes(message.bytes)}, sha256 {message.sha256}"
    return found


def _compare_values(old: ModuleFacts, new: ModuleFacts, read: bool) -> Iterator[ValueChange]:
    """Yields the variables whose values differ.

    Args:
        old: The facts of the first module.
        new: The facts of the second module.
        read: Whether to read the values that differ, and compute by how much.
    """
    checkpoints = [checkpoint_files.read_checkpoint(module.path) for module in (old, new)]
    twins = {variable.name: variable for variable in old.variables}
    for variable in new.variables:
        twin = twins.get(variable.name)
        if twin is None or None in (twin.digest, variable.digest) or twin.digest == variable.digest:
            continue
        has_same_type = (twin.dtype, twin.shape) == (variable.dtype, variable.shape)
        if read and has_same_type:
            pairs = zip(checkpoints, (twin.key, variable.key), strict=True)
            change = weights.compare_values(variable.name, *pairs)
            if change is not None:
                yield change
        elif has_same_type and twin.partitions == variable.partitions:
            # If the partitions differ, even equal values have other checksums.
            yield ValueChange(variable.name)


def _compare_ops(old: str, new: str) -> tuple[ScopeChange, ...]:
    before, after = (
        {
            tuple(sorted(m.meta_info_def.tags)): m
            for m in read_saved_model(path).saved_model.meta_graphs
        }
        for path in (old, new)
    )
    return tuple(
        change
        for tags in sorted(before.keys() & after.keys())
        for change in graph_differences.compare_graphs(before[tags], after[tags])
    )
