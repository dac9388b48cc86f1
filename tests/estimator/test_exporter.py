"""Tests of hubmodule.estimator.exporter."""

from __future__ import annotations

import copy
import logging
import pickle
import sys

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import CheckpointError, ModuleDefinitionError
from hubmodule.estimator import exporter as exporter_file
from tests.estimator.behaviour.models import Y, config, line, line_estimator, receive_x
from tests.processes import output_of

v1 = tf.compat.v1


def scale_fn() -> None:
    """Module function: y = w * x, with w = 1 to begin with."""
    x = v1.placeholder(tf.float32, [None, 1])
    w = v1.get_variable("w", [], initializer=v1.ones_initializer())
    hub.add_signature(inputs=x, outputs=w * x)


def parts_fn() -> None:
    """Module function: as scale_fn, with its variable in two parts."""
    x = v1.placeholder(tf.float32, [None, 1])
    w = v1.get_variable(
        "w", [2, 1], initializer=v1.ones_initializer(), partitioner=v1.fixed_size_partitioner(2)
    )
    hub.add_signature(inputs=x, outputs=tf.matmul(tf.concat([x, x], 1), tf.convert_to_tensor(w)))


def model_with(*names, module_fn=scale_fn, rate=0.1, scaffold=None):
    """A model_fn: y = b + the sum of modules, registered under the names."""
    spec = hub.create_module_spec(module_fn)

    def model_fn(features, labels, mode):
        y = v1.get_variable("b", [], initializer=v1.zeros_initializer())
        for name in names:
            module = hub.Module(spec, trainable=True, name=name)
            hub.register_module_for_export(module, name)
            y = y + module(features["x"])
        extra = {"scaffold": scaffold()} if scaffold else {}
        if mode == "infer":
            return tf.estimator.EstimatorSpec(mode, y, **extra)
        loss = tf.reduce_mean(tf.square(y - labels))
        optimizer = v1.train.GradientDescentOptimizer(rate)
        train_op = optimizer.minimize(loss, v1.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, y, loss, train_op, **extra)

    return model_fn


def estimator_of(model_dir, *names, **kwargs):
    warm_start_from = kwargs.pop("warm_start_from", None)
    return tf.estimator.Estimator(
        model_with(*names, **kwargs), model_dir, config(), warm_start_from=warm_start_from
    )


def exporter(**kwargs):
    return hub.LatestModuleExporter("tf_hub", receive_x, **kwargs)


def slope(path):
    """What an exported module makes of 1."""
    with hub.eval_function_for_module(path) as f:
        return f([[1.0]])[0, 0]


def numbers(path):
    return sorted(name.rstrip("/") for name in tf.io.gfile.listdir(str(path)))


@pytest.fixture
def at(monkeypatch):
    """Sets the clock."""
    return lambda seconds: monkeypatch.setattr(exporter_file.time, "time", lambda: seconds)


def test_exports_the_trained_values(model_dir, tmp_path, at):
    at(1234.5)
    estimator = estimator_of(model_dir, "scale").train(line(), steps=100)
    directory = exporter().export(estimator, str(tmp_path / "exports"))
    assert directory == str(tmp_path / "exports" / "1234")
    assert slope(f"{directory}/scale") == pytest.approx(2.0, abs=0.01)
    assert slope(f"{directory}/scale") == estimator.get_variable_value("scale/w")


def test_exports_the_checkpoint_that_it_is_given(model_dir, tmp_path):
    estimator = estimator_of(model_dir, "scale").train(line(), steps=1)
    first = estimator.latest_checkpoint()
    value = estimator.get_variable_value("scale/w")
    estimator.train(line(), steps=50)
    directory = exporter().export(estimator, str(tmp_path / "exports"), first)
    assert slope(f"{directory}/scale") == value


def test_exports_several_modules(model_dir, tmp_path):
    estimator = estimator_of(model_dir, "one", "two").train(line(), steps=2)
    directory = exporter().export(estimator, str(tmp_path))
    assert numbers(directory) == ["one", "two"]


def test_exports_partitioned_variables(model_dir, tmp_path):
    estimator = estimator_of(model_dir, "scale", module_fn=parts_fn).train(line(), steps=100)
    directory = exporter().export(estimator, str(tmp_path))
    assert slope(f"{directory}/scale") == pytest.approx(2.0, abs=0.01)


def test_exports_warm_started_variables(model_dir, tmp_path):
    first = estimator_of(model_dir, "scale").train(line(), steps=50)
    second = estimator_of(None, "scale", rate=0.0, warm_start_from=model_dir)
    second.train(line(), steps=1)
    directory = exporter().export(second, str(tmp_path))
    assert slope(f"{directory}/scale") == first.get_variable_value("scale/w")


def test_exports_what_a_saver_of_the_model_restores(model_dir, tmp_path):
    def restoring_b_as_w():
        variables = {v.op.name: v for v in v1.global_variables()}
        return v1.train.Scaffold(saver=v1.train.Saver({"b": variables["scale/w"]}))

    estimator_of(model_dir, "scale").train(line(), steps=50)
    other = estimator_of(model_dir, "scale", scaffold=restoring_b_as_w)
    directory = exporter().export(other, str(tmp_path))
    assert slope(f"{directory}/scale") == other.get_variable_value("b")


def test_an_exported_module_trains_on(model_dir, tmp_path):
    estimator = estimator_of(model_dir, "scale").train(line(), steps=100)
    path = exporter().export(estimator, str(tmp_path)) + "/scale"

    def model_fn(features, labels, mode):
        loss = tf.reduce_mean(tf.square(hub.Module(path, trainable=True)(features["x"]) + 1 - Y))
        optimizer = v1.train.GradientDescentOptimizer(0.1)
        train_op = optimizer.minimize(loss, v1.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    metrics = tf.estimator.Estimator(model_fn).train(line(), steps=1).evaluate(line(1))
    assert metrics["loss"] < 1e-3


def test_works_in_the_training_loop(model_dir):
    tf.estimator.train_and_evaluate(
        estimator_of(model_dir, "scale"),
        tf.estimator.TrainSpec(line(), max_steps=2),
        tf.estimator.EvalSpec(line(1), exporters=[exporter()]),
    )
    assert len(numbers(f"{model_dir}/export/tf_hub")) == 1


def test_two_exports_in_one_second_get_two_directories(model_dir, tmp_path, at):
    at(100)
    estimator = estimator_of(model_dir, "scale").train(line(), steps=1)
    for _ in range(2):
        exporter().export(estimator, str(tmp_path / "exports"))
    assert numbers(tmp_path / "exports") == ["100", "101"]


@pytest.mark.parametrize(("keep", "left"), [(2, ["7", "99", "101", "keep"]), (None, None)])
def test_keeps_the_newest(model_dir, tmp_path, at, keep, left):
    estimator = estimator_of(model_dir, "scale").train(line(), steps=1)
    (tmp_path / "exports" / "keep").mkdir(parents=True)
    (tmp_path / "exports" / "7").write_text("a file, and no export")
    for seconds in (9, 99, 101):
        at(seconds)
        exporter(exports_to_keep=keep).export(estimator, str(tmp_path / "exports"))
    assert numbers(tmp_path / "exports") == sorted(left or ["7", "9", "99", "101", "keep"])


def test_ram_paths(tmp_path, model_dir):
    estimator = estimator_of(model_dir, "scale").train(line(), steps=1)
    root = f"ram://{tmp_path.name}/exports"
    directory = exporter(exports_to_keep=1).export(estimator, root)
    again = exporter(exports_to_keep=1).export(estimator, root)
    assert numbers(root) == [again.rpartition("/")[2]] != [directory.rpartition("/")[2]]
    assert slope(f"{again}/scale") == estimator.get_variable_value("scale/w")


def test_paths_as_bytes(model_dir, tmp_path):
    estimator = estimator_of(model_dir, "scale").train(line(), steps=1)
    directory = exporter().export(estimator, str(tmp_path).encode())
    assert directory.startswith(str(tmp_path))


def test_without_a_module_there_is_a_warning_and_no_export(model_dir, tmp_path, caplog):
    estimator = line_estimator(model_dir).train(line(), steps=1)
    with caplog.at_level(logging.WARNING, "hubmodule"):
        assert exporter().export(estimator, str(tmp_path / "exports")) is None
    assert "hub.register_module_for_export(module, name)" in caplog.text
    assert "give the column an export_name=" in caplog.text
    assert not (tmp_path / "exports").exists()


def test_without_a_checkpoint_the_error_says_so(model_dir, tmp_path):
    with pytest.raises(CheckpointError, match=r"no checkpoint.*train the Estimator first"):
        exporter().export(estimator_of(model_dir, "scale"), str(tmp_path))
    assert numbers(tmp_path) == []


def test_a_failure_leaves_nothing(model_dir, tmp_path):
    estimator = line_estimator(model_dir).train(line(), steps=1)
    checkpoint = estimator.latest_checkpoint()
    other = estimator_of(None, "scale")
    with pytest.raises(CheckpointError, match="scale/w"):
        exporter().export(other, str(tmp_path / "exports"), checkpoint)
    assert numbers(tmp_path / "exports") == []


@pytest.mark.parametrize("keep", [0, -1])
def test_at_least_one_export_is_kept(keep):
    with pytest.raises(ValueError, match="positive"):
        exporter(exports_to_keep=keep)


@pytest.mark.parametrize("keep, shown", [(3, "3"), (None, "all")])
def test_the_repr_says_what_it_is(keep, shown):
    text = f"<hub.LatestModuleExporter 'tf_hub', keeps {shown} exports>"
    assert repr(exporter(exports_to_keep=keep)) == text


def test_is_an_exporter_of_the_estimator():
    made = exporter()
    assert isinstance(made, tf.estimator.Exporter)
    assert isinstance(made, hub.LatestModuleExporter)
    assert made.name == "tf_hub"


class Mine(hub.LatestModuleExporter):
    """An exporter of a program's own, with other arguments."""

    def __init__(self, suffix):
        super().__init__(f"mine_{suffix}", receive_x, exports_to_keep=1)
        self.suffix = suffix


@pytest.mark.parametrize("make", [exporter, lambda: Mine("a")], ids=["own", "subclass"])
@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))], ids=["copy", "pickle"]
)
def test_can_be_copied(make, clone):
    original = make()
    copied = clone(original)
    assert type(copied) is type(original)
    assert vars(copied) == vars(original)
    assert isinstance(copied, tf.estimator.Exporter)


def test_can_be_subclassed():
    assert isinstance(Mine("a"), Mine)
    assert Mine("a").name == "mine_a"


def test_its_class_needs_no_estimator():
    lines = output_of(
        """
        import sys
        sys.modules["tensorflow_estimator"] = sys.modules["tf_keras"] = None
        from hubmodule import *
        print(LatestModuleExporter.__name__, register_module_for_export.__name__)
        """
    )
    assert lines == ["LatestModuleExporter register_module_for_export"]


def test_a_name_twice_in_a_graph_is_an_error():
    with tf.Graph().as_default():
        module = hub.Module(hub.create_module_spec(scale_fn))
        hub.register_module_for_export(module, "m")
        with pytest.raises(ValueError, match="already a module registered"):
            hub.register_module_for_export(module, "m")


def test_a_name_may_be_used_again_in_another_graph():
    for _ in range(2):
        with tf.Graph().as_default():
            hub.register_module_for_export(hub.Module(hub.create_module_spec(scale_fn)), "m")


@pytest.mark.parametrize("name", ["text/encoder", "a b", ".hidden", "a:b", b"bytes"])
def test_every_name_of_a_directory_will_do(model_dir, tmp_path, name):
    def model_fn(features, labels, mode):
        hub.register_module_for_export(hub.Module(spec), name)
        step = v1.assign_add(v1.train.get_global_step(), 1)
        return tf.estimator.EstimatorSpec(mode, features["x"], tf.constant(0.0), step)

    spec = hub.create_module_spec(scale_fn)
    estimator = tf.estimator.Estimator(model_fn, model_dir, config()).train(line(), steps=1)
    directory = exporter().export(estimator, str(tmp_path / "exports"))
    assert slope(f"{directory}/{tf.compat.as_str(name)}") == 1.0


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
def test_a_module_inside_another_is_an_error(names):
    with tf.Graph().as_default():
        module = hub.Module(hub.create_module_spec(scale_fn))
        hub.register_module_for_export(module, names[0])
        hub.register_module_for_export(module, "ab")
        with pytest.raises(ModuleDefinitionError, match="inside the other"):
            hub.register_module_for_export(module, names[1])


@pytest.mark.parametrize("name", ["", "../x", "/x", "a//b", "a/.", "..", "a\0b", 3, None])
def test_a_name_must_name_a_directory(name):
    with tf.Graph().as_default():
        module = hub.Module(hub.create_module_spec(scale_fn))
        with pytest.raises(ModuleDefinitionError, match="cannot be exported as"):
            hub.register_module_for_export(module, name)


def test_registering_leaves_no_trace_in_meta_graphs():
    with tf.Graph().as_default():
        hub.register_module_for_export(hub.Module(hub.create_module_spec(scale_fn)), "m")
        meta_graph = v1.train.export_meta_graph()
    assert not [key for key in meta_graph.collection_def if "hub" in key]


def test_predictions_see_the_features_of_the_receiver(model_dir, tmp_path):
    seen = []

    def model_fn(features, labels, mode, config):
        if mode == tf.estimator.ModeKeys.PREDICT:
            seen.append((features["x"].shape.as_list(), labels, config.tf_random_seed))
        return model_with("scale")(features, labels, mode)

    estimator = tf.estimator.Estimator(model_fn, model_dir, config()).train(line(), steps=1)
    exporter().export(estimator, str(tmp_path))
    assert seen == [([None, 1], None, 7)]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
