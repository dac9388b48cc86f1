"""shapes: what a program says of the outputs of a layer."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from hubmodule.errors import ModuleDefinitionError, SignatureMismatchError
from hubmodule.keras import shapes

ROWS = tf.ones([4, 3])
SUMS = tf.ones([4])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ([], []),
        ((3, None), [3, None]),
        (tf.TensorShape([3]), [3]),
        ([[3], []], [[3], []]),
        ([[3], None], [[3], None]),
        ({"a": [3], "b": ([], [2])}, {"a": [3], "b": [[], [2]]}),
    ],
)
def test_structures_of_shapes(given: Any, expected: Any) -> None:
    assert shapes.convert_to_lists(shapes.parse(given)) == expected


@pytest.mark.parametrize("given", ["x", [1.5], -3])
def test_what_is_no_shape_is_told(given: Any) -> None:
    with pytest.raises(ModuleDefinitionError, match="which is not a shape"):
        shapes.parse(given)


def test_several_outputs_keep_their_structure() -> None:
    for outputs in ([ROWS, SUMS], (ROWS, SUMS)):
        found = shapes.ensure_shape(outputs, shapes.parse([[3], []]))
        assert type(found) is type(outputs)
        np.testing.assert_array_equal(found[0], ROWS)
        np.testing.assert_array_equal(found[1], SUMS)


@pytest.mark.parametrize(
    ("outputs", "shape"),
    [
        (ROWS, [5]),
        (ROWS, [[3]]),
        (ROWS, {"a": [3]}),
        ([ROWS, SUMS], [[3]]),
        ([ROWS, ROWS], [3]),
        ({"a": ROWS, "b": SUMS}, {"a": [3]}),
    ],
)
def test_outputs_that_do_not_fit_are_told(outputs: Any, shape: Any) -> None:
    with pytest.raises(SignatureMismatchError, match="has output_shape="):
        shapes.ensure_shape(outputs, shapes.parse(shape))


@pytest.mark.parametrize(
    "inputs", [(8, 5), {"a": (8, 5)}, [(8, 5), (8, 2)], [{"a": tf.TensorShape([8])}]]
)
def test_the_batch_is_that_of_the_inputs(inputs: Any) -> None:
    assert shapes.add_batch(shapes.parse([[3], []]), inputs) == [(8, 3), (8,)]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
