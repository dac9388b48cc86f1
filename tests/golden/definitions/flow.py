"""Modules with control flow and with functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.golden.definitions.registry import Call, control_flow, golden, numbers, variable


def _control_flow_spec(hub: Any, tf: Any) -> Any:
    def module_fn() -> None:
        x = tf.placeholder(tf.float32, [None, 2])
        weights = variable(tf, "weights", [2, 2])

        def power(n: int) -> Any:
            def step(i: Any, y: Any) -> Any:
                return i + 1, tf.tanh(tf.matmul(y, weights))

            return tf.while_loop(lambda i, y: i < n, step, (tf.constant(0), x))[1]

        chosen = tf.cond(tf.reduce_sum(x) > 0.0, lambda: power(2), lambda: x - weights[0])
        mapped = tf.map_fn(lambda row: tf.reduce_sum(row * weights, axis=0), x)
        outputs = {"default": power(3), "chosen": chosen, "mapped": mapped}
        hub.add_signature(inputs=x, outputs=outputs)

    return hub.create_module_spec(module_fn)


@golden(Call({"default": numbers(3, 2)}, trained=True, control_flow=1))
def control_flow_v1(hub: Any, tf: Any, scratch: Path) -> Any:
    """A while_loop, one inside a cond, and a map_fn; as Enter, Switch and Merge ops."""
    with control_flow(tf, 1):
        return _control_flow_spec(hub, tf)


@golden(Call({"default": -numbers(3, 2)}, trained=True, control_flow=2))
def control_flow_v2(hub: Any, tf: Any, scratch: Path) -> Any:
    """The same as functions, called by While and If ops."""
    with control_flow(tf, 2):
        return _control_flow_spec(hub, tf)


@golden(Call({"default": numbers(3, 2)}, trained=True))
def functions(hub: Any, tf: Any, scratch: Path) -> Any:
    """A tf.function that captures a variable."""

    def module_fn() -> None:
        weights = variable(tf, "weights", [2, 2])

        @tf.function
        def dense(x: Any) -> Any:
            return tf.tanh(tf.matmul(x, weights))

        x = tf.placeholder(tf.float32, [None, 2])
        hub.add_signature(inputs=x, outputs=dense(x))

    return hub.create_module_spec(module_fn)
