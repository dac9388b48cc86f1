"""Modules for the tests: golden ones, and some made of protos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from hubmodule.inspection.facts import SignatureFacts, TensorFacts, VariableFacts

GOLDEN = Path(__file__).parents[1] / "golden"
ALL_GOLDEN = sorted(path.parent for path in GOLDEN.glob("made_by_*/*/tfhub_module.pb"))
HOSTILE = "<script>alert(1)</script>&\"'\x1b[31m"


def golden(name: str, maker: str = "made_by_tf215") -> str:
    """The path of a golden module."""
    return str(GOLDEN / maker / name)


def tensor(
    name: str, dtype: str = "float32", shape: Sequence[int | None] | None = (None, 3), **more
):
    """The facts of an input or output."""
    return TensorFacts(name, dtype, None if shape is None else tuple(shape), **more)


def signature(
    name: str = "default",
    inputs: Iterable[TensorFacts] = (tensor("default"),),
    outputs: Iterable[TensorFacts] = (tensor("default"),),
) -> SignatureFacts:
    """The facts of a signature."""
    return SignatureFacts(name, tuple(inputs), tuple(outputs))


def variable(name: str, size: int | None = 4, **more) -> VariableFacts:
    """The facts of a variable of floats."""
    shape = (size // 4,) if size is not None else None
    values = {"partitions": 1, "digest": name, "variants": ((),), "trainable_in": ((),), **more}
    return VariableFacts(name, "float32", shape, size, **values)


def meta_graph(tags: Iterable[str] = (), name: str = "x") -> MetaGraphDef:
    """A graph variant: a placeholder, a variable, and a table that an asset fills."""
    graph = MetaGraphDef()
    graph.meta_info_def.tags.extend(tags)
    graph.meta_info_def.tensorflow_version = "2.15.1"
    nodes = graph.graph_def.node
    nodes.add(name=name, op="Placeholder").attr["dtype"].type = tf.float32.as_datatype_enum
    handle = nodes.add(name=f"{name}/w", op="VarHandleOp")
    handle.attr["dtype"].type = tf.float32.as_datatype_enum
    handle.attr["shape"].shape.CopyFrom(tf.TensorShape([2, 3]).as_proto())
    nodes.add(name=f"{name}/path", op="Const")
    table = nodes.add(name=f"{name}/table", op="HashTableV2")
    table.attr["key_dtype"].type = tf.string.as_datatype_enum
    table.attr["value_dtype"].type = tf.int64.as_datatype_enum
    nodes.add(
        name=f"{name}/fill",
        op="InitializeTableFromTextFileV2",
        input=[f"{name}/table", f"{name}/path"],
    )
    info = graph.signature_def["default"].inputs[name]
    info.name, info.dtype = f"{name}:0", tf.float32.as_datatype_enum
    info.tensor_shape.CopyFrom(tf.TensorShape([None, 3]).as_proto())
    graph.signature_def["default"].outputs["default"].CopyFrom(info)
    definition = VariableDef(variable_name=f"{name}/w:0", is_resource=True)
    for key in ("variables", "trainable_variables"):
        graph.collection_def[key].bytes_list.value.append(definition.SerializeToString())
    add_asset(graph, f"{name}/path:0", "words.txt")
    return graph


def add_asset(graph: MetaGraphDef, tensor_name: str, file_name: str) -> None:
    """Says that a tensor is the path of an asset."""
    asset = AssetFileDef(filename=file_name)
    asset.tensor_info.name = tensor_name
    packed = any_pb2.Any()
    packed.Pack(asset)
    graph.collection_def["saved_model_assets"].any_list.value.append(packed)


def write_module(directory: Path, *graphs: MetaGraphDef, is_module: bool = True) -> str:
    """Writes graph variants, with an asset words.txt and without a checkpoint."""
    saved_model = SavedModel(meta_graphs=graphs)
    (directory / "assets").mkdir(parents=True, exist_ok=True)
    (directory / "assets" / "words.txt").write_text("a\nb\n")
    (directory / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    if is_module:
        (directory / "tfhub_module.pb").write_bytes(b"\x08\x03")
    return str(directory)
