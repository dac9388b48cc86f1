"""Makes graphs portable: between TensorFlow versions, machines and programs.

Attributes that only one of two TensorFlow versions knows, and that have no effect, are removed;
so are names of the author's process and machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, op_def_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf
from hubmodule.surgery.names import get_op_name

# The name of a gradient function, which is valid in the process that traced the call only.
_GRADIENT_OF_A_CALL = re.compile(rb"(Stateful)?PartitionedCall-\d+$")


def iterate_nodes(graph_def: tf.compat.v1.GraphDef) -> Iterator[tf.compat.v1.NodeDef]:
    """Yields the nodes of a graph and of the bodies of its functions."""
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def prepare_for_older_tensorflow(meta_graph: MetaGraphDef) -> MetaGraphDef:
    """Returns a copy without the attributes that older versions refuse and that have no effect.

    Requires that attributes with default values are stripped, and that nodes have
    "_output_shapes".
    """
    portable = MetaGraphDef()
    portable.CopyFrom(meta_graph)
    nodes = {node.name: node for node in portable.graph_def.node}
    for node in iterate_nodes(portable.graph_def):
        if node.op == "VarHandleOp":
            node.attr.pop("debug_name", None)
    for node in portable.graph_def.node:
        if node.op == "AssignVariableOp" and _assigns_its_own_shape(node, nodes):
            # The check at run time cannot fail.
            node.attr.pop("validate_shape", None)
    return portable


def _assigns_its_own_shape(
    assign: tf.compat.v1.NodeDef, nodes: Mapping[str, tf.compat.v1.NodeDef]
) -> bool:
    handle, value = (nodes.get(get_op_name(reference)) for reference in assign.input[:2])
    if handle is None or value is None or handle.op != "VarHandleOp":
        return False
    _, _, index = assign.input[1].partition(":")
    shapes = value.attr["_output_shapes"].list.shape if "_output_shapes" in value.attr else []
    if len(shapes) <= int(index or 0):
        return False
    variable_shape = tf.TensorShape(handle.attr["shape"].shape)
    value_shape = tf.TensorShape(shapes[int(index or 0)])
    return variable_shape.is_fully_defined() and variable_shape == value_shape


def prepare_for_this_tensorflow(meta_graph: MetaGraphDef) -> MetaGraphDef:
    """Returns a copy that this TensorFlow can import on any machine.

    Devices are cleared, and so are attributes with default values that only the producer
    of the graph knows.
    """
    local = MetaGraphDef()
    local.CopyFrom(meta_graph)
    unknown = _find_unknown_defaults(meta_graph.meta_info_def.stripped_op_list.op)
    for node in iterate_nodes(local.graph_def):
        node.ClearField("device")
        if not unknown:
            continue
        for name, default in unknown.get(node.op, ()):
            if name in node.attr and node.attr[name] == default:
                del node.attr[name]
    return local


def _find_unknown_defaults(
    producer_ops: Iterable[op_def_pb2.OpDef],
) -> dict[str, list[tuple[str, object]]]:
    """Finds, for each op type, the attributes and defaults that only the producer knows."""
    unknown = {}
    for producer in producer_ops:
        consumer = _tf.find_op_def(producer.name)
        if consumer is None:
            continue
        known = {attr.name for attr in consumer.attr}
        extra = [
            (attr.name, attr.default_value)
            for attr in producer.attr
            if attr.name not in known and attr.HasField("default_value")
        ]
        if extra:
            unknown[producer.name] = extra
    return unknown


def remove_author_in_place(
    meta_graph: MetaGraphDef, assets: Mapping[str, str], names: Mapping[str, str]
) -> None:
    """Removes names and paths of the author's machine and process.

    Devices are cleared, the paths of assets and checkpoints become empty, and calls of
    functions lose the name of their gradient function in the author's process: another
    process may use that name for another function, and without it TensorFlow derives the
    gradient from the function.

    Args:
        meta_graph: The MetaGraphDef of the module, which is changed.
        assets: A dict from the names of asset tensors to paths on the author's machine.
        names: A dict from these paths to their replacements in the names of tables.
    """
    meta_graph.graph_def.ClearField("debug_info")
    nodes = list(meta_graph.graph_def.node)
    paths = {get_op_name(tensor) for tensor in assets}
    paths |= {get_op_name(node.input[0]) for node in nodes if node.op == "RestoreV2"}
    if paths:
        for node in nodes:
            if node.name in paths and node.op == "Const":
                node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("", tf.string))
    encoded_names = {path.encode(): name.encode() for path, name in names.items() if path}
    lengths = sorted({len(path) for path in encoded_names}, reverse=True)
    for node in iterate_nodes(meta_graph.graph_def):
        node.ClearField("experimental_debug_info")
        node.ClearField("device")
        attributes = node.attr
        if encoded_names and "shared_name" in attributes:
            _rename_paths(attributes["shared_name"], encoded_names, lengths)
        if "_gradient_op_type" in attributes and _GRADIENT_OF_A_CALL.match(
            attributes["_gradient_op_type"].s
        ):
            del attributes["_gradient_op_type"]


def _rename_paths(
    shared_name: attr_value_pb2.AttrValue, names: Mapping[bytes, bytes], lengths: Sequence[int]
) -> None:
    """Replaces paths in the shared name of a table, where TensorFlow puts them.

    Args:
        shared_name: The attribute; it is changed.
        names: A dict from paths on the author's machine to names in assets/.
        lengths: The different lengths of these paths, longest first. They are few, even if
            there are many assets.
    """
    text = shared_name.s
    pieces, position = [], 0
    while position < len(text):
        keys = (text[position : position + length] for length in lengths)
        key = next((key for key in keys if key in names), None)
        pieces.append(text[position : position + 1] if key is None else names[key])
        position += len(key or b"x")
    shared_name.s = b"".join(pieces)
