"""Distribution strategies on one machine, and warm starts."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.estimator.behaviour.models import X, config, data, line, line_estimator, line_model, v1


@pytest.mark.parametrize(
    "make", [lambda: tf.distribute.OneDeviceStrategy("/cpu:0"), tf.distribute.MirroredStrategy]
)
def test_training_and_evaluation_under_a_strategy(model_dir, make):
    run_config = config(train_distribute=make(), eval_distribute=make())
    estimator = tf.estimator.Estimator(line_model, model_dir, run_config, params={})
    estimator.train(line(), steps=100)
    assert estimator.get_variable_value("w") == pytest.approx(2.0, abs=0.05)
    assert estimator.evaluate(line(1))["mean_y"] == pytest.approx(2.0, abs=0.05)


def test_a_canned_estimator_under_a_strategy(model_dir):
    run_config = config(train_distribute=tf.distribute.MirroredStrategy(["/cpu:0"]))
    estimator = tf.estimator.LinearRegressor(
        [tf.feature_column.numeric_column("x")],
        model_dir,
        optimizer=lambda: tf.keras.optimizers.legacy.SGD(0.1),
        config=run_config,
    )
    tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(line(), max_steps=150),
        tf.estimator.EvalSpec(line(1)),
    )
    assert estimator.evaluate(line(1))["average_loss"] < 0.01


def test_a_strategy_given_twice_is_an_error():
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with pytest.raises(ValueError, match="train_distribute"):
        config(train_distribute=strategy, experimental_distribute=_Distribute(strategy))


class _Distribute:
    """What an old DistributeConfig is made of."""

    def __init__(self, strategy):
        self.train_distribute = strategy
        self.eval_distribute = None
        self.remote_cluster = None


def test_warm_start_from_an_estimator(model_dir):
    first = line_estimator(model_dir).train(line(), steps=100)
    second = tf.estimator.Estimator(
        line_model, config=config(), params={"learning_rate": 0.0}, warm_start_from=first.model_dir
    )
    second.train(line(), steps=1)
    assert second.get_variable_value("w") == first.get_variable_value("w")
    assert second.get_variable_value("global_step") == 1


def test_warm_start_of_some_variables(model_dir):
    first = line_estimator(model_dir).train(line(), steps=100)
    settings = tf.estimator.WarmStartSettings(
        first.model_dir, vars_to_warm_start="b", var_name_to_prev_var_name={"b": "w"}
    )
    second = tf.estimator.Estimator(
        line_model, config=config(), params={"learning_rate": 0.0}, warm_start_from=settings
    )
    second.train(line(), steps=1)
    assert second.get_variable_value("b") == first.get_variable_value("w")
    assert second.get_variable_value("w") == 0.0


def test_warm_start_with_another_vocabulary(tmp_path):
    def embedding_model(words):
        vocabulary = tmp_path / f"{'-'.join(words)}.txt"
        vocabulary.write_text("\n".join(words) + "\n")

        def model_fn(features, labels, mode):
            embeddings = v1.get_variable(
                "embeddings", [len(words), 1], initializer=v1.zeros_initializer()
            )
            with tf.control_dependencies(
                [v1.assign(embeddings, [[float(i + 1)] for i in range(len(words))])]
                if words == ["a", "b"]
                else []
            ):
                step = v1.assign_add(v1.train.get_global_step(), 1)
            return tf.estimator.EstimatorSpec(mode, loss=tf.constant(0.0), train_op=step)

        return model_fn, str(vocabulary)

    first_fn, first_vocabulary = embedding_model(["a", "b"])
    first = tf.estimator.Estimator(first_fn, str(tmp_path / "1")).train(line(), steps=1)
    second_fn, second_vocabulary = embedding_model(["b", "c"])
    vocabulary = tf.estimator.VocabInfo(second_vocabulary, 2, 0, first_vocabulary)
    settings = tf.estimator.WarmStartSettings(
        first.model_dir, "embeddings", {"embeddings": vocabulary}
    )
    second = tf.estimator.Estimator(second_fn, str(tmp_path / "2"), warm_start_from=settings).train(
        line(), steps=1
    )
    np.testing.assert_array_equal(second.get_variable_value("embeddings")[0], [2.0])


def test_a_canned_estimator_warm_starts(model_dir):
    column = tf.feature_column.numeric_column("x")
    first = v1.estimator.LinearRegressor([column], model_dir, config=config())
    first.train(data({"x": X}, 2 * X), steps=50)
    second = v1.estimator.LinearRegressor(
        [column],
        config=config(),
        warm_start_from=first.model_dir,
        optimizer=v1.train.GradientDescentOptimizer(0.0),
    )
    second.train(data({"x": X}, 2 * X), steps=1)
    name = "linear/linear_model/x/weights"
    np.testing.assert_array_equal(second.get_variable_value(name), first.get_variable_value(name))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
