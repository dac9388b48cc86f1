"""Every head: its loss, its predictions, and training with it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.estimator.behaviour.models import X, config, data

HEADS = {
    "binary": (tf.estimator.BinaryClassHead, [[0], [0], [1], [1]], np.log(2)),
    "classes": (lambda: tf.estimator.MultiClassHead(3), [[0], [0], [2], [2]], np.log(3)),
    "labels": (lambda: tf.estimator.MultiLabelHead(2), [[0, 1], [0, 1], [1, 0], [1, 0]], np.log(2)),
    "regression": (tf.estimator.RegressionHead, [[1.0], [2.0], [3.0], [4.0]], 7.5),
    "poisson": (tf.estimator.PoissonRegressionHead, [[0.0], [0.0], [1.0], [1.0]], 1.0),
    "logistic": (tf.estimator.LogisticRegressionHead, [[0.0], [0.0], [1.0], [1.0]], np.log(2)),
}
every_head = pytest.mark.parametrize("name", HEADS)


@every_head
def test_loss_of_zero_logits(name):
    make, labels, expected = HEADS[name]
    head = make()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        logits = tf.zeros([4, head.logits_dimension])
        features = {"x": tf.constant(X)}
        loss = session.run(head.loss(tf.constant(labels), logits, features, "train"))
    assert loss == pytest.approx(expected, rel=1e-5)


@every_head
def test_training_lowers_the_loss(name):
    make, labels, _ = HEADS[name]
    estimator = tf.estimator.LinearEstimator(
        make(),
        [tf.feature_column.numeric_column("x")],
        optimizer=lambda: tf.keras.optimizers.legacy.SGD(0.05),
        config=config(),
    )
    examples = {"x": X}, np.array(labels)
    before = estimator.train(data(*examples), steps=1).evaluate(data(*examples, epochs=1))
    after = estimator.train(data(*examples), steps=50).evaluate(data(*examples, epochs=1))
    assert after["loss"] < before["loss"] * 0.95


@every_head
def test_predictions_name_what_the_head_gives(name):
    head = HEADS[name][0]()
    with tf.Graph().as_default():
        predictions = head.predictions(tf.zeros([4, head.logits_dimension]))
        keys = {key if isinstance(key, str) else key[-1] for key in predictions}
    assert "probabilities" in keys or "predictions" in keys


def test_multi_head_trains_all_of_them():
    heads = [tf.estimator.RegressionHead(name="a"), tf.estimator.BinaryClassHead(name="b")]
    estimator = tf.estimator.DNNEstimator(
        tf.estimator.MultiHead(heads),
        [4],
        [tf.feature_column.numeric_column("x")],
        optimizer=lambda: tf.keras.optimizers.legacy.SGD(0.05),
        config=config(),
    )
    labels = {"a": 2 * X, "b": (X > 0).astype(np.int64)}
    estimator.train(data({"x": X}, labels), steps=300)
    metrics = estimator.evaluate(data({"x": X}, labels, epochs=1))
    assert metrics["accuracy/b"] == 1.0
    assert metrics["average_loss/a"] < 0.1


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
