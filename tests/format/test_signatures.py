"""signatures: dense, sparse and composite values, named by tensors."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo as Proto

from hubmodule.errors import ModuleFormatError
from hubmodule.format.signatures import TensorInfo, make_signature_def

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def info(text: str) -> TensorInfo:
    return TensorInfo(text_format.Parse(text, Proto()))


def info_of(value) -> TensorInfo:
    """What a signature says of a value."""
    return TensorInfo(make_signature_def({"x": value}, {}).inputs["x"])


def dense() -> tf.Tensor:
    return v1.placeholder(tf.float32, [None, 3], name="x")


def sparse() -> tf.SparseTensor:
    return v1.sparse_placeholder(tf.int64, [None, 5], name="x")


def ragged() -> tf.RaggedTensor:
    return v1.ragged.placeholder(tf.string, 1, name="x")


class TestReading:
    def test_a_dense_tensor(self):
        found = info(
            'name: "x:0" dtype: DT_FLOAT tensor_shape { dim { size: -1 } dim { size: 3 } }'
        )
        assert found.dtype == tf.float32
        assert found.get_shape().as_list() == [None, 3]
        assert (found.is_sparse, found.is_composite, found.kind) == (False, False, "dense")
        assert found.type_spec == tf.TensorSpec([None, 3], tf.float32)
        assert found.tensor_names == ["x:0"]

    def test_a_sparse_tensor(self):
        found = info("""dtype: DT_INT64 tensor_shape { dim { size: -1 } dim { size: 5 } }
            coo_sparse { values_tensor_name: "v:0" indices_tensor_name: "i:0"
                         dense_shape_tensor_name: "s:0" }""")
        assert (found.is_sparse, found.is_composite, found.kind) == (True, True, "sparse")
        assert found.type_spec == tf.SparseTensorSpec([None, 5], tf.int64)
        # The order of tf.nest.
        assert found.tensor_names == ["i:0", "v:0", "s:0"]

    def test_a_composite_tensor(self):
        found = info_of(ragged())
        assert (found.is_sparse, found.is_composite, found.kind) == (False, True, "composite")
        assert found.type_spec == tf.RaggedTensorSpec(None, tf.string, 1, tf.int64)
        assert len(found.tensor_names) == 2

    def test_an_unknown_shape(self):
        shape = info('name: "x:0" dtype: DT_FLOAT tensor_shape { unknown_rank: true }').get_shape()
        assert shape.rank is None

    def test_references_of_tf1_are_values(self):
        assert info('name: "v:0" dtype: DT_FLOAT_REF').dtype == tf.float32

    def test_an_unknown_composite_type_is_named(self):
        with pytest.raises(ModuleFormatError, match=r"nobody\.Knows.*Import the package"):
            info("""composite_tensor { type_spec { type_spec_class: REGISTERED_TYPE_SPEC
                                                   type_spec_class_name: "nobody.Knows" } }""")


@pytest.mark.parametrize("make", [dense, sparse, ragged])
class TestEachKind:
    def test_is_written_with_the_names_of_its_parts(self, make):
        value = make()
        parts = tf.nest.flatten(value, expand_composites=True)
        assert info_of(value).tensor_names == [part.name for part in parts]

    def test_placeholders_take_its_place(self, make):
        found = info_of(make())
        placeholder = found.placeholder()
        assert found.accepts(placeholder)
        assert info_of(placeholder).type_spec == found.type_spec

    def test_packing_its_parts_gives_it_back(self, make):
        value = make()
        parts = tf.nest.flatten(value, expand_composites=True)
        packed = info_of(value).pack(parts)
        assert type(packed) is type(value)
        assert tf.nest.flatten(packed, expand_composites=True) == parts

    def test_accepts_its_own_kind_only(self, make):
        value = make()
        for other in (dense(), sparse(), ragged()):
            assert info_of(value).accepts(other) == (type(other) is type(value))

    def test_equals_what_names_the_same_tensors(self, make):
        value = make()
        assert info_of(value) == info_of(value)
        assert info_of(value) != info_of(make())


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        (np.zeros([2, 3], np.float32), True),
        (np.zeros([2, 4], np.float32), False),
        (np.zeros([3], np.float32), False),
        (np.zeros([2, 3], np.float64), False),
    ],
    ids=["fits", "other size", "other rank", "other type"],
)
def test_dense_values_fit_by_type_and_shape(value, accepted):
    assert info_of(dense()).accepts(tf.constant(value)) is accepted


def test_a_shape_that_is_partly_known_may_fit():
    assert info_of(dense()).accepts(v1.placeholder(tf.float32))


class TestDamage:
    def test_an_unknown_type_is_shown_as_its_number(self):
        with pytest.raises(ModuleFormatError, match="'x:0' the data type 100000, which TensorFlow"):
            TensorInfo(Proto(name="x:0", dtype=100_000))

    def test_a_negative_size_is_refused(self):
        with pytest.raises(ModuleFormatError, match=r"'x:0' the shape \[-2\], which has a neg"):
            info('name: "x:0" dtype: DT_FLOAT tensor_shape { dim { size: -2 } }')

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_a_composite_names_all_its_tensors(self, count):
        proto = make_signature_def({"x": ragged()}, {}).inputs["x"]
        parts = [proto.composite_tensor.components[0]] * count
        del proto.composite_tensor.components[:]
        proto.composite_tensor.components.extend(parts)
        with pytest.raises(ModuleFormatError, match="consists of 2 tensors, but"):
            TensorInfo(proto)

    def test_a_composite_of_an_unknown_type_is_refused(self):
        proto = make_signature_def({"x": ragged()}, {}).inputs["x"]
        for value in proto.composite_tensor.type_spec.type_state.tuple_value.values:
            if value.WhichOneof("kind") == "tensor_dtype_value":
                value.tensor_dtype_value = 100_000
        with pytest.raises(ModuleFormatError, match="of a type that TensorFlow"):
            TensorInfo(proto)


def test_people_can_read_it():
    assert repr(info_of(dense())) == "<hub.TensorInfo dense shape=(None, 3) dtype=float32>"


def test_a_signature_has_inputs_and_outputs_by_name():
    x = dense()
    signature = make_signature_def({"a": x}, {"b": x, "c": sparse()})
    assert set(signature.inputs) == {"a"}
    assert set(signature.outputs) == {"b", "c"}
    assert signature.outputs["b"].name == "x:0"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
