"""Moves graphs and variables under a scope: names become absolute, as the import needs them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule.surgery import functions, partitions
from hubmodule.surgery.colocation import GROUP
from hubmodule.surgery.names import add_scope

_ENTER_OPS = frozenset({"Enter", "RefEnter"})

# One counter for the process, like TensorFlow's counter of functions: graphs share the names.
_imports = itertools.count()


def move_graph_def(
    scope: str,
    graph_def: tf.compat.v1.GraphDef,
    replaced_groups: Mapping[str, Iterable[bytes]] | None = None,
) -> tf.compat.v1.GraphDef:
    """Moves every name of a graph under a scope.

    Requires that colocation constraints name ops of the graph or of `replaced_groups`.

    Args:
        scope: The absolute scope, with the final "/".
        graph_def: The graph, which is not changed.
        replaced_groups: A dict from the name of each op that the import replaces to the
            absolute colocation groups, e.g. b"loc:@name", that replace b"loc:@<the op>".

    Returns:
        A new GraphDef. Inputs, colocation groups, the frames of loops and shared names move
        with the names; functions get names that are unique in the process.
    """
    groups = {GROUP + name.encode(): list(value) for name, value in (replaced_groups or {}).items()}
    moved = tf.compat.v1.GraphDef()
    moved.CopyFrom(functions.rename_functions(graph_def, f"_hub_{next(_imports)}"))
    for node in moved.node:
        node.name = scope + node.name
        if node.input:
            inputs = [add_scope(scope, reference) for reference in node.input]
            del node.input[:]
            node.input.extend(inputs)
        _move_attributes(node, scope.encode(), groups)
    return moved


def move_variable_def(
    scope: str, definition: VariableDef, trainable: bool, initial_value: str | None = None
) -> VariableDef:
    """Moves the names of a VariableDef under a scope.

    Args:
        scope: The absolute scope, with the final "/".
        definition: The VariableDef, with names relative to the scope.
        trainable: Whether the variable is trainable in the new graph.
        initial_value: The absolute name of the tensor with the initial value; None means
            the author's, moved under the scope.
    """
    moved = VariableDef()
    moved.CopyFrom(definition)
    moved.trainable = trainable
    for field in ("variable_name", "initializer_name", "snapshot_name", "initial_value_name"):
        if getattr(moved, field):
            setattr(moved, field, scope + getattr(moved, field))
    if initial_value is not None:
        moved.initial_value_name = initial_value
    if partitions.is_slice(moved):
        info = moved.save_slice_info_def
        info.full_name = scope + info.full_name
    return moved


def _move_attributes(
    node: tf.compat.v1.NodeDef, scope: bytes, groups: Mapping[bytes, list[bytes]]
) -> None:
    """Moves the names in the attributes of a node, which is changed."""
    attr = node.attr
    if "_class" in attr:
        constraints = attr["_class"].list.s
        moved = {new for old in constraints for new in _move_constraint(old, scope, groups)}
        del constraints[:]
        constraints.extend(sorted(moved))
    if "shared_name" in attr and attr["shared_name"].s:
        attr["shared_name"].s = scope + attr["shared_name"].s
    elif node.op == "VarHandleOp":
        # Unlike tables, all variables without a shared name would be the same variable.
        attr["shared_name"].s = node.name.encode()
    if node.op in _ENTER_OPS:
        attr["frame_name"].s = scope + attr["frame_name"].s


def _move_constraint(
    constraint: bytes, scope: bytes, groups: Mapping[bytes, list[bytes]]
) -> list[bytes]:
    if not constraint.startswith(GROUP):
        return [constraint]
    if constraint in groups:
        return groups[constraint]
    return [GROUP + scope + constraint[len(GROUP) :]]
