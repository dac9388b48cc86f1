"""signature_function: signatures as functions of values."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from tests.golden.definitions import control_flow
from tests.growth import count_calls
from tests.module.graphs import affine, exported

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"


def test_a_tape_follows(tmp_path: Path) -> None:
    module = hub.load(exported(tmp_path / "m", affine))
    [w] = module.trainable_variables
    with tf.GradientTape() as tape:
        y = module([3.0])
    assert tape.gradient(y, w).numpy() == 3.0


def test_a_tape_follows_a_v2_loop_eagerly_and_then_in_a_function(tmp_path: Path) -> None:
    def cubed() -> None:
        x = tf.compat.v1.placeholder(tf.float32, [])
        w = tf.compat.v1.get_variable("w", [], initializer=tf.ones_initializer())
        with control_flow(tf.compat.v1, 2):
            y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * w), [0, x])[1]
        hub.add_signature(inputs=x, outputs=y)

    module = hub.load(exported(tmp_path / "m", cubed))
    for call in (module, tf.function(lambda x: module(x))):
        with tf.GradientTape() as tape:
            y = call(tf.constant(2.0))
        assert tape.gradient(y, module.trainable_variables[0]).numpy() == 6.0


def test_a_further_call_does_less_than_that_of_a_tf_function(tmp_path: Path) -> None:
    module = hub.load(exported(tmp_path / "m", affine))
    w, b = module.variables
    bare = tf.function(lambda x: {"default": w * x + b}, input_signature=[tf.TensorSpec([None])])
    x = tf.ones([2])
    module(x), bare(x)
    assert count_calls(lambda: module(x)) < count_calls(lambda: bare(x))


def all_at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """What tasks give that start at the same time, each in a thread of its own."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        barrier.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, task) for task in tasks]]


def test_threads_may_call_first_at_once(tmp_path: Path) -> None:
    module = hub.load(exported(tmp_path / "m", affine))
    found = all_at_once(*(lambda n=n: module([n]).numpy().item() for n in range(8)))
    assert found == [2.0 * n + 1.0 for n in range(8)]


@pytest.mark.parametrize("name", ["batch_norm", "control_flow_v1"])
def test_threads_may_use_all_of_a_module_at_once(name: str) -> None:
    path = str(GOLDEN / name)
    x = tf.ones([2, 3 if name == "batch_norm" else 2])

    def trained() -> list[bool]:
        with tf.GradientTape() as tape:
            y = module(x, training=True)
        return [g is not None for g in tape.gradient(y, module.trainable_variables)]

    module = hub.load(path)
    count = len(module.trainable_variables)
    expected = hub.load(path)(x).numpy()
    # One tape only: TensorFlow itself fails where two threads differentiate one function first.
    *outputs, moved = all_at_once(
        lambda: hub.load(path)(x),
        lambda: module.with_tags().signatures["default"](x)["default"],
        lambda: module.signatures["default"](x)["default"],
        lambda: module(x),
        trained,
    )
    for output in outputs:
        # Updates of the moving averages may come first.
        np.testing.assert_allclose(output, expected, atol=0.5)
    assert moved == [True] * count


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
