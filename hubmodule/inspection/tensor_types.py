"""Reads the types and shapes of tensors from protos."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import tensorflow as tf
from tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from tensorflow.core.protobuf.struct_pb2 import TypeSpecProto

from hubmodule.inspection.facts import UNKNOWN_DTYPE, Shape, SignatureFacts, TensorFacts

# More than any file can have: the product of a damaged shape could have any number of digits.
_MOST_ELEMENTS = 1 << 62
_MOST_RANK = 255


def read_signature(name: str, signature: SignatureDef) -> SignatureFacts:
    """Reads the facts of a signature.

    Args:
        name: The name of the signature.
        signature: Its definition in the graph variant.
    """
    return SignatureFacts(
        name,
        tuple(_read_info(key, signature.inputs[key]) for key in sorted(signature.inputs)),
        tuple(_read_info(key, signature.outputs[key]) for key in sorted(signature.outputs)),
    )


def _read_info(name: str, info: TensorInfo) -> TensorFacts:
    encoding = info.WhichOneof("encoding")
    if encoding != "composite_tensor":
        kind = "sparse" if encoding == "coo_sparse" else "dense"
        return TensorFacts(name, get_dtype_name(info.dtype), read_shape(info.tensor_shape), kind)
    components = info.composite_tensor.components
    return read_type_spec(
        name, info.composite_tensor.type_spec, [component.dtype for component in components]
    )


def read_type_spec(
    name: str, spec: TypeSpecProto, component_dtypes: Sequence[int] = ()
) -> TensorFacts:
    """Reads the facts of a composite tensor.

    Args:
        name: Its name.
        spec: Its type.
        component_dtypes: The numbers of the types of its components; the first is the type of
            its values if `spec` does not state one.
    """
    # The state of a RaggedTensorSpec is its shape, type, ragged rank and type of row splits.
    values = spec.type_state.tuple_value.values
    shapes = [read_shape(v.tensor_shape_value) for v in values if v.HasField("tensor_shape_value")]
    dtypes = [v.tensor_dtype_value for v in values if v.HasField("tensor_dtype_value")]
    dtypes += component_dtypes
    ranks = [v.int64_value for v in values if v.HasField("int64_value")]
    type_name = spec.type_spec_class_name.rpartition(".")[2] or "composite"
    is_ragged = type_name == "RaggedTensorSpec" and len(ranks) > 0 and 0 < ranks[0] < _MOST_RANK
    return TensorFacts(
        name,
        get_dtype_name(dtypes[0] if dtypes else 0),
        shapes[0] if shapes else None,
        "composite",
        type_name,
        ranks[0] if is_ragged else None,
    )


@functools.cache
def get_dtype_name(number: int) -> str:
    """Returns the name of a type, e.g. "float32"; "unknown" for DT_INVALID.

    Args:
        number: Its number in TensorFlow's DataType enum.
    """
    if number == DataType.DT_INVALID:
        return UNKNOWN_DTYPE
    try:
        return tf.as_dtype(number).base_dtype.name
    except (TypeError, ValueError):
        name = DataType.Name(number) if number in DataType.values() else f"type {number}"
        return name.removeprefix("DT_").lower()


@functools.cache
def get_dtype_bytes(number: int) -> int | None:
    """Returns the size of an element in bytes; None if it varies or the type is not known.

    Args:
        number: The number of the type in TensorFlow's DataType enum.
    """
    try:
        dtype = tf.as_dtype(number).base_dtype
        return None if dtype in (tf.string, tf.variant, tf.resource) else dtype.size
    except (TypeError, ValueError):
        return None


def read_shape(proto: TensorShapeProto) -> Shape:
    """Reads a shape.

    Args:
        proto: The proto that describes it.
    """
    if proto.unknown_rank:
        return None
    return tuple(None if d.size < 0 else d.size for d in proto.dim)


def count_elements(shape: Shape) -> int | None:
    """Returns the number of elements; None if it is not known, or too large for any file.

    Args:
        shape: The shape of a tensor.
    """
    count = 1
    for size in shape or ():
        if size is None:
            return None
        count *= size
        if count > _MOST_ELEMENTS:
            return None
    return None if shape is None else count


def compute_value_bytes(dtype: int, shape: Shape) -> int | None:
    """Computes the size of a value in bytes; None if it is not known.

    Args:
        dtype: The number of its type in TensorFlow's DataType enum.
        shape: Its shape.
    """
    size, count = get_dtype_bytes(dtype), count_elements(shape)
    return None if size is None or count is None else size * count
