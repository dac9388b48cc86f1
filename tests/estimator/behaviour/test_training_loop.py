"""train_and_evaluate and its edges; train, evaluate and predict."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pandas
import pytest
import tensorflow as tf

from tests.estimator.behaviour.models import (
    X,
    data,
    line,
    line_estimator,
    line_model,
    predicted,
    receive_x,
    v1,
)


class Recorder(tf.estimator.Exporter):
    """Remembers at which steps it was to export."""

    name = "recorder"

    def __init__(self):
        self.steps = []

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        self.steps.append((int(checkpoint_path.rpartition("-")[2]), is_the_final_export))


def run(estimator, max_steps, input_fn=None, **eval_arguments):
    """Trains and evaluates; returns the metrics, and what was to be exported."""
    recorder = Recorder()
    metrics, _ = tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(input_fn or line(), max_steps=max_steps),
        tf.estimator.EvalSpec(line(1), exporters=recorder, **eval_arguments),
    )
    return metrics, recorder.steps


def test_evaluates_at_the_end_at_least(model_dir):
    metrics, exports = run(line_estimator(model_dir), 3)
    assert metrics["global_step"] == 3
    assert exports == [(3, True)]


def test_evaluates_every_checkpoint_without_a_throttle(model_dir):
    estimator = line_estimator(model_dir, save_checkpoints_steps=2)
    _, exports = run(estimator, 4, throttle_secs=0)
    assert exports == [(2, False), (4, True)]


def test_a_throttle_skips_checkpoints(model_dir):
    estimator = line_estimator(model_dir, save_checkpoints_steps=1)
    _, exports = run(estimator, 4, throttle_secs=3600)
    assert exports == [(1, False), (4, True)]


def test_max_steps_none_ends_with_the_input(model_dir):
    metrics, exports = run(line_estimator(model_dir), None, line(5))
    assert metrics["global_step"] == 5
    assert exports == [(5, False)]


def test_nothing_is_trained_beyond_max_steps(model_dir):
    estimator = line_estimator(model_dir)
    run(estimator, 3)
    metrics, exports = run(estimator, 3)
    assert metrics is None
    assert exports == []


def test_training_goes_on_from_the_checkpoint(model_dir):
    run(line_estimator(model_dir), 2)
    metrics, _ = run(line_estimator(model_dir), 5)
    assert metrics["global_step"] == 5


def test_early_stopping_ends_the_loop(model_dir):
    estimator = line_estimator(model_dir, save_checkpoints_steps=1)
    os.makedirs(estimator.eval_dir())
    hook = tf.estimator.experimental.stop_if_lower_hook(
        estimator, "loss", threshold=1e9, run_every_secs=None, run_every_steps=1
    )
    train_spec = tf.estimator.TrainSpec(line(), max_steps=100, hooks=[hook])
    eval_spec = tf.estimator.EvalSpec(line(1), throttle_secs=0)
    metrics, _ = tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
    assert metrics["global_step"] < 5


def test_an_evaluator_without_a_checkpoint_exports_nothing(model_dir):
    from tensorflow_estimator.python.estimator import training

    estimator = line_estimator(model_dir)
    recorder = Recorder()
    eval_spec = tf.estimator.EvalSpec(line(1), exporters=recorder, start_delay_secs=0)
    evaluator = training._TrainingExecutor._Evaluator(estimator, eval_spec, 3)
    result, _ = evaluator.evaluate_and_export()
    assert result.status == "missing checkpoint"
    assert recorder.steps == []


def test_hooks_of_both_specs_are_called(model_dir):
    calls = []

    class Called(tf.estimator.SessionRunHook):
        def __init__(self, name):
            self.name = name

        def end(self, session):
            calls.append(self.name)

    tf.estimator.train_and_evaluate(
        line_estimator(model_dir),
        tf.estimator.TrainSpec(line(), max_steps=1, hooks=[Called("train")]),
        tf.estimator.EvalSpec(line(1), hooks=[Called("eval")]),
    )
    assert sorted(calls) == ["eval", "train"]


@pytest.mark.parametrize("name", ["latest", "final", "best"])
def test_the_exporters_work_in_the_loop(model_dir, name):
    exporters = {
        "latest": tf.estimator.LatestExporter,
        "final": tf.estimator.FinalExporter,
        "best": tf.estimator.BestExporter,
    }
    exporter = exporters[name](name, receive_x)
    tf.estimator.train_and_evaluate(
        line_estimator(model_dir),
        tf.estimator.TrainSpec(line(), max_steps=1),
        tf.estimator.EvalSpec(line(1), exporters=[exporter]),
    )
    assert len(os.listdir(os.path.join(model_dir, "export", name))) == 1


@pytest.mark.parametrize("max_steps", [0, -1])
def test_max_steps_must_be_positive(max_steps):
    with pytest.raises(ValueError, match="max_steps"):
        tf.estimator.TrainSpec(line(), max_steps=max_steps)


def test_predict_yields_single_examples(model_dir):
    estimator = line_estimator(model_dir).train(line(), steps=1)
    assert predicted(estimator, "y", {"x": X}).shape == (4, 1)


def test_predict_can_yield_batches(model_dir):
    estimator = line_estimator(model_dir).train(line(), steps=1)
    batches = estimator.predict(data({"x": X}, epochs=2), yield_single_examples=False)
    assert [batch["y"].shape for batch in batches] == [(4, 1), (4, 1)]


def test_evaluate_reads_the_checkpoint_it_is_given(model_dir):
    estimator = line_estimator(model_dir, save_checkpoints_steps=1).train(line(), steps=2)
    first = estimator.evaluate(line(1), checkpoint_path=os.path.join(model_dir, "model.ckpt-1"))
    assert first["global_step"] == 1


def test_evaluate_by_name_has_a_directory_of_its_own(model_dir):
    estimator = line_estimator(model_dir).train(line(), steps=1)
    estimator.evaluate(line(1), name="other")
    assert os.path.isdir(os.path.join(model_dir, "eval_other"))


def test_params_reach_the_model(model_dir):
    estimator = tf.estimator.Estimator(line_model, model_dir, params={"learning_rate": 0.0})
    assert estimator.train(line(), steps=2).get_variable_value("w") == 0.0


def test_variables_by_name(model_dir):
    estimator = line_estimator(model_dir).train(line(), steps=1)
    assert estimator.get_variable_names() == ["b", "global_step", "w"]


def test_numpy_input_fn(model_dir):
    input_fn = v1.estimator.inputs.numpy_input_fn(
        {"x": X}, X, batch_size=2, num_epochs=3, shuffle=False
    )
    estimator = line_estimator(model_dir).train(input_fn)
    assert estimator.get_variable_value("global_step") == 6


def test_pandas_input_fn(model_dir):
    frame = pandas.DataFrame({"x": np.arange(4, dtype=np.float32)})
    input_fn = v1.estimator.inputs.pandas_input_fn(
        frame, frame["x"], batch_size=2, num_epochs=1, shuffle=False
    )
    estimator = line_estimator(model_dir).train(input_fn)
    assert estimator.get_variable_value("global_step") == 2


def test_run_config_reads_the_cluster(monkeypatch):
    cluster = {"chief": ["host0:1"], "worker": ["host1:1", "host2:1"], "ps": ["host3:1"]}
    task = {"type": "worker", "index": 1}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    config = tf.estimator.RunConfig()
    assert (config.task_type, config.task_id, config.is_chief) == ("worker", 1, False)
    assert (config.num_worker_replicas, config.num_ps_replicas) == (3, 1)
    assert config.master == "grpc://host2:1"
    assert config.global_id_in_cluster == 2


def test_run_config_refuses_a_cluster_without_a_chief(monkeypatch):
    cluster = {"worker": ["host1:1"]}
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    with pytest.raises(ValueError, match="chief"):
        tf.estimator.RunConfig()


def test_run_config_keeps_checkpoints_as_told(model_dir):
    estimator = line_estimator(model_dir, save_checkpoints_steps=1, keep_checkpoint_max=2)
    estimator.train(line(), steps=4)
    assert len(tf.io.gfile.glob(os.path.join(model_dir, "*.index"))) == 2


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
