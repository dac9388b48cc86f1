"""gradient_graph: gradients through TF1 control flow, as a graph."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import ModuleFormatError
from hubmodule.tf2 import gradient_graph
from tests.golden.definitions import control_flow
from tests.module.graphs import exported
from tests.tf2.parts import parts

v1 = tf.compat.v1


def power(steps: int, noise: bool = False) -> None:
    """Module function: x * w ** steps, by a TF1 loop; with noise, in the loop."""
    x = v1.placeholder(tf.float32, [2])
    w = v1.get_variable("w", initializer=tf.constant([2.0, 3.0]))

    def multiply(i: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return i + 1, y * w + (tf.random.uniform([2]) if noise else 0.0)

    with control_flow(v1, 1):
        y = v1.while_loop(lambda i, _: i < steps, multiply, (0, x))[1]
    hub.add_signature(inputs=x, outputs=y)


def test_it_has_the_gradients_by_inputs_and_by_variables(tmp_path: Path) -> None:
    variant, state = parts(exported(tmp_path / "m", lambda: power(2)))
    state.add(variant)
    graph = gradient_graph.build(variant, "default", ["w"])
    assert list(graph.state) == ["w:0"]
    x, upstream = tf.constant([5.0, 7.0]), tf.constant([1.0, 10.0])
    by_x, by_w = graph.run([x, upstream], {"w:0": state.variables["w"].handle})
    np.testing.assert_allclose(by_x, [4.0, 90.0])
    np.testing.assert_allclose(by_w, [2 * 2 * 5.0, 10 * 2 * 3 * 7.0])


def test_it_holds_neither_inputs_nor_state(tmp_path: Path) -> None:
    variant, _ = parts(exported(tmp_path / "m", lambda: power(2)))
    graph = gradient_graph.build(variant, "default", ["w"])
    ops = {node.op for node in graph.graph_def.node}
    assert not ops & {"Placeholder", "VarHandleOp"}
    assert [(spec.shape, spec.dtype) for spec in graph.input_specs] == [([2], tf.float32)] * 2
    assert graph.read_inputs == frozenset(graph.inputs)


def test_an_output_that_depends_on_nothing_has_zeros(tmp_path: Path) -> None:
    variant, state = parts(exported(tmp_path / "m", lambda: power(0)))
    state.add(variant)
    graph = gradient_graph.build(variant, "default", ["w"])
    handles = {"w:0": state.variables["w"].handle}
    by_x, by_w = graph.run([tf.ones([2]), tf.constant([1.0, 10.0])], handles)
    np.testing.assert_allclose(by_x, [1.0, 10.0])
    np.testing.assert_allclose(by_w, [0.0, 0.0])


def test_random_numbers_in_a_loop_are_found_and_refused(tmp_path: Path) -> None:
    variant, _ = parts(exported(tmp_path / "m", lambda: power(2, noise=True)))
    [op] = gradient_graph.find_random_ops(variant, "default")
    assert op.endswith("RandomUniform")
    with pytest.raises(ModuleFormatError, match=f"signature 'default'.*{op}"):
        gradient_graph.build(variant, "default", ["w"])


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(tf.float16, True), (tf.complex64, True), (tf.int32, False), (tf.string, False)],
)
def test_only_numbers_that_are_continuous_have_gradients(dtype: tf.DType, expected: bool) -> None:
    assert gradient_graph.has_gradient(tf.zeros([], dtype)) is expected


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
