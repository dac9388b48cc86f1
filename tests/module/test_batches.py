"""Batches from elements, and elements from batches."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.module.batches import split_batch, stack_elements

v1 = tf.compat.v1
Sparse = v1.SparseTensorValue


def make_infos(**inputs):
    """The infos of inputs that `inputs` makes inside of a module."""

    def module_fn():
        made = {name: make() for name, make in inputs.items()}
        hub.add_signature(inputs=made, outputs=tf.constant(0))

    return hub.create_module_spec(module_fn).get_input_info_dict()


def dense():
    return v1.placeholder(tf.float32, [None, 2])


def sparse():
    return v1.sparse_placeholder(tf.int64, [None, None])


def ragged():
    return v1.ragged.placeholder(tf.int64, 1)


def test_values_of_one_input_are_passed_on():
    elements = [[1.0, 2.0], np.array([3.0, 4.0])]
    assert stack_elements(make_infos(x=dense), elements) == {"x": elements}


def test_dicts_become_a_list_for_each_input():
    elements = [{"x": [1, 2], "y": [3, 4]}, {"x": [5, 6], "y": [7, 8]}]
    stacked = stack_elements(make_infos(x=dense, y=dense), elements)
    assert stacked == {"x": [[1, 2], [5, 6]], "y": [[3, 4], [7, 8]]}


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ([[1, 2]], r"pass a dict with the keys \['x', 'y'\], not a value of type list"),
        ([{"x": [1, 2]}], r"An element has \['x'\]"),
        ([{"x": [1, 2], "y": [1, 2]}, [1, 2]], r"An element has <class 'list'>"),
    ],
)
def test_elements_without_all_inputs_are_refused(elements, message):
    with pytest.raises(hub.HubModuleError, match=message):
        stack_elements(make_infos(x=dense, y=dense), elements)


def test_a_signature_without_varying_inputs_is_refused():
    with pytest.raises(TypeError, match="No input differs between elements"):
        stack_elements({}, [1.0])


def test_sparse_elements_get_their_row():
    elements = [
        Sparse([[0], [3]], [7, 8], [4]),
        Sparse(np.zeros([0, 1], np.int64), [], [1]),
        Sparse([[1]], [9], [2]),
    ]
    stacked = stack_elements(make_infos(x=sparse), elements)["x"]
    assert stacked.indices.tolist() == [[0, 0], [0, 3], [2, 1]]
    assert stacked.values.tolist() == [7, 8, 9]
    assert stacked.values.dtype == np.int64
    assert stacked.dense_shape.tolist() == [3, 4]


def test_an_element_that_is_not_sparse_is_refused():
    with pytest.raises(TypeError, match=r"Can't stack the elements of input 'x'.*dense_shape"):
        stack_elements(make_infos(x=sparse), [[1, 2]])


@pytest.mark.parametrize("row", [[4], np.array([4])], ids=["list", "array"])
def test_ragged_elements_are_rows(row):
    stacked = stack_elements(make_infos(x=ragged), [[1, 2], [], row])["x"]
    assert stacked.to_list() == [[1, 2], [], [4]]
    assert stacked.values.dtype == np.int64


def test_dense_rows():
    rows = split_batch("y", np.array([[1, 2], [3, 4]]), 2)
    assert [row.tolist() for row in rows] == [[1, 2], [3, 4]]


def test_sparse_rows():
    value = Sparse(np.array([[0, 0], [2, 1]]), np.array([7, 9]), np.array([3, 4]))
    rows = split_batch("y", value, 3)
    assert [row.indices.tolist() for row in rows] == [[[0]], [], [[1]]]
    assert [row.values.tolist() for row in rows] == [[7], [], [9]]
    assert [row.dense_shape.tolist() for row in rows] == [[4], [4], [4]]


def test_ragged_rows():
    rows = split_batch("y", v1.ragged.constant_value([[1, 2], [], [4]]), 3)
    assert [row.tolist() for row in rows] == [[1, 2], [], [4]]


def test_rows_with_two_ragged_dimensions_are_ragged():
    nested = [[[1], [2, 3]], [], [[4]]]
    rows = split_batch("y", v1.ragged.constant_value(nested, ragged_rank=2), 3)
    assert [row.to_list() for row in rows] == nested


@pytest.mark.parametrize("value", [np.float32(1.0), np.zeros([3])], ids=["scalar", "other size"])
def test_an_output_that_is_not_per_element_is_refused(value):
    with pytest.raises(hub.HubModuleError, match=r"'y' has the shape .* for 2 elements"):
        split_batch("y", value, 2)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
