"""The v1 control flow contexts of a graph: their ops, and the ops that these need.

A graph with v1 loops and conditionals carries their contexts in the collections
"while_context" and "cond_context"; without them, gradients cannot be built.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import control_flow_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery import collections
from hubmodule.surgery.names import get_op_name

# By collection.
CONTEXT_DEFS = {
    collections.WHILE_CONTEXT: control_flow_pb2.WhileContextDef,
    collections.COND_CONTEXT: control_flow_pb2.CondContextDef,
}
_SINGLE_NAMES = (
    "pivot_name",
    "pivot_for_pred_name",
    "pivot_for_body_name",
    "maximum_iterations_name",
    "pred_name",
)
_REPEATED_NAMES = ("loop_exit_names", "loop_enter_names")


class Contexts:
    """The control flow contexts of one MetaGraph.

    Args:
        meta_graph: The MetaGraphDef with the collections of contexts.

    Raises:
        ModuleFormatError: If a context cannot be read.
    """

    def __init__(self, meta_graph: MetaGraphDef):
        self._roots = list(_parse_contexts(meta_graph))
        self._companions: dict[str, set[str]] = defaultdict(set)
        for _, root in self._roots:
            for context in iterate_family(root):
                essential = _find_essential_ops(context)
                for op in find_members(context):
                    self._companions[op] |= essential

    def find_companions(self, op: str) -> set[str]:
        """Finds the ops that the contexts of an op need.

        A loop stays complete: its enters, exits and pivots are found by name when a
        gradient is built.
        """
        return self._companions.get(op, set())

    def move_under(
        self, scope: str, find_new_name: Callable[[str], str | None]
    ) -> Iterator[tuple[str, Any]]:
        """Moves the contexts of a subgraph under a scope.

        Args:
            scope: The absolute scope, with the final "/".
            find_new_name: A function from the name of an op or tensor to its new name; None if it
                is not in the subgraph.

        Yields:
            The collection and the new context def of each outermost context that has ops in
            the subgraph.
        """
        for key, root in self._roots:
            context = _move_context(root, scope, find_new_name)
            if context is not None:
                yield key, context


def _parse_contexts(meta_graph: MetaGraphDef) -> Iterator[tuple[str, Any]]:
    for key, context_def in CONTEXT_DEFS.items():
        if key in meta_graph.collection_def:
            for serialized in meta_graph.collection_def[key].bytes_list.value:
                try:
                    context = context_def.FromString(serialized)
                except DecodeError as error:
                    raise ModuleFormatError(
                        f"Collection '{key}' is damaged: {error}. Fetch the module again."
                    ) from error
                yield key, context


def iterate_family(context: Any) -> Iterator[Any]:
    """Yields a context def and all context defs nested in it."""
    yield context
    for nested in context.nested_contexts:
        yield from iterate_family(getattr(nested, nested.WhichOneof("ctxt")))


def find_members(context: Any) -> set[str]:
    """Returns the names of the ops of a context."""
    values = context.values_def
    return {get_op_name(v) for v in values.values if v not in values.external_values}


def _find_essential_ops(context: Any) -> set[str]:
    names = [getattr(context, field, "") for field in _SINGLE_NAMES]
    for field in _REPEATED_NAMES:
        names.extend(getattr(context, field, ()))
    return {get_op_name(name) for name in names if name}


def _move_context(
    context: Any, scope: str, find_new_name: Callable[[str], str | None]
) -> Any | None:
    """Returns the context with new names; None if the subgraph has none of its ops."""
    if find_new_name(context.pivot_name) is None:
        return None
    moved = type(context)()
    moved.CopyFrom(context)
    # The context has the name of the frame, which moves like the attribute of Enter ops.
    moved.context_name = scope + context.context_name
    for field in _SINGLE_NAMES:
        if getattr(context, field, ""):
            setattr(moved, field, find_new_name(getattr(context, field)) or "")
    for field in _REPEATED_NAMES:
        if hasattr(context, field):
            names = [find_new_name(name) or name for name in getattr(context, field)]
            del getattr(moved, field)[:]
            getattr(moved, field).extend(names)
    _move_values(moved.values_def, context.values_def, find_new_name)
    _move_nested(moved, context, scope, find_new_name)
    return moved


def _move_values(
    moved: control_flow_pb2.ValuesDef,
    values: control_flow_pb2.ValuesDef,
    find_new_name: Callable[[str], str | None],
) -> None:
    moved.Clear()
    moved.values.extend(n for n in map(find_new_name, values.values) if n)
    for outside, inside in values.external_values.items():
        new_outside, new_inside = find_new_name(outside), find_new_name(inside)
        if new_outside and new_inside:
            moved.external_values[new_outside] = new_inside


def _move_nested(
    moved: Any, context: Any, scope: str, find_new_name: Callable[[str], str | None]
) -> None:
    del moved.nested_contexts[:]
    for holder in context.nested_contexts:
        kind = holder.WhichOneof("ctxt")
        nested = _move_context(getattr(holder, kind), scope, find_new_name)
        if nested is not None:
            getattr(moved.nested_contexts.add(), kind).CopyFrom(nested)
