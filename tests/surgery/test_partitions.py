"""partitions: whole variables, and the parts of partitioned ones."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule.surgery import partitions
from tests.surgery.protos import variable_def

WHOLE = variable_def('variable_name: "dense/kernel:0"')


def part(index: int, offset: list[int], shape: list[int], full: list[int]) -> VariableDef:
    result = VariableDef(variable_name=f"emb/part_{index}:0")
    info = result.save_slice_info_def
    info.full_name = "emb"
    info.full_shape.extend(full)
    info.var_offset.extend(offset)
    info.var_shape.extend(shape)
    return result


def test_a_whole_variable():
    assert not partitions.is_slice(WHOLE)
    assert partitions.get_full_name(WHOLE) == "dense/kernel"
    assert partitions.make_slice_spec(WHOLE) == ""
    assert partitions.get_full_shape(WHOLE) is None


def test_a_part():
    second = part(1, [2, 0], [2, 3], [4, 3])
    assert partitions.is_slice(second)
    assert partitions.get_full_name(second) == "emb"
    assert partitions.make_slice_spec(second) == "4 3 2,2:0,3"
    assert partitions.get_full_shape(second) == (4, 3)


@given(st.lists(st.tuples(*3 * [st.integers(0, 2**40)]), min_size=1, max_size=5))
def test_slices_are_spelt_as_tensorflow_spells_them(dimensions):
    full, offset, shape = map(list, zip(*dimensions, strict=True))
    reference = tf.Variable.SaveSliceInfo("emb", full, offset, shape)
    assert partitions.make_slice_spec(part(0, offset, shape, full)) == reference.spec


class TestGrouped:
    def test_parts_are_in_the_order_of_their_offsets(self):
        # As text, "10" would come before "5".
        parts = [part(i, [offset, 0], [5, 2], [15, 2]) for i, offset in enumerate((10, 0, 5))]
        groups = partitions.group_by_full_name([parts[0], WHOLE, *parts[1:]])
        assert groups == {"emb": [parts[1], parts[2], parts[0]], "dense/kernel": [WHOLE]}

    @given(st.permutations(range(5)))
    def test_the_order_of_the_collection_does_not_matter(self, order):
        parts = [part(i, [3 * i], [3], [15]) for i in range(5)]
        assert partitions.group_by_full_name(parts[i] for i in order) == {"emb": parts}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
