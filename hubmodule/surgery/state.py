"""State: the ops that hold variables and tables, and a graph that restores variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule import _tf
from hubmodule.surgery import partitions
from hubmodule.surgery.graph_versions import new_graph_def
from hubmodule.surgery.names import op_name


def find_state_nodes(nodes: Iterable[tf.compat.v1.NodeDef]) -> list[tf.compat.v1.NodeDef]:
    """The nodes that hold state: stateful, with no inputs, giving a handle or reference.

    So are variables, tables, queues and iterators; random ops (which read a shape)
    and placeholders are not.
    """
    nodes = list(nodes)
    types = {op for op in {node.op for node in nodes} if _holds_state(op)}
    return [node for node in nodes if node.op in types]


def clear_inputs_in_place(graph_def: tf.compat.v1.GraphDef) -> None:
    """Removes the inputs of the nodes that hold state: they can only be control inputs."""
    for node in find_state_nodes(graph_def.node):
        del node.input[:]


def _holds_state(op: str) -> bool:
    # Looked up each time: the import of a package may register an op meanwhile.
    op_def = _tf.op_def(op)
    if op_def is None or not op_def.is_stateful or op_def.input_arg:
        return False
    return all(
        output.is_ref or output.type == tf.resource.as_datatype_enum for output in op_def.output_arg
    ) and bool(op_def.output_arg)


@dataclass(frozen=True)
class VariableState:
    """A variable as its ops tell it.

    Attributes:
        definition: the VariableDef.
        dtype: the type of its value.
        shape: its static shape, maybe unknown; of a part, the part's.
    """

    definition: VariableDef
    dtype: tf.DType
    shape: tf.TensorShape

    @property
    def op(self) -> str:
        """The name of the op that holds the variable."""
        return op_name(self.definition.variable_name)

    @property
    def snapshot(self) -> str:
        """The tensor with the value of the variable; old resource variables name none."""
        return self.definition.snapshot_name or f"{self.op}/Read/ReadVariableOp:0"

    @property
    def checkpoint_name(self) -> str:
        """The name in a checkpoint; that of the whole, for a part of a partitioned variable."""
        return partitions.full_name(self.definition)

    @property
    def checkpoint_shape(self) -> tf.TensorShape:
        """The static shape under that name."""
        return tf.TensorShape(partitions.full_shape(self.definition) or self.shape)

    @property
    def slice_spec(self) -> str:
        """Where a part lies in the whole, as `partitions.slice_spec` spells it; "" for a whole."""
        return partitions.slice_spec(self.definition)


def make_variable_state(definition: VariableDef, node: tf.compat.v1.NodeDef) -> VariableState:
    """What a variable's op says of it."""
    return VariableState(
        definition,
        tf.as_dtype(node.attr["dtype"].type),
        tf.TensorShape(node.attr["shape"].shape),
    )


def build_restore_graph(
    variables: Sequence[VariableState], checkpoint: str, name: str, scope: str, device: str = ""
) -> tf.compat.v1.GraphDef:
    """A graph in which one op reads variables from a checkpoint, and each is assigned its value.

    Args:
        variables: with names relative to the scope.
        checkpoint: the path prefix of a V2 checkpoint.
        name: of the op that reads; output i is the value of variables[i]. Relative.
        scope: absolute; the variables are under it, and so are the new ops.
        device: for the op that reads, which exists for CPUs only; "" leaves it open.

    Returns:
        A GraphDef with absolute names. The assignments have the names of the
        variables' initialisers and read their handles, which are not in this graph.
    """
    graph_def = new_graph_def()
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
    # The import takes these as the static shapes.
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
    node = graph_def.node.add(name=scope + op_name(variable.definition.initializer_name))
    node.input.extend([holder, value])
    # Takes the device of the variable along.
    node.attr["_class"].list.s.append(b"loc:@" + holder.encode())
    if variable.definition.is_resource:
        node.op = "AssignVariableOp"
        node.attr["dtype"].type = variable.dtype.as_datatype_enum
    else:
        node.op = "Assign"
        node.attr["T"].type = variable.dtype.as_datatype_enum
        # Else a variable of unknown shape would have to be of the right one already.
        node.attr["validate_shape"].b = variable.shape.is_fully_defined()
