"""hub.diff: compares two modules by their files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator

from hubmodule.errors import ModuleFormatError
from hubmodule.inspection import checkpoint_files, graph_differences
from hubmodule.inspection.differences import ModuleDifferences, ScopeChange, ValueChange
from hubmodule.inspection.fact_differences import compare_facts, find_changed_variables
from hubmodule.inspection.facts import ModuleFacts
from hubmodule.inspection.inspect import collect_facts
from hubmodule.inspection.saved_model_file import read_saved_model
from hubmodule.inspection.weights import compare_values
from hubmodule.resolver.resolvers import resolve
from hubmodule.urls import redact

_MOST_REASONS = 3


def diff(
    before: str | os.PathLike[str], after: str | os.PathLike[str], weights: bool = False
) -> ModuleDifferences:
    """Compares two modules by their files; runs nothing and imports no graph.

        >>> differences = hub.diff("modules/text", "modules/text_2", weights=True)
        >>> differences
        <hub.diff('modules/text', 'modules/text_2'): different, can replace it>
        >>> differences.is_compatible
        True
        >>> [(change.name, change.largest_difference) for change in differences.values]
        [('embeddings', 1.0)]

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
    found = compare_facts(old, new)
    return dataclasses.replace(
        found,
        values=tuple(_measure_changes(old, new)) if weights else found.values,
        ops=_compare_ops(old.path, new.path),
    )


def _measure_changes(old: ModuleFacts, new: ModuleFacts) -> Iterator[ValueChange]:
    """Reads the values that differ; yields by how much they do."""
    checkpoints = [checkpoint_files.read_checkpoint(module.path) for module in (old, new)]
    for twin, variable in find_changed_variables(old, new):
        pairs = zip(checkpoints, (twin.key, variable.key), strict=True)
        change = compare_values(variable.name, *pairs)
        if change is not None:
            yield change


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
