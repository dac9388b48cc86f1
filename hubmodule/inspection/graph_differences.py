"""Compares the ops of two graphs, scope by scope."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable

from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.inspection.differences import ScopeChange

# TensorFlow numbers functions anew each time that it traces them.
_NUMBER = re.compile(r"(_\d+)+$")
# Derived from the rest of the graph, and written by some versions only.
_DERIVED = frozenset({"_output_shapes"})
_DEPTH = 2
_ADDED, _REMOVED, _CHANGED = range(3)


def compare_graphs(before: MetaGraphDef, after: MetaGraphDef) -> tuple[ScopeChange, ...]:
    """The scopes and functions in which the ops of two graph variants are not the same."""
    counters: dict[str, list[collections.Counter[str]]] = {}
    old, new = before.graph_def, after.graph_def
    _compare_nodes(old.node, new.node, None, counters)
    old_functions, new_functions = _functions(before), _functions(after)
    for name in sorted(old_functions.keys() | new_functions.keys()):
        olds, news = old_functions.get(name, []), new_functions.get(name, [])
        for index in range(max(len(olds), len(news))):
            _compare_nodes(
                olds[index] if index < len(olds) else (),
                news[index] if index < len(news) else (),
                f"function {name}",
                counters,
            )
    tags = tuple(sorted(after.meta_info_def.tags))
    return tuple(
        ScopeChange(tags, scope, *(dict(sorted(counter.items())) for counter in counters[scope]))
        for scope in sorted(counters)
    )


def _functions(meta_graph: MetaGraphDef) -> dict[str, list[Iterable[NodeDef]]]:
    """The bodies of the functions by their names without numbers, in the order of the numbers."""
    functions: dict[str, list[Iterable[NodeDef]]] = {}
    for function in meta_graph.graph_def.library.function:
        name = _NUMBER.sub("", function.signature.name)
        functions.setdefault(name, []).append(function.node_def)
    return functions


def _compare_nodes(
    before: Iterable[NodeDef],
    after: Iterable[NodeDef],
    function: str | None,
    counters: dict[str, list[collections.Counter[str]]],
) -> None:
    """Counts what differs, into the counters of each scope: added, removed and changed."""
    old: dict[str, NodeDef] = {node.name: node for node in before}
    for node in after:
        twin = old.pop(node.name, None)
        if twin is None:
            _count(node, function, _ADDED, counters)
        elif twin.op != node.op and not _is_same_function(twin.op, node.op):
            _count(twin, function, _REMOVED, counters)
            _count(node, function, _ADDED, counters)
        elif _differs(twin, node):
            _count(node, function, _CHANGED, counters)
    for node in old.values():
        _count(node, function, _REMOVED, counters)


def _count(
    node: NodeDef,
    function: str | None,
    kind: int,
    counters: dict[str, list[collections.Counter[str]]],
) -> None:
    parts = node.name.split("/")[:-1][:_DEPTH]
    scope = function or "".join(f"{part}/" for part in parts)
    counters.setdefault(scope, [collections.Counter() for _ in range(3)])[kind][node.op] += 1


def _is_same_function(first: str, second: str) -> bool:
    return _NUMBER.sub("", first) == _NUMBER.sub("", second) and first[-1:].isdigit()


def _differs(first: NodeDef, second: NodeDef) -> bool:
    # Nearly all nodes are equal to the last byte.
    if first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True):
        return False
    if (list(first.input), first.device) != (list(second.input), second.device):
        return True
    return _attributes(first) != _attributes(second)


def _attributes(node: NodeDef) -> dict[str, object]:
    return {name: _comparable(node.attr[name]) for name in node.attr if name not in _DERIVED}


def _comparable(value: AttrValue) -> object:
    """A value without the numbers of functions."""
    functions = [value.func] if value.HasField("func") else list(value.list.func)
    if not functions:
        return value.SerializeToString(deterministic=True)
    return [
        (_NUMBER.sub("", f.name), {name: _comparable(f.attr[name]) for name in f.attr})
        for f in functions
    ]
