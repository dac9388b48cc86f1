"""The v1 control flow contexts of a graph: which ops belong to which, and what each needs.

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
from hubmodule.surgery.names import op_name

# By the collections that they are in.
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
        meta_graph: where they are read from.
    """

    def __init__(self, meta_graph: MetaGraphDef):
        self._roots = list(_parsed(meta_graph))
        self._companions: dict[str, set[str]] = defaultdict(set)
        for _, root in self._roots:
            for context in iterate_family(root):
                essential = _find_essential_ops(context)
                for op in find_members(context):
                    self._companions[op] |= essential

    def find_companions(self, op: str) -> set[str]:
        """The ops that an op cannot be without, as they hold up the contexts that it is in.

        A loop stays whole: its enters, exits and pivots are found by name when a
        gradient is built.
        """
        return self._companions.get(op, set())

    def move_under(
        self, scope: str, new_name: Callable[[str], str | None]
    ) -> Iterator[tuple[str, Any]]:
        """The contexts of a part of the graph that is moved under a scope.

        Args:
            scope: absolute, with its final "/".
            new_name: gives the new name of an op or tensor, or None for what is not there.

        Yields:
            The collection and the new context def of each outermost context that is
            still inhabited.
        """
        for key, root in self._roots:
            context = _move_context(root, scope, new_name)
            if context is not None:
                yield key, context


def _parsed(meta_graph: MetaGraphDef) -> Iterator[tuple[str, Any]]:
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
    """A context def, and those that are nested in it."""
    yield context
    for nested in context.nested_contexts:
        yield from iterate_family(getattr(nested, nested.WhichOneof("ctxt")))


def find_members(context: Any) -> set[str]:
    """The names of the ops that are in a context."""
    values = context.values_def
    return {op_name(v) for v in values.values if v not in values.external_values}


def _find_essential_ops(context: Any) -> set[str]:
    names = [getattr(context, field, "") for field in _SINGLE_NAMES]
    for field in _REPEATED_NAMES:
        names.extend(getattr(context, field, ()))
    return {op_name(name) for name in names if name}


def _move_context(context: Any, scope: str, new_name: Callable[[str], str | None]) -> Any | None:
    """The context with new names, or None if none of its ops is left."""
    if new_name(context.pivot_name) is None:
        return None
    moved = type(context)()
    moved.CopyFrom(context)
    # The context's name is the frame's name, which moves like the attribute of Enter ops.
    moved.context_name = scope + context.context_name
    for field in _SINGLE_NAMES:
        if getattr(context, field, ""):
            setattr(moved, field, new_name(getattr(context, field)) or "")
    for field in _REPEATED_NAMES:
        if hasattr(context, field):
            names = [new_name(name) or name for name in getattr(context, field)]
            del getattr(moved, field)[:]
            getattr(moved, field).extend(names)
    _move_values(moved.values_def, context.values_def, new_name)
    _move_nested(moved, context, scope, new_name)
    return moved


def _move_values(
    moved: control_flow_pb2.ValuesDef,
    values: control_flow_pb2.ValuesDef,
    new_name: Callable[[str], str | None],
) -> None:
    moved.Clear()
    moved.values.extend(n for n in map(new_name, values.values) if n)
    for outside, inside in values.external_values.items():
        new_outside, new_inside = new_name(outside), new_name(inside)
        if new_outside and new_inside:
            moved.external_values[new_outside] = new_inside


def _move_nested(
    moved: Any, context: Any, scope: str, new_name: Callable[[str], str | None]
) -> None:
    del moved.nested_contexts[:]
    for holder in context.nested_contexts:
        kind = holder.WhichOneof("ctxt")
        nested = _move_context(getattr(holder, kind), scope, new_name)
        if nested is not None:
            getattr(moved.nested_contexts.add(), kind).CopyFrom(nested)
