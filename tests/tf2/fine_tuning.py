"""One module, one data set and plain SGD: what fine-tuning in graph mode makes of the weights.

Each other way to train the module has to end up with the same ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import hubmodule as hub
from tests.module.graphs import exported, initialised_session

v1 = tf.compat.v1

STEPS = 20
BATCH_SIZE = 8
LEARNING_RATE = 0.05
TOLERANCE = 1e-4
_FEATURES, _HIDDEN = 4, 6
_DECAY, _EPSILON, _L2 = 0.9, 1e-3, 0.01


def regressor(training: bool) -> None:
    """Module function: two dense layers with L2, batch norm between; [n, 4] to [n, 1]."""
    x = v1.placeholder(tf.float32, [None, _FEATURES])
    hidden = tf.nn.relu(_batch_norm(_dense(x, _HIDDEN, "hidden"), training))
    bias = v1.get_variable("bias", initializer=tf.zeros([1]))
    hub.add_signature(inputs=x, outputs=_dense(hidden, 1, "output") + bias)


def published(path: Any) -> str:
    """The path of the module, exported with its initial values."""
    variants: list[tuple[set[str], dict[str, Any]]] = [
        (set(), {"training": False}),
        ({"train"}, {"training": True}),
    ]
    return exported(path, hub.create_module_spec(regressor, variants))


def data() -> tuple[np.ndarray, np.ndarray]:
    """Inputs [160, 4] and targets [160, 1]: a batch for each step, in this order."""
    random = np.random.default_rng(7)
    x = random.normal(0.5, 2.0, [STEPS * BATCH_SIZE, _FEATURES]).astype(np.float32)
    y = np.sin(x).sum(axis=1, keepdims=True) + 1.0
    return x, y.astype(np.float32)


def trained_in_graph_mode(path: str) -> dict[str, np.ndarray]:
    """The weights by name after STEPS of SGD.

    The loss is the mean squared error plus the regularisation losses.
    """
    with tf.Graph().as_default():
        module = hub.Module(path, trainable=True, tags={"train"})
        x = v1.placeholder(tf.float32, [None, _FEATURES])
        y = v1.placeholder(tf.float32, [None, 1])
        penalty = v1.losses.get_regularization_loss()
        loss = tf.reduce_mean(tf.math.squared_difference(module(x), y)) + penalty
        train = v1.train.GradientDescentOptimizer(LEARNING_RATE).minimize(loss)
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        with initialised_session() as session:
            for inputs, targets in batches():
                session.run([train, updates], {x: inputs, y: targets})
            return session.run(module.variable_map)


def batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """The data of each step."""
    x, y = data()
    return list(zip(np.split(x, STEPS), np.split(y, STEPS), strict=True))


def weights(variables: Any) -> dict[str, np.ndarray]:
    """The values of variables of an object by their names, for comparison with the above."""
    return {variable.name.partition(":")[0]: variable.numpy() for variable in variables}


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """Fails unless there are the same weights."""
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=TOLERANCE, err_msg=name)


def _dense(x: tf.Tensor, units: int, name: str) -> tf.Tensor:
    shape = [x.shape[-1], units]
    values = np.linspace(-1.0, 1.0, shape[0] * shape[1]).reshape(shape)
    with v1.variable_scope(name):
        kernel = v1.get_variable(
            "kernel",
            initializer=tf.constant(values, tf.float32),
            regularizer=lambda value: _L2 * tf.reduce_sum(value * value),
        )
    return tf.matmul(x, kernel)


def _batch_norm(x: tf.Tensor, training: bool) -> tf.Tensor:
    units = [x.shape[-1]]
    with v1.variable_scope("norm"):
        gamma = v1.get_variable("gamma", initializer=tf.ones(units))
        beta = v1.get_variable("beta", initializer=tf.zeros(units))
        means = v1.get_variable("moving_mean", initializer=tf.zeros(units), trainable=False)
        variances = v1.get_variable("moving_variance", initializer=tf.ones(units), trainable=False)
    mean, variance = means, variances
    if training:
        mean, variance = tf.nn.moments(x, [0])
        for moving, new in ((means, mean), (variances, variance)):
            update = v1.assign_sub(moving, (1 - _DECAY) * (moving - new))
            v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, _EPSILON)
