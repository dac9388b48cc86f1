"""Modules whose point is their variables, and what updates or places them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.definitions.registry import TRAIN, Call, golden, numbers, variable


@golden(Call({"default": numbers(4, 3)}, trained=True))
def dense_regularized(hub: Any, tf: Any, scratch: Path) -> Any:
    """Two dense layers; their kernels have L2 regularisers, their biases none."""

    def dense(x: Any, name: str, n_in: int, n_out: int) -> Any:
        with tf.variable_scope(name):
            kernel = variable(
                tf, "kernel", [n_in, n_out], regularizer=lambda w: 0.01 * tf.nn.l2_loss(w)
            )
            return tf.matmul(x, kernel) + variable(tf, "bias", [n_out])

    def module_fn() -> None:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        y = dense(tf.tanh(dense(x, "hidden", 3, 5)), "logits", 5, 2)
        hub.add_signature(inputs=x, outputs=y)

    return hub.create_module_spec(module_fn)


@golden(
    Call({"default": numbers(5, 3)}),
    Call({"default": numbers(5, 3)}, tags=TRAIN, trained=True),
)
def batch_norm(hub: Any, tf: Any, scratch: Path) -> Any:
    """An inference and a training variant; moving averages are model variables and updates."""

    def module_fn(training: bool) -> None:
        x = tf.placeholder(tf.float32, [None, 3])
        x_dense = tf.matmul(x, variable(tf, "kernel", [3, 3]))
        with tf.variable_scope("norm"):
            beta, gamma = variable(tf, "beta", [3]), variable(tf, "gamma", [3])
            collections = [tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES]
            averages = [
                tf.get_variable(
                    name, [3], initializer=initial, trainable=False, collections=collections
                )
                for name, initial in [
                    ("moving_mean", tf.zeros_initializer()),
                    ("moving_variance", tf.ones_initializer()),
                ]
            ]
            mean, variance = tf.nn.moments(x_dense, [0]) if training else averages
            if training:
                for average, value in [(averages[0], mean), (averages[1], variance)]:
                    with tf.colocate_with(average):
                        step = tf.assign_sub(average, 0.1 * (average - value))
                    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, step.op)
        y = tf.nn.batch_normalization(x_dense, mean, variance, beta, gamma, 1e-3)
        hub.add_signature(inputs=x, outputs=y)

    variants = [(set(), {"training": False}), ({"train"}, {"training": True})]
    return hub.create_module_spec(module_fn, tags_and_args=variants)


@golden(Call({"default": np.array([6, 0, 2, 2], np.int64)}, trained=True))
def partitioned(hub: Any, tf: Any, scratch: Path) -> Any:
    """Two variables cut into parts, and a whole one."""

    def module_fn() -> None:
        ids = tf.placeholder(tf.int64, [None])
        with tf.variable_scope("table", partitioner=tf.fixed_size_partitioner(3)):
            rows = variable(tf, "rows", [7, 4])
        columns = variable(tf, "columns", [4, 5], partitioner=tf.fixed_size_partitioner(2))
        embedded = tf.nn.embedding_lookup(rows, ids, partition_strategy="div")
        y = tf.matmul(embedded, columns) + variable(tf, "bias", [5])
        hub.add_signature(inputs=ids, outputs=y)

    return hub.create_module_spec(module_fn)


@golden(Call({"default": numbers(2, 3)}, trained=True))
def ref_variables(hub: Any, tf: Any, scratch: Path) -> Any:
    """Variables of the old kind: one trainable, one counted up by an update op."""

    def module_fn() -> None:
        x = tf.placeholder(tf.float32, [None, 3])
        weights = variable(tf, "weights", [3, 2], use_resource=False)
        seen = tf.Variable(0, trainable=False, name="seen", use_resource=False)
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_add(seen, tf.shape(x)[0]))
        outputs = {"default": tf.matmul(x, weights), "seen": tf.identity(seen)}
        hub.add_signature(inputs=x, outputs=outputs)

    return hub.create_module_spec(module_fn)


@golden(
    Call({"default": numbers(3, 2)}, trained=True),
    Call({"default": numbers(1, 2)}, "state"),
)
def running_total(hub: Any, tf: Any, scratch: Path) -> Any:
    """An update op ordered by control dependencies; tf.Variables of float64 and int64."""

    def module_fn() -> None:
        x = tf.placeholder(tf.float32, [None, 2])
        total = tf.Variable(np.array([10.5, -2.0]), trainable=False, name="total")
        batches = tf.Variable(np.int64(5), trainable=False, name="batches")
        rise = tf.reduce_sum(tf.cast(x, tf.float64), axis=0)
        with tf.control_dependencies([tf.assign_add(total, rise).op]):
            step = tf.assign_add(batches, 1).op
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, step)
        hub.add_signature(inputs=x, outputs=x * variable(tf, "scale", []))
        state = {"total": tf.identity(total), "batches": tf.identity(batches), "x": x}
        hub.add_signature("state", x, state)

    return hub.create_module_spec(module_fn)


@golden(Call({"default": numbers(2, 2)}, trained=True))
def placed(hub: Any, tf: Any, scratch: Path) -> Any:
    """All on a GPU, which the reader may lack; ops colocated with a variable, an input, an op."""

    def module_fn() -> None:
        with tf.device("/device:GPU:0"):
            weights = variable(tf, "weights", [2, 2])
            x = tf.placeholder(tf.float32, [None, 2], name="x")
            with tf.colocate_with(weights):
                product = tf.matmul(x, weights)
            with tf.colocate_with(x):
                shifted = tf.add(x, 1.0)
            with tf.colocate_with(product), tf.colocate_with(shifted):
                y = tf.add(product, shifted)
        hub.add_signature(inputs=x, outputs=y)

    return hub.create_module_spec(module_fn)
