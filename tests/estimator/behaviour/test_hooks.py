"""Every hook does what it is for."""

from __future__ import annotations

import logging
import os
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.estimator.behaviour.models import data, line, line_estimator, v1


def events(model_dir: str) -> list[tf.compat.v1.Event]:
    files = tf.io.gfile.glob(os.path.join(model_dir, "events*"))
    return [event for file in files for event in v1.train.summary_iterator(file)]


def tags(model_dir: str) -> set[str]:
    return {value.tag for event in events(model_dir) for value in event.summary.value}


def test_a_hook_of_ones_own_is_called_in_order(model_dir):
    calls = []

    class Recorder(tf.estimator.SessionRunHook):
        def begin(self):
            self.step = v1.train.get_global_step()
            calls.append("begin")

        def after_create_session(self, session, coord):
            calls.append("created")

        def before_run(self, run_context):
            return tf.estimator.SessionRunArgs(self.step)

        def after_run(self, run_context, run_values):
            assert isinstance(run_context, tf.estimator.SessionRunContext)
            assert isinstance(run_values, tf.estimator.SessionRunValues)
            calls.append("ran")
            if calls.count("ran") == 2:
                run_context.request_stop()

        def end(self, session):
            calls.append(int(session.run(self.step)))

    line_estimator(model_dir).train(line(), hooks=[Recorder()])
    assert calls == ["begin", "created", "ran", "ran", 2]


def test_stop_at_step_counts_from_the_checkpoint(model_dir):
    estimator = line_estimator(model_dir).train(line(), steps=3)
    estimator.train(line(), hooks=[tf.estimator.StopAtStepHook(num_steps=2)])
    assert estimator.get_variable_value("global_step") == 5
    estimator.train(line(), hooks=[tf.estimator.StopAtStepHook(last_step=5)])
    assert estimator.get_variable_value("global_step") == 6


def test_checkpoint_saver_hook_tells_its_listeners(model_dir, tmp_path):
    calls = []

    class Listener(tf.estimator.CheckpointSaverListener):
        def begin(self):
            calls.append("begin")

        def before_save(self, session, global_step_value):
            calls.append(("before", int(global_step_value)))

        def after_save(self, session, global_step_value):
            calls.append(("after", int(global_step_value)))

        def end(self, session, global_step_value):
            calls.append(("end", int(global_step_value)))

    other = str(tmp_path / "other")
    hook = tf.estimator.CheckpointSaverHook(other, save_steps=2, listeners=[Listener()])
    line_estimator(model_dir, save_checkpoints_steps=None).train(line(), hooks=[hook], steps=3)
    assert calls == [
        "begin",
        *[("before", 0), ("after", 0), ("before", 2), ("after", 2), ("before", 3), ("after", 3)],
        ("end", 3),
    ]
    assert tf.train.latest_checkpoint(other).endswith("model.ckpt-3")


def test_saving_listeners_of_train(model_dir):
    steps = []

    class Listener(tf.estimator.CheckpointSaverListener):
        def after_save(self, session, global_step_value):
            steps.append(int(global_step_value))

    line_estimator(model_dir).train(line(), steps=2, saving_listeners=[Listener()])
    assert steps == [0, 2]


def test_feed_fn_hook_feeds(model_dir):
    def model_fn(features, labels, mode):
        fed = v1.placeholder(tf.float32, [], name="fed")
        assign = v1.assign(v1.get_variable("v", []), fed)
        with tf.control_dependencies([assign]):
            step = v1.assign_add(v1.train.get_global_step(), 1)
        return tf.estimator.EstimatorSpec(mode, loss=fed, train_op=step)

    hook = tf.estimator.FeedFnHook(lambda: {"fed:0": 3.0})
    estimator = tf.estimator.Estimator(model_fn, model_dir).train(line(), steps=1, hooks=[hook])
    assert estimator.get_variable_value("v") == 3.0


def test_final_ops_hook_has_the_final_values(model_dir):
    class FinalStep(tf.estimator.FinalOpsHook):
        def __init__(self):
            super().__init__(None)

        def begin(self):
            self._final_ops = v1.train.get_global_step()

    hook = FinalStep()
    line_estimator(model_dir).train(line(), steps=4, hooks=[hook])
    assert hook.final_ops_values == 4


def test_global_step_waiter_waits_for_nothing_at_its_step(model_dir):
    hook = tf.estimator.GlobalStepWaiterHook(0)
    estimator = line_estimator(model_dir).train(line(), steps=1, hooks=[hook])
    assert estimator.get_variable_value("global_step") == 1


def test_logging_tensor_hook_logs(model_dir, caplog):
    hook = tf.estimator.LoggingTensorHook(
        ["loss"], every_n_iter=2, formatter=lambda values: f"logged {sorted(values)}"
    )
    with caplog.at_level(logging.INFO, "tensorflow"):
        line_estimator(model_dir).train(line(), steps=4, hooks=[hook])
    assert caplog.messages.count("logged ['loss']") == 2


def test_nan_tensor_hook_stops_training(model_dir):
    nan = data({"x": np.full([1, 1], np.nan, np.float32)}, np.ones([1, 1], np.float32))
    estimator = line_estimator(model_dir)
    with pytest.raises(tf.estimator.NanLossDuringTrainingError):
        estimator.train(nan, steps=1)


def test_nan_tensor_hook_can_end_quietly(model_dir):
    class QuietNan(tf.estimator.NanTensorHook):
        def __init__(self):
            super().__init__(None, fail_on_nan_loss=False)

        def begin(self):
            self._loss_tensor = v1.get_default_graph().get_tensor_by_name("nan:0")

    def model_fn(features, labels, mode):
        tf.constant(np.nan, name="nan")
        step = v1.assign_add(v1.train.get_global_step(), 1)
        return tf.estimator.EstimatorSpec(mode, loss=tf.constant(0.0), train_op=step)

    estimator = tf.estimator.Estimator(model_fn, model_dir)
    estimator.train(line(), steps=5, hooks=[QuietNan()])
    assert estimator.get_variable_value("global_step") == 1


def test_profiler_hook_writes_a_timeline(model_dir, tmp_path):
    with tf.Graph().as_default():  # it opens a FileWriter, which eager mode refuses
        hook = tf.estimator.ProfilerHook(save_steps=2, output_dir=str(tmp_path))
    line_estimator(model_dir).train(line(), steps=3, hooks=[hook])
    assert "traceEvents" in (tmp_path / "timeline-2.json").read_text()


def test_second_or_step_timer_by_steps():
    timer = tf.estimator.SecondOrStepTimer(every_steps=3)
    timer.update_last_triggered_step(1)
    assert [step for step in range(1, 8) if timer.should_trigger_for_step(step)] == [4, 5, 6, 7]


def test_step_counter_hook_writes_the_speed(model_dir):
    hook = tf.estimator.StepCounterHook(every_n_steps=2, output_dir=model_dir)
    line_estimator(model_dir).train(line(), steps=6, hooks=[hook])
    assert "global_step/sec" in tags(model_dir)


def test_summary_saver_hook_writes_summaries(model_dir):
    class SaveW(tf.estimator.SummarySaverHook):
        def __init__(self):
            super().__init__(save_steps=1, output_dir=model_dir, scaffold=v1.train.Scaffold())

        def begin(self):
            self._scaffold = None
            self._summary_op = v1.summary.scalar("half", 0.5)
            super().begin()

    line_estimator(model_dir).train(line(), steps=2, hooks=[SaveW()])
    assert "half" in tags(model_dir)


def test_in_memory_evaluator_hook_evaluates_while_training(model_dir):
    estimator = line_estimator(model_dir)
    hook = tf.estimator.experimental.InMemoryEvaluatorHook(estimator, line(1), every_n_iter=2)
    estimator.train(line(), steps=4, hooks=[hook])
    assert os.path.isdir(os.path.join(model_dir, "eval"))
    assert "mean_y" in tags(os.path.join(model_dir, "eval"))


def test_stop_at_checkpoint_step_hook(model_dir):
    estimator = line_estimator(model_dir)
    hook = tf.estimator.experimental.make_stop_at_checkpoint_step_hook(estimator, last_step=3)
    estimator.train(line(), steps=10, hooks=[hook])
    assert estimator.get_variable_value("global_step") == 3


def test_early_stopping_hook(model_dir):
    estimator = line_estimator(model_dir, save_checkpoints_steps=1)
    os.makedirs(estimator.eval_dir())
    stop = iter([False, False, True])
    hook = tf.estimator.experimental.make_early_stopping_hook(
        estimator, lambda: next(stop), run_every_secs=None, run_every_steps=1
    )
    estimator.train(line(), steps=10, hooks=[hook])
    assert estimator.get_variable_value("global_step") == 3


@pytest.mark.parametrize(
    ("stopper", "arguments", "losses", "stops"),
    [
        ("stop_if_higher_hook", {"threshold": 4.0}, [1.0, 5.0], True),
        ("stop_if_higher_hook", {"threshold": 6.0}, [1.0, 5.0], False),
        ("stop_if_lower_hook", {"threshold": 2.0}, [5.0, 1.0], True),
        ("stop_if_lower_hook", {"threshold": 0.5}, [5.0, 1.0], False),
        ("stop_if_no_decrease_hook", {"max_steps_without_decrease": 1}, [1.0, 2.0, 2.0], True),
        ("stop_if_no_decrease_hook", {"max_steps_without_decrease": 1}, [3.0, 2.0, 1.0], False),
        ("stop_if_no_increase_hook", {"max_steps_without_increase": 1}, [3.0, 2.0, 2.0], True),
        ("stop_if_no_increase_hook", {"max_steps_without_increase": 1}, [1.0, 2.0, 3.0], False),
    ],
)
def test_stop_if_hooks_read_the_evaluations(model_dir, stopper, arguments, losses, stops):
    estimator = line_estimator(model_dir)
    with tf.Graph().as_default():
        writer = v1.summary.FileWriter(estimator.eval_dir())
        for step, loss in enumerate(losses):
            value = v1.Summary.Value(tag="loss", simple_value=loss)
            writer.add_summary(v1.Summary(value=[value]), step)
        writer.close()
    make = getattr(tf.estimator.experimental, stopper)
    hook = make(estimator, "loss", run_every_secs=None, run_every_steps=1, **arguments)
    estimator.train(line(), steps=3, hooks=[hook])
    assert estimator.get_variable_value("global_step") == (1 if stops else 3)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
