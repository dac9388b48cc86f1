"""Every canned Estimator learns, in its v1 and its v2 form."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.estimator.behaviour.models import (
    X,
    Y,
    config,
    data,
    line,
    predicted,
    v1,
    v1_heads,
)

COLUMN = tf.feature_column.numeric_column("x")
COLOUR = tf.feature_column.categorical_column_with_vocabulary_list("colour", ["red", "green"])
CLASSES = np.array([[0], [0], [1], [1]], np.int64)

both = pytest.mark.parametrize("api", [v1.estimator, tf.estimator], ids=["v1", "v2"])


def keras_sgd(rate: float = 0.1) -> Any:
    """Gradient descent as the heads of tf.estimator take it."""
    return tf.keras.optimizers.legacy.SGD(rate)


def sgd(api: Any, rate: float = 0.1) -> Any:
    """Gradient descent as the API takes it."""
    return v1.train.GradientDescentOptimizer(rate) if api is v1.estimator else keras_sgd(rate)


@both
def test_linear_regressor_finds_the_line(api):
    estimator = api.LinearRegressor([COLUMN], optimizer=sgd(api), config=config())
    estimator.train(line(), steps=150)
    np.testing.assert_allclose(predicted(estimator, "predictions", {"x": X}), Y, atol=0.1)


@both
def test_linear_classifier_separates(api):
    estimator = api.LinearClassifier([COLUMN], optimizer=sgd(api, 1.0), config=config())
    estimator.train(data({"x": X}, CLASSES), steps=100)
    np.testing.assert_array_equal(predicted(estimator, "class_ids", {"x": X}), CLASSES)


@both
def test_linear_classifier_with_words_for_classes_and_features(api):
    estimator = api.LinearClassifier(
        [COLOUR],
        n_classes=2,
        label_vocabulary=["stop", "go"],
        optimizer=sgd(api, 1.0),
        config=config(),
    )
    features = {"colour": np.array([["red"], ["green"]])}
    estimator.train(data(features, np.array([["stop"], ["go"]])), steps=30)
    np.testing.assert_array_equal(
        predicted(estimator, "classes", features), np.array([[b"stop"], [b"go"]])
    )


@both
def test_linear_estimator_with_a_head(api):
    head = v1_heads._regression_head() if api is v1.estimator else tf.estimator.RegressionHead()
    estimator = api.LinearEstimator(head, [COLUMN], optimizer=sgd(api, 0.05), config=config())
    estimator.train(line(), steps=150)
    np.testing.assert_allclose(predicted(estimator, "predictions", {"x": X}), Y, atol=0.1)


@both
def test_dnn_regressor_finds_the_line(api):
    estimator = api.DNNRegressor([8], [COLUMN], optimizer=sgd(api, 0.05), config=config())
    estimator.train(line(), steps=300)
    np.testing.assert_allclose(predicted(estimator, "predictions", {"x": X}), Y, atol=0.3)


@both
def test_dnn_classifier_with_three_classes(api):
    labels = np.array([[0], [1], [1], [2]], np.int64)
    estimator = api.DNNClassifier(
        [8], [COLUMN], n_classes=3, optimizer=sgd(api, 0.5), config=config()
    )
    estimator.train(data({"x": X}, labels), steps=400)
    np.testing.assert_array_equal(predicted(estimator, "class_ids", {"x": X}), labels)


@both
def test_dnn_estimator_with_a_head(api):
    v1_head = v1_heads._binary_logistic_head_with_sigmoid_cross_entropy_loss
    head = v1_head() if api is v1.estimator else tf.estimator.BinaryClassHead()
    estimator = api.DNNEstimator(head, [8], [COLUMN], optimizer=sgd(api, 0.5), config=config())
    estimator.train(data({"x": X}, CLASSES), steps=100)
    assert estimator.evaluate(data({"x": X}, CLASSES, epochs=1))["accuracy"] == 1.0


def combined(api: Any, **kwargs: Any) -> dict[str, Any]:
    return {
        "linear_feature_columns": [COLUMN],
        "linear_optimizer": sgd(api),
        "dnn_feature_columns": [COLUMN],
        "dnn_optimizer": sgd(api, 0.02),
        "dnn_hidden_units": [4],
        "config": config(),
        **kwargs,
    }


@both
def test_dnn_linear_combined_regressor_finds_the_line(api):
    estimator = api.DNNLinearCombinedRegressor(**combined(api))
    estimator.train(line(), steps=200)
    np.testing.assert_allclose(predicted(estimator, "predictions", {"x": X}), Y, atol=0.3)


@both
def test_dnn_linear_combined_classifier_separates(api):
    estimator = api.DNNLinearCombinedClassifier(**combined(api))
    estimator.train(data({"x": X}, CLASSES), steps=200)
    np.testing.assert_array_equal(predicted(estimator, "class_ids", {"x": X}), CLASSES)


@both
def test_dnn_linear_combined_estimator_with_a_head(api):
    estimator = api.DNNLinearCombinedEstimator(**combined(api, head=tf.estimator.RegressionHead()))
    estimator.train(line(), steps=200)
    assert estimator.evaluate(line(1))["average_loss"] < 0.1


@both
def test_baseline_regressor_predicts_the_mean(api):
    estimator = api.BaselineRegressor(optimizer=sgd(api, 0.05), config=config())
    estimator.train(line(), steps=100)
    np.testing.assert_allclose(
        predicted(estimator, "predictions", {"x": X}), np.full((4, 1), Y.mean()), rtol=1e-3
    )


@both
def test_baseline_classifier_predicts_the_frequency(api):
    labels = np.array([[0], [1], [1], [1]], np.int64)
    estimator = api.BaselineClassifier(optimizer=sgd(api, 2.0), config=config())
    estimator.train(data({"x": X}, labels), steps=100)
    probabilities = predicted(estimator, "probabilities", {"x": X})
    np.testing.assert_allclose(probabilities[0], [0.25, 0.75], atol=0.01)


@both
def test_baseline_estimator_with_a_head(api):
    head = tf.estimator.RegressionHead(label_dimension=1)
    estimator = api.BaselineEstimator(head, optimizer=sgd(api, 0.4), config=config())
    estimator.train(line(), steps=50)
    np.testing.assert_allclose(predicted(estimator, "predictions", {"x": X})[0], [2.0], rtol=1e-3)


def test_kmeans_finds_the_centres():
    points = np.array([[0.0, 0.0], [0.0, 1.0], [9.0, 9.0], [9.0, 8.0]], np.float32)

    def input_fn():
        return tf.data.Dataset.from_tensors(points).repeat(20)

    estimator = v1.estimator.experimental.KMeans(2, use_mini_batch=False, config=config())
    estimator.train(input_fn, steps=10)
    centres = sorted(map(tuple, estimator.cluster_centers()))
    np.testing.assert_allclose(centres, [(0.0, 0.5), (9.0, 8.5)], rtol=1e-5)
    indices = list(estimator.predict_cluster_index(lambda: input_fn().take(1)))
    assert indices[0] == indices[1] != indices[2] == indices[3]


@both
def test_linear_sdca_separates(api):
    optimizer = api.experimental.LinearSDCA(example_id_column="id", symmetric_l2_regularization=0.1)
    estimator = api.LinearClassifier([COLUMN], optimizer=optimizer, config=config())
    features = {"x": X, "id": np.array(["0", "1", "2", "3"])}
    estimator.train(data(features, CLASSES), steps=20)
    np.testing.assert_array_equal(predicted(estimator, "class_ids", features), CLASSES)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_rnn_classifier_learns_sequences(cell):
    words = tf.feature_column.sequence_categorical_column_with_vocabulary_list("word", ["a", "b"])
    column = tf.feature_column.indicator_column(words)
    estimator = tf.estimator.experimental.RNNClassifier(
        [column], units=[4], cell_type=cell, optimizer=keras_sgd(0.5), config=config()
    )

    def input_fn():
        sequences = tf.sparse.from_dense([["a", "a"], ["b", ""], ["b", "b"], ["a", ""]])
        labels = tf.constant([[0], [1], [1], [0]])
        return tf.data.Dataset.from_tensors(({"word": sequences}, labels)).repeat(60)

    estimator.train(input_fn)
    assert estimator.evaluate(input_fn, steps=1)["accuracy"] == 1.0


def test_rnn_estimator_with_a_head_and_a_cell():
    numbers = tf.feature_column.sequence_numeric_column("number")
    estimator = tf.estimator.experimental.RNNEstimator(
        tf.estimator.RegressionHead(),
        [numbers],
        rnn_cell_fn=lambda: tf.keras.layers.SimpleRNNCell(4),
        optimizer=lambda: keras_sgd(0.05),
        config=config(),
    )

    def input_fn():
        numbers = tf.sparse.from_dense([[1.0, 1.0], [2.0, 0.0], [1.0, 0.0]])
        features, labels = {"number": numbers}, tf.constant([[2.0], [2.0], [1.0]])
        return tf.data.Dataset.from_tensors((features, labels)).repeat(100)

    before = estimator.train(input_fn, steps=1).evaluate(input_fn, steps=1)["loss"]
    assert estimator.train(input_fn).evaluate(input_fn, steps=1)["loss"] < before / 4


def test_logit_fn_builders_compose():
    def model_fn(features, labels, mode):
        experimental = v1.estimator.experimental
        linear = experimental.linear_logit_fn_builder(1, [COLUMN])
        deep = experimental.dnn_logit_fn_builder(1, [4], [COLUMN], tf.nn.relu, None, None, False)
        logits = sum(
            experimental.call_logit_fn(fn, features, mode, None, None) for fn in (linear, deep)
        )
        optimizer = v1.train.GradientDescentOptimizer(0.05)
        return tf.estimator.RegressionHead().create_estimator_spec(
            features,
            mode,
            logits,
            labels,
            train_op_fn=lambda loss: optimizer.minimize(loss, v1.train.get_global_step()),
        )

    estimator = tf.estimator.Estimator(model_fn, config=config())
    estimator.train(line(), steps=200)
    assert estimator.evaluate(line(1))["average_loss"] < 0.05


@pytest.mark.parametrize("use_v2", [False, True], ids=["v1", "v2"])
def test_add_metrics(use_v2):
    def metric_fn(labels, predictions):
        if use_v2:
            mean = tf.keras.metrics.Mean()
            mean.update_state(labels)
            return {"mean_label": mean}
        return {"mean_label": v1.metrics.mean(labels)}

    estimator = tf.estimator.LinearRegressor([COLUMN], config=config())
    estimator = tf.estimator.add_metrics(estimator, metric_fn).train(line(), steps=1)
    assert estimator.evaluate(line(1))["mean_label"] == 2.0


def test_parse_example_specs():
    classifier = tf.estimator.classifier_parse_example_spec([COLUMN], "label", tf.string)
    assert classifier["label"] == tf.io.FixedLenFeature((1,), tf.string)
    regressor = tf.estimator.regressor_parse_example_spec([COLUMN], "label", label_dimension=2)
    assert regressor["label"] == tf.io.FixedLenFeature((2,), tf.float32)
    assert regressor["x"] == tf.io.FixedLenFeature((1,), tf.float32)


def test_tpu_estimator_without_a_tpu(tmp_path):
    def model_fn(features, labels, mode, params):
        w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
        predictions = {"y": w * features["x"]}
        if mode == tf.estimator.ModeKeys.PREDICT:
            return v1.estimator.tpu.TPUEstimatorSpec(mode, predictions)
        loss = tf.reduce_mean(tf.square(predictions["y"] - labels))
        optimizer = v1.train.GradientDescentOptimizer(0.1)
        return v1.estimator.tpu.TPUEstimatorSpec(
            mode,
            predictions,
            loss=loss,
            train_op=optimizer.minimize(loss, v1.train.get_global_step()),
            eval_metrics=(lambda y: {"mean": v1.metrics.mean(y)}, [labels]),
        )

    def input_fn(params):
        x = np.ones([params["batch_size"], 1], np.float32)
        return tf.data.Dataset.from_tensors(({"x": x}, 3 * x)).repeat(30)

    run_config = v1.estimator.tpu.RunConfig(
        model_dir=str(tmp_path), tpu_config=v1.estimator.tpu.TPUConfig(iterations_per_loop=1)
    )
    estimator = v1.estimator.tpu.TPUEstimator(
        model_fn,
        config=run_config,
        use_tpu=False,
        train_batch_size=2,
        eval_batch_size=2,
        predict_batch_size=2,
    )
    estimator.train(input_fn, max_steps=30)
    assert estimator.evaluate(input_fn, steps=1)["mean"] == 3.0
    assert next(estimator.predict(input_fn))["y"] == pytest.approx(3.0, abs=0.1)


def test_a_keras_model_as_an_estimator():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    model.compile(tf.keras.optimizers.legacy.SGD(0.1), "mse")
    estimator = tf.keras.estimator.model_to_estimator(model, config=config())

    def input_fn():
        return tf.data.Dataset.from_tensors((X, Y)).repeat(150)

    estimator.train(input_fn)
    assert estimator.evaluate(input_fn, steps=1)["loss"] < 0.01


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
