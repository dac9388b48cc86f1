"""Signatures: the inputs and outputs of a module.

A TensorInfo names one tensor, or the component tensors of a sparse or another composite value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import struct_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo as TensorInfoProto

from hubmodule import _tf
from hubmodule.errors import ModuleFormatError


class TensorInfo:
    """The description of an input or output of a signature: its dtype, shape and kind.

        >>> info = hub.load_module_spec("modules/text").get_input_info_dict()["sentences"]
        >>> info.dtype, info.get_shape(), info.is_sparse
        (tf.string, TensorShape([None]), False)
        >>> info.type_spec
        TensorSpec(shape=(None,), dtype=tf.string, name=None)

    ModuleSpec.get_input_info_dict() and get_output_info_dict() return it.

    Args:
        proto: The TensorInfo message.

    Raises:
        ModuleFormatError: If the message is damaged, or has a type that this TensorFlow does
            not know.
    """

    def __init__(self, proto: TensorInfoProto):
        self._encoding = proto.WhichOneof("encoding")
        if self._encoding == "composite_tensor":
            self._type_spec = _decode_composite_type(proto.composite_tensor.type_spec)
            self._tensor_names = [component.name for component in proto.composite_tensor.components]
            self._check_components()
            return
        shape, dtype = _decode_shape(proto), _decode_dtype(proto)
        if self._encoding == "coo_sparse":
            self._type_spec = tf.SparseTensorSpec(shape, dtype)
            sparse = proto.coo_sparse
            self._tensor_names = [
                sparse.indices_tensor_name,
                sparse.values_tensor_name,
                sparse.dense_shape_tensor_name,
            ]
        else:
            self._type_spec = tf.TensorSpec(shape, dtype)
            self._tensor_names = [proto.name]

    def _check_components(self) -> None:
        wanted = len(tf.nest.flatten(self._type_spec, expand_composites=True))
        if len(self._tensor_names) != wanted:
            raise ModuleFormatError(
                f"An input or output of type {self._type_spec} consists of {wanted} tensors, but "
                f"its signature names {self._tensor_names}. Fetch the module again."
            )

    @property
    def dtype(self) -> tf.DType:
        """The dtype of the values."""
        return self._type_spec.dtype

    def get_shape(self) -> tf.TensorShape:
        """Returns the static shape; it may be partly or completely unknown."""
        return tf.TensorShape(self._type_spec.shape)

    @property
    def is_sparse(self) -> bool:
        """Whether the value is a tf.SparseTensor."""
        return self._encoding == "coo_sparse"

    @property
    def is_composite(self) -> bool:
        """Whether the value has several tensors, like a tf.SparseTensor or tf.RaggedTensor."""
        return self._encoding in ("coo_sparse", "composite_tensor")

    @property
    def kind(self) -> str:
        """The kind of the value: "dense", "sparse" or "composite"."""
        return "sparse" if self.is_sparse else "composite" if self.is_composite else "dense"

    @property
    def type_spec(self) -> tf.TypeSpec:
        """The tf.TypeSpec of the values."""
        return self._type_spec

    @property
    def tensor_names(self) -> list[str]:
        """The names of the component tensors, in the order of tf.nest."""
        return list(self._tensor_names)

    def __repr__(self) -> str:
        return f"<hub.TensorInfo {self.kind} shape={self.get_shape()} dtype={self.dtype.name}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorInfo):
            return NotImplemented
        return self._type_spec == other._type_spec and self._tensor_names == other._tensor_names

    __hash__ = None  # type: ignore[assignment]

    def accepts(self, value: Any) -> bool:
        """Whether a tensor or composite tensor has this kind and dtype, and a compatible shape."""
        return self._type_spec.is_compatible_with(value)

    def placeholder(self) -> Any:
        """Makes a placeholder of this kind, dtype and shape in the default graph."""
        components = [
            tf.compat.v1.placeholder(component.dtype, component.shape)
            for component in tf.nest.flatten(self._type_spec, expand_composites=True)
        ]
        return self.pack(components)

    def pack(self, tensors: list[tf.Tensor]) -> Any:
        """Makes the value from its component tensors."""
        if self.kind == "dense":
            return tensors[0]
        return tf.nest.pack_sequence_as(self._type_spec, tensors, expand_composites=True)


def _decode_shape(proto: TensorInfoProto) -> tf.TensorShape:
    sizes = [dimension.size for dimension in proto.tensor_shape.dim]
    if any(size < -1 for size in sizes):  # -1 means unknown
        raise ModuleFormatError(
            f"A signature gives tensor '{proto.name}' the shape {sizes}, which has a negative "
            "size. Fetch the module again."
        )
    return tf.TensorShape(proto.tensor_shape)


def _decode_dtype(proto: TensorInfoProto) -> tf.DType:
    try:
        return tf.as_dtype(proto.dtype).base_dtype  # TF1 outputs may be references
    except TypeError as error:
        raise ModuleFormatError(
            f"A signature gives tensor '{proto.name}' the data type {proto.dtype}, which "
            f"TensorFlow {tf.__version__} does not know. Fetch the module again, or import the "
            "package that defines the type first."
        ) from error


def _decode_composite_type(proto: struct_pb2.TypeSpecProto) -> tf.TypeSpec:
    try:
        return _tf.decode_type_spec(proto)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModuleFormatError(
            f"A signature has an input or output of a type that TensorFlow {tf.__version__} does "
            f"not know: {error} Import the package that defines the type first."
        ) from error


def make_signature_def(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> SignatureDef:
    """Makes a SignatureDef.

    Args:
        inputs: A dict from names to tensors, sparse tensors or ragged tensors.
        outputs: A dict from names to tensors, sparse tensors or ragged tensors.
    """
    return SignatureDef(
        inputs={name: make_tensor_info(value) for name, value in inputs.items()},
        outputs={name: make_tensor_info(value) for name, value in outputs.items()},
    )


def make_tensor_info(value: Any) -> TensorInfoProto:
    """Makes the TensorInfo message of a tensor, sparse tensor or ragged tensor."""
    if isinstance(value, tf.RaggedTensor):
        proto = TensorInfoProto()
        type_spec = _tf.encode_type_spec(tf.type_spec_from_value(value))
        proto.composite_tensor.type_spec.CopyFrom(type_spec)
        components = tf.nest.flatten(value, expand_composites=True)
        proto.composite_tensor.components.extend(
            make_tensor_info(component) for component in components
        )
        return proto
    proto = TensorInfoProto(dtype=value.dtype.as_datatype_enum, tensor_shape=value.shape.as_proto())
    if isinstance(value, tf.SparseTensor):
        proto.coo_sparse.indices_tensor_name = value.indices.name
        proto.coo_sparse.values_tensor_name = value.values.name
        proto.coo_sparse.dense_shape_tensor_name = value.dense_shape.name
    else:
        proto.name = value.name
    return proto
