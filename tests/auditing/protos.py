"""Writes SavedModels as messages; nothing in them is ever run."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow.core.framework import function_pb2, node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from hubmodule.auditing.findings import Audit, audit

NodeDef = node_def_pb2.NodeDef
MetaGraphDef = meta_graph_pb2.MetaGraphDef


def node(name: str, op: str, *inputs: str, **attributes: Any) -> NodeDef:
    """A node; its attributes are types, strings, numbers, shapes, or "@f" for a function."""
    result = NodeDef(name=name, op=op, input=inputs)
    for key, value in attributes.items():
        set_attribute(result, key, value)
    return result


def set_attribute(result: NodeDef, key: str, value: Any) -> None:
    """Gives a node an attribute; as `node`."""
    attribute = result.attr[key]
    if isinstance(value, list):
        attribute.list.SetInParent()
        for item in value:
            if isinstance(item, tf.DType):
                attribute.list.type.append(item.as_datatype_enum)
            elif isinstance(item, int):
                attribute.list.i.append(item)
            elif isinstance(item, tf.TensorShape):
                attribute.list.shape.append(item.as_proto())
            elif isinstance(item, str) and item.startswith("@"):
                attribute.list.func.add(name=item[1:])
            else:
                attribute.list.s.append(item.encode())
    elif isinstance(value, tf.DType):
        attribute.type = value.as_datatype_enum
    elif isinstance(value, tf.TensorShape):
        attribute.shape.CopyFrom(value.as_proto())
    elif isinstance(value, bool):
        attribute.b = value
    elif isinstance(value, int):
        attribute.i = value
    elif isinstance(value, float):
        attribute.f = value
    elif value.startswith("@"):
        attribute.func.name = value[1:]
    else:
        attribute.s = value.encode()


def constant(name: str, value: Any, dtype: tf.DType = tf.string) -> NodeDef:
    """A constant."""
    result = node(name, "Const", dtype=dtype)
    result.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, dtype))
    return result


def placeholder(name: str, dtype: tf.DType = tf.string) -> NodeDef:
    """A placeholder of one value."""
    return node(name, "Placeholder", dtype=dtype)


def function(
    name: str,
    arguments: Mapping[str, tf.DType],
    nodes: Sequence[NodeDef],
    returns: Mapping[str, str],
    dtype: tf.DType = tf.string,
) -> function_pb2.FunctionDef:
    """A function whose results are all of one type."""
    result = function_pb2.FunctionDef()
    result.signature.name = name
    result.signature.is_stateful = True
    for argument, argument_type in arguments.items():
        result.signature.input_arg.add(name=argument, type=argument_type.as_datatype_enum)
    for output, reference in returns.items():
        result.signature.output_arg.add(name=output, type=dtype.as_datatype_enum)
        result.ret[output] = reference
    result.node_def.extend(nodes)
    result.control_ret.update({n.name: n.name for n in nodes if n.op not in ("Const", "Identity")})
    result.signature.control_output.extend(result.control_ret)
    return result


def meta_graph(
    nodes: Sequence[NodeDef],
    inputs: Mapping[str, str] | None = None,
    outputs: Mapping[str, str] | None = None,
    functions: Sequence[function_pb2.FunctionDef] = (),
    collections: Mapping[str, Sequence[str]] | None = None,
    assets: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
) -> MetaGraphDef:
    """A graph variant with a default signature.

    Args:
        nodes: The nodes of the graph.
        inputs: The inputs of the signature -> tensors.
        outputs: The outputs of the signature -> tensors; None for no signature.
        functions: The functions of the graph.
        collections: The names of collections -> the names of nodes.
        assets: Tensors -> the names of assets.
        tags: The tags of the variant.
    """
    result = MetaGraphDef()
    result.meta_info_def.tags.extend(tags)
    result.graph_def.node.extend(nodes)
    result.graph_def.library.function.extend(functions)
    result.graph_def.versions.producer = 18  # newer graphs may not use some old ops
    if outputs is not None:
        signature = result.signature_def["default"]
        for key, tensor in (inputs or {}).items():
            signature.inputs[key].MergeFrom(_string(tensor))
        for key, tensor in outputs.items():
            signature.outputs[key].MergeFrom(_string(tensor))
    for key, names in (collections or {}).items():
        result.collection_def[key].node_list.value.extend(names)
    for tensor, file_name in (assets or {}).items():
        asset = meta_graph_pb2.AssetFileDef(filename=file_name)
        asset.tensor_info.name = tensor
        packed = any_pb2.Any()
        packed.Pack(asset)
        result.collection_def["saved_model_assets"].any_list.value.append(packed)
    return result


def _string(tensor: str) -> meta_graph_pb2.TensorInfo:
    return meta_graph_pb2.TensorInfo(name=tensor, dtype=tf.string.as_datatype_enum)


def saved_model(*meta_graphs: MetaGraphDef) -> saved_model_pb2.SavedModel:
    """A SavedModel of graph variants."""
    return saved_model_pb2.SavedModel(saved_model_schema_version=1, meta_graphs=meta_graphs)


def write_module(directory: pathlib.Path, *meta_graphs: MetaGraphDef) -> str:
    """Writes a TF1 Hub module; returns its path."""
    directory.mkdir(parents=True)
    message = saved_model(*meta_graphs)
    (directory / "saved_model.pb").write_bytes(message.SerializeToString(deterministic=True))
    (directory / "tfhub_module.pb").write_bytes(b"\x08\x03")
    return str(directory)


def audit_of(*meta_graphs: MetaGraphDef, directory: str = "/m", is_module: bool = True) -> Audit:
    """The audit of graph variants."""
    return audit(saved_model(*meta_graphs), directory, is_module)
