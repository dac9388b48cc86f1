"""Exporters and SavedModels."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests.estimator.behaviour.models import X, Y, line, line_estimator, receive_x, v1

PREDICT = "line"


def numbered(path: str) -> list[str]:
    return sorted(name for name in os.listdir(path) if name.isdigit())


def train_and_export(model_dir: str, exporter: tf.estimator.Exporter, evaluations: int) -> str:
    """Evaluates some times while it trains; returns the directory of the exports."""
    estimator = line_estimator(model_dir)
    eval_spec = tf.estimator.EvalSpec(line(1), exporters=exporter, throttle_secs=0)
    for step in range(evaluations):
        train_spec = tf.estimator.TrainSpec(line(), max_steps=step + 1)
        tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
    return os.path.join(model_dir, "export", exporter.name)


def test_final_exporter_exports_at_the_end(model_dir):
    exports = train_and_export(model_dir, tf.estimator.FinalExporter("last", receive_x), 1)
    assert len(numbered(exports)) == 1


def test_latest_exporter_keeps_the_newest(model_dir):
    exporter = tf.estimator.LatestExporter("latest", receive_x, exports_to_keep=2)
    estimator = line_estimator(model_dir).train(line(), steps=1)
    exports = os.path.join(model_dir, "exports")
    for _ in range(3):
        exporter.export(estimator, exports, estimator.latest_checkpoint(), {}, False)
    assert len(numbered(exports)) == 2


def test_best_exporter_exports_what_is_better(model_dir):
    exporter = tf.estimator.BestExporter("best", receive_x, exports_to_keep=5)
    estimator = line_estimator(model_dir).train(line(), steps=1)
    checkpoint = estimator.latest_checkpoint()
    exports = os.path.join(model_dir, "exports")
    written = [
        exporter.export(estimator, exports, checkpoint, {"loss": loss}, False) is not None
        for loss in (3.0, 4.0, 2.0)
    ]
    assert written == [True, False, True]


def test_an_exporter_of_ones_own(model_dir):
    calls = []

    class Recorder(tf.estimator.Exporter):
        name = "recorder"

        def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
            calls.append((os.path.basename(checkpoint_path), is_the_final_export))

    train_and_export(model_dir, Recorder(), 1)
    assert calls == [("model.ckpt-1", True)]


def test_what_is_no_exporter_is_refused():
    with pytest.raises(TypeError, match="Exporter"):
        tf.estimator.EvalSpec(line(1), exporters=["no exporter"])


@pytest.mark.parametrize("method", ["export_saved_model", "experimental_export_all_saved_models"])
def test_exported_predictions(model_dir, method):
    estimator = line_estimator(model_dir).train(line(), steps=100)
    receivers = receive_x
    if method != "export_saved_model":
        receivers = {tf.estimator.ModeKeys.PREDICT: receive_x}
    path = getattr(estimator, method)(model_dir + "-export", receivers)
    served = tf.saved_model.load(tf.compat.as_str(path)).signatures[PREDICT]
    np.testing.assert_allclose(served(tf.constant(X))["y"], Y, atol=0.1)


def test_all_saved_models_hold_a_graph_for_each_mode(model_dir):
    modes = tf.estimator.ModeKeys
    receive = tf.estimator.experimental.build_raw_supervised_input_receiver_fn(
        {"x": tf.constant(X)}, tf.constant(Y)
    )
    estimator = line_estimator(model_dir).train(line(), steps=1)
    path = estimator.experimental_export_all_saved_models(
        model_dir + "-export",
        {modes.TRAIN: receive, modes.EVAL: receive, modes.PREDICT: receive_x},
    )
    with open(os.path.join(tf.compat.as_str(path), "saved_model.pb"), "rb") as file:
        saved_model = saved_model_pb2.SavedModel.FromString(file.read())
    graphs = [set(graph.meta_info_def.tags) for graph in saved_model.meta_graphs]
    assert graphs == [{"train"}, {"eval"}, {"serve"}]


def test_parsing_receivers_read_examples(model_dir):
    column = tf.feature_column.numeric_column("x")
    receive = tf.estimator.export.build_parsing_serving_input_receiver_fn(
        tf.feature_column.make_parse_example_spec([column])
    )
    estimator = line_estimator(model_dir).train(line(), steps=100)
    path = estimator.export_saved_model(model_dir + "-export", receive)
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(2.0)
    served = tf.saved_model.load(tf.compat.as_str(path)).signatures[PREDICT]
    result = served(tf.constant([example.SerializeToString()]))
    np.testing.assert_allclose(result["y"], [[5.0]], atol=0.1)


def test_raw_receivers_take_tensors():
    with tf.Graph().as_default():
        build = tf.estimator.export.build_raw_serving_input_receiver_fn
        receiver = build({"x": v1.placeholder(tf.float32, [None, 1])})()
        assert receiver.features["x"] is receiver.receiver_tensors["x"]
        assert receiver.features["x"].shape.as_list() == [None, 1]


def test_tensor_receivers_hold_a_bare_tensor():
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 1])
        receiver = tf.estimator.export.TensorServingInputReceiver(x, {"x": x})
        assert receiver.features is x


def test_assets_are_exported(model_dir, tmp_path):
    vocabulary = tmp_path / "vocabulary.txt"
    vocabulary.write_text("a\nb\n")
    estimator = line_estimator(model_dir).train(line(), steps=1)
    path = estimator.export_saved_model(
        model_dir + "-export", receive_x, assets_extra={"words/v.txt": str(vocabulary)}
    )
    copied = os.path.join(tf.compat.as_str(path), "assets.extra", "words", "v.txt")
    assert tf.io.gfile.GFile(copied).read() == "a\nb\n"


def test_export_outputs_become_signatures(model_dir):
    def model_fn(features, labels, mode):
        scores = tf.concat([features["x"], 1 - features["x"]], axis=1)
        export = tf.estimator.export
        outputs = {
            "serving_default": export.ClassificationOutput(
                scores, tf.constant([["a", "b"]]) + tf.strings.as_string(scores * 0)
            ),
            "regress": export.RegressionOutput(features["x"]),
            "predict": export.PredictOutput({"scores": scores}),
        }
        step = v1.assign_add(v1.train.get_global_step(), 1)
        return tf.estimator.EstimatorSpec(
            mode, scores, tf.constant(0.0), step, export_outputs=outputs
        )

    def receive():
        text = v1.placeholder(tf.string, [None])
        parsed = tf.io.parse_example(text, {"x": tf.io.FixedLenFeature([1], tf.float32)})
        return tf.estimator.export.ServingInputReceiver(parsed, {"examples": text})

    estimator = tf.estimator.Estimator(model_fn, model_dir).train(line(), steps=1)
    path = estimator.export_saved_model(model_dir + "-export", receive)
    signatures = tf.saved_model.load(tf.compat.as_str(path)).signatures
    assert {"serving_default", "regress", "predict"} <= set(signatures)
    assert set(signatures["serving_default"].structured_outputs) == {"classes", "scores"}
    assert set(signatures["regress"].structured_outputs) == {"outputs"}


def test_exporting_without_a_checkpoint_is_an_error(model_dir):
    with pytest.raises(ValueError, match="trained model"):
        line_estimator(model_dir).export_saved_model(model_dir + "-export", receive_x)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
