"""Compares the ops of two graphs, scope by scope."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import re
from collections.abc import Iterable

from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.inspection.differences import ScopeChange

# TensorFlow gives functions a new number each time that it traces them.
_NUMBER = re.compile(r"(_\d+)+$")
# Derived from the rest of the graph, and written by some versions only.
_DERIVED = frozenset({"_output_shapes"})
_DEPTH = 2


@dataclasses.dataclass
class _ScopeCounts:
    """Counts of the ops that differ in a scope.

    Attributes:
        added: Type of op -> how many were added.
        removed: Type of op -> how many were removed.
        changed: Type of op -> how many have other inputs or attributes.
        attributes: The names of what differs in the ops that changed.
    """

    added: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    removed: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    changed: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    attributes: set[str] = dataclasses.field(default_factory=set)

    def make_change(self, variant: tuple[str, ...], scope: str) -> ScopeChange:
        return ScopeChange(
            variant,
            scope,
            dict(sorted(self.added.items())),
            dict(sorted(self.removed.items())),
            dict(sorted(self.changed.items())),
            tuple(sorted(self.attributes)),
        )


_Scopes = collections.defaultdict[str, _ScopeCounts]


def compare_graphs(before: MetaGraphDef, after: MetaGraphDef) -> tuple[ScopeChange, ...]:
    """Finds the scopes and functions of two graph variants in which ops differ.

    Args:
        before: The variant of the first module.
        after: The variant of the second module, with the same tags.

    Returns:
        The changes, sorted by scope.
    """
    scopes: _Scopes = collections.defaultdict(_ScopeCounts)
    _compare_nodes(before.graph_def.node, after.graph_def.node, None, scopes)
    old_functions, new_functions = _group_functions(before), _group_functions(after)
    for name in sorted(old_functions.keys() | new_functions.keys()):
        bodies = itertools.zip_longest(
            old_functions.get(name, ()), new_functions.get(name, ()), fillvalue=()
        )
        for old, new in bodies:
            _compare_nodes(old, new, f"function {name}", scopes)
    tags = tuple(sorted(after.meta_info_def.tags))
    return tuple(counts.make_change(tags, scope) for scope, counts in sorted(scopes.items()))


def _group_functions(meta_graph: MetaGraphDef) -> dict[str, list[Iterable[NodeDef]]]:
    """Groups the bodies of functions by their names without numbers."""
    functions: dict[str, list[Iterable[NodeDef]]] = {}
    for function in meta_graph.graph_def.library.function:
        name = _NUMBER.sub("", function.signature.name)
        functions.setdefault(name, []).append(function.node_def)
    return functions


def _compare_nodes(
    before: Iterable[NodeDef], after: Iterable[NodeDef], function: str | None, scopes: _Scopes
) -> None:
    """Counts the nodes that differ.

    Args:
        before: The nodes of the first graph or function.
        after: The nodes of the second graph or function.
        function: The key of the counts for the body of a function; None for a graph, whose
            nodes are counted by scope.
        scopes: Scope -> its counts, to which the function adds.
    """

    def find_counts(node: NodeDef) -> _ScopeCounts:
        parts = node.name.split("/")[:-1][:_DEPTH]
        return scopes[function or "".join(f"{part}/" for part in parts)]

    old: dict[str, NodeDef] = {node.name: node for node in before}
    for node in after:
        twin = old.pop(node.name, None)
        if twin is None:
            find_counts(node).added[node.op] += 1
        elif twin.op != node.op and not _is_same_function(twin.op, node.op):
            find_counts(node).removed[twin.op] += 1
            find_counts(node).added[node.op] += 1
        elif differing := _find_differing(twin, node):
            counts = find_counts(node)
            counts.changed[node.op] += 1
            counts.attributes |= differing
    for node in old.values():
        find_counts(node).removed[node.op] += 1


def _is_same_function(first: str, second: str) -> bool:
    return _NUMBER.sub("", first) == _NUMBER.sub("", second) and first[-1:].isdigit()


def _find_differing(first: NodeDef, second: NodeDef) -> set[str]:
    """Finds the names of the fields and attributes that differ."""
    # Nearly all nodes are equal to the last byte.
    if first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True):
        return set()
    before, after = _read_fields(first), _read_fields(second)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _read_fields(node: NodeDef) -> dict[str, object]:
    attributes = {n: _make_comparable(node.attr[n]) for n in node.attr if n not in _DERIVED}
    return {**attributes, "input": list(node.input), "device": node.device}


def _make_comparable(value: AttrValue) -> object:
    """Makes a value without the numbers of functions, so that it can be compared."""
    functions = [value.func] if value.HasField("func") else list(value.list.func)
    if not functions:
        return value.SerializeToString(deterministic=True)
    return [
        (_NUMBER.sub("", f.name), {name: _make_comparable(f.attr[name]) for name in f.attr})
        for f in functions
    ]
