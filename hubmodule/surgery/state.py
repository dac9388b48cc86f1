"""Finds the ops that hold state, such as variables, and builds graphs that restore variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule import _tf
from hubmodule.surgery import partitions
from hubmodule.surgery.graph_versions import make_graph_def
from hubmodule.surgery.names import get_op_name


def find_state_nodes(nodes: Iterable[tf.compat.v1.NodeDef]) -> list[tf.compat.v1.NodeDef]:
    """Finds the nodes that hold state, such as variables, tables, queues and iterators.

    These nodes are stateful, have no inputs, and return a handle or a reference. Random ops,
    which have a shape as input, and placeholders do not.
    """
    nodes = list(nodes)
    types = {op for op in {node.op for node in nodes} if _is_state_op(op)}
    return [node for node in nodes if node.op in types]


def clear_inputs_in_place(graph_def: tf.compat.v1.GraphDef) -> None:
    """Removes the inputs of the nodes that hold state, which are control inputs only."""
    for node in find_state_nodes(graph_def.node):
        del node.input[:]


def _is_state_op(op: str) -> bool:
    # Not cached: the import of a package may register an op at any time.
    op_def = _tf.find_op_def(op)
    if op_def is None or not op_def.is_stateful or op_def.input_arg:
        return False
    return all(
        output.is_ref or output.type == tf.resource.as_datatype_enum for output in op_def.output_arg
    ) and bool(op_def.output_arg)


@dataclass(frozen=True)
class VariableState:
    """A variable of a module.

    Attributes:
        definition: The VariableDef.
        dtype: The dtype of its value.
        shape: The static shape of the variable or, for a partitioned variable, of the slice;
            it may be unknown.
    """

    definition: VariableDef
    dtype: tf.DType
    shape: tf.TensorShape

    @property
    def op(self) -> str:
        """The name of the op that holds the variable."""
        return get_op_name(self.definition.variable_name)

    @property
    def snapshot(self) -> str:
        """The name of the tensor with the value; the VariableDefs of old versions lack it."""
        return self.definition.snapshot_name or f"{self.op}/Read/ReadVariableOp:0"

    @property
    def checkpoint_name(self) -> str:
        """The name in a checkpoint; all slices of a partitioned variable share it."""
        return partitions.get_full_name(self.definition)

    @property
    def checkpoint_shape(self) -> tf.TensorShape:
        """The static shape in a checkpoint; for a slice, that of the whole variable."""
        whole = partitions.get_full_shape(self.definition)
        return tf.TensorShape(whole) if whole else self.shape

    @property
    def slice_spec(self) -> str:
        """The position of a slice, as partitions.make_slice_spec() spells it; "" for others."""
        return partitions.make_slice_spec(self.definition)


def make_variable_state(definition: VariableDef, node: tf.compat.v1.NodeDef) -> VariableState:
    """Makes the VariableState of a variable from its VariableDef and its node."""
    return VariableState(
        definition,
        tf.as_dtype(node.attr["dtype"].type),
        tf.TensorShape(node.attr["shape"].shape),
    )


def build_restore_graph(
    variables: Sequence[VariableState], checkpoint: str, name: str, scope: str, device: str = ""
) -> tf.compat.v1.GraphDef:
    """Builds a graph in which one op reads variables from a checkpoint, and others assign them.

    Args:
        variables: The variables, with names relative to the scope.
        checkpoint: The path prefix of a V2 checkpoint.
        name: The name of the op that reads, relative to the scope; its output i is the value
            of variables[i].
        scope: The absolute scope of the variables and of the new ops, with the final "/".
        device: The device of the op that reads, which exists for CPUs only; "" means any.

    Returns:
        A GraphDef with absolute names. The assignments have the names of the variables'
        initialisers and take the variables' handles, which are not in this graph, as inputs.
    """
    graph_def = make_graph_def()
    restore = scope + name
    arguments: dict[str, str | list[str]] = {
        "prefix": checkpoint,
        "names": [variable.checkpoint_name for variable in variables],
        "slices": [variable.slice_spec for variable in variables],
    }
    for argument, value in arguments.items():
        _add_string_constant(graph_def, f"{restore}/{argument}", value, device)
    node = graph_def.node.add(name=restore, op="RestoreV2", device=device)
    node.input.extend(f"{restore}/{argument}" for argument in arguments)
    node.attr["dtypes"].list.type.extend(v.dtype.as_datatype_enum for v in variables)
    # The import uses these as the static shapes.
    node.attr["_output_shapes"].list.shape.extend(v.shape.as_proto() for v in variables)
    for index, variable in enumerate(variables):
        _add_assignment(graph_def, variable, f"{restore}:{index}", scope)
    return graph_def


def _add_string_constant(
    graph_def: tf.compat.v1.GraphDef, name: str, value: str | list[str], device: str
) -> None:
    node = graph_def.node.add(name=name, op="Const", device=device)
    node.attr["dtype"].type = tf.string.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, tf.string))


def _add_assignment(
    graph_def: tf.compat.v1.GraphDef, variable: VariableState, value: str, scope: str
) -> None:
    holder = scope + variable.op
    node = graph_def.node.add(name=scope + get_op_name(variable.definition.initializer_name))
    node.input.extend([holder, value])
    # The assignment goes to the device of the variable.
    node.attr["_class"].list.s.append(b"loc:@" + holder.encode())
    if variable.definition.is_resource:
        node.op = "AssignVariableOp"
        node.attr["dtype"].type = variable.dtype.as_datatype_enum
    else:
        node.op = "Assign"
        node.attr["T"].type = variable.dtype.as_datatype_enum
        # With validation, a variable of unknown shape would need to have the right shape before.
        node.attr["validate_shape"].b = variable.shape.is_fully_defined()
