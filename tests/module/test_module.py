"""Module: state in a graph, its collections, names and export."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule import errors
from hubmodule.format import saved_model
from hubmodule.module.spec import read_checkpoint
from tests.growth import count_lines
from tests.module.graphs import affine, array, evaluate, exported, initialised_session

v1 = tf.compat.v1
Keys = v1.GraphKeys


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture(scope="module")
def affine_path(tmp_path_factory):
    spec = hub.create_module_spec(affine, [(set(), {}), ({"train"}, {})])
    return exported(tmp_path_factory.mktemp("affine") / "m", spec)


def list_names(key: str) -> list[str]:
    return [element.name for element in v1.get_collection(key)]


class TestState:
    def test_initialisers_read_the_trained_values(self, graph, affine_path):
        module = hub.Module(affine_path)
        assert evaluate(module.variable_map) == {"w": 2.0, "b": 1.0}

    def test_a_spec_from_python_keeps_the_authors_initialisers(self, graph):
        module = hub.Module(hub.create_module_spec(affine))
        assert evaluate(module.variable_map) == {"w": 2.0, "b": 1.0}

    def test_one_initialiser_initialises_one_variable(self, graph, affine_path):
        module = hub.Module(affine_path)
        with v1.Session() as session:
            session.run(module.variable_map["w"].initializer)
            assert session.run(module.variable_map["w"]) == 2.0
            with pytest.raises(tf.errors.FailedPreconditionError):
                session.run(module.variable_map["b"])

    def test_initial_value_is_the_trained_value(self, graph, affine_path):
        variable = hub.Module(affine_path).variable_map["w"]
        assert variable.initial_value.shape == variable.shape
        with v1.Session() as session:
            assert session.run(variable.initial_value) == 2.0

    def test_frozen_modules_fill_no_training_collections(self, graph, affine_path):
        module = hub.Module(affine_path)
        module(array(1))
        assert list_names(Keys.GLOBAL_VARIABLES) == ["module/w:0", "module/b:0"]
        assert list_names(Keys.TRAINABLE_VARIABLES) == []
        assert list_names(Keys.REGULARIZATION_LOSSES) == []
        assert list_names(Keys.UPDATE_OPS) == []
        assert not any(variable.trainable for variable in module.variables)

    def test_trainable_modules_fill_the_training_collections(self, graph, affine_path):
        module = hub.Module(affine_path, trainable=True)
        module(array(1))
        module(array(1))
        assert list_names(Keys.TRAINABLE_VARIABLES) == ["module/w:0"]
        assert len(list_names(Keys.REGULARIZATION_LOSSES)) == 1
        assert evaluate(v1.get_collection(Keys.REGULARIZATION_LOSSES)) == [2.0]
        assert len(list_names(Keys.UPDATE_OPS)) == 2
        trainable = {v.name: v.trainable for v in module.variables}
        assert trainable == {"module/w:0": True, "module/b:0": False}

    def test_model_variables_join_their_collection(self, graph):
        def module_fn():
            kept = v1.get_variable(
                "kept", [], collections=[Keys.GLOBAL_VARIABLES, Keys.MODEL_VARIABLES]
            )
            other = v1.get_variable("other", [])
            hub.add_signature(outputs=kept + other)

        hub.Module(hub.create_module_spec(module_fn))
        assert list_names(Keys.MODEL_VARIABLES) == ["module/kept:0"]

    def test_update_ops_run(self, graph, affine_path):
        module = hub.Module(affine_path, trainable=True)
        output = module(array(1))
        with initialised_session() as session:
            session.run(v1.get_collection(Keys.UPDATE_OPS))
            assert session.run(output).tolist() == [13.0]

    def test_update_ops_of_another_signature_are_left_out(self, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [None])
            y = v1.placeholder(tf.float32, [None])
            mean = v1.get_variable("mean", initializer=tf.constant(0.0), trainable=False)
            v1.add_to_collection(Keys.UPDATE_OPS, v1.assign(mean, tf.reduce_mean(x)))
            hub.add_signature("x", x, x + mean)
            hub.add_signature("y", y, y + mean)

        module = hub.Module(hub.create_module_spec(module_fn), trainable=True)
        module(array(1), signature="y")
        assert list_names(Keys.UPDATE_OPS) == []
        module(array(1), signature="x")
        assert len(list_names(Keys.UPDATE_OPS)) == 1

    def test_only_what_is_needed_is_imported(self, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [None])
            for _ in range(50):
                x = x + 1.0
            hub.add_signature("long", outputs=x)
            hub.add_signature(outputs=tf.constant(1.0))

        module = hub.Module(hub.create_module_spec(module_fn))
        assert graph.get_operations() == []
        module()
        assert len(graph.get_operations()) == 1

    def test_one_op_restores_all_variables(self, graph, affine_path):
        hub.Module(affine_path)
        assert [op.type for op in graph.get_operations()].count("RestoreV2") == 1
        assert "SaveV2" not in {op.type for op in graph.get_operations()}

    def test_state_ignores_control_dependencies(self, graph, affine_path):
        with tf.control_dependencies([tf.constant(1.0, name="outer")]):
            module = hub.Module(affine_path)
        assert all(not op.control_inputs for op in graph.get_operations() if op.name != "outer")
        assert evaluate(module.variable_map["w"]) == 2.0

    def test_applications_obey_control_dependencies(self, graph, affine_path):
        module = hub.Module(affine_path)
        with initialised_session() as session:
            with tf.control_dependencies([v1.assign(module.variable_map["w"], 5.0)]):
                output = module(array(1))
            assert session.run(output).tolist() == [6.0]


def dense(inputs: tf.Tensor, units: int) -> tf.Tensor:
    """tf.compat.v1.layers.dense, which TensorFlow has with Keras 2 only."""
    if tf.__version__.startswith("2.15."):
        return v1.layers.dense(inputs, units)
    return pytest.importorskip("tf_keras.src.legacy_tf_layers.core").dense(inputs, units)


class TestGraphVersion:
    """The graph of the user stays one of this TensorFlow."""

    @pytest.fixture(scope="class")
    def matmul_path(self, tmp_path_factory):
        def module_fn():
            x = v1.placeholder(tf.float32, [None, 3])
            hub.add_signature(inputs=x, outputs=tf.matmul(x, v1.get_variable("w", [3, 4])))

        return exported(tmp_path_factory.mktemp("matmul") / "m", module_fn)

    def test_is_that_of_this_tensorflow(self, graph, matmul_path):
        hub.Module(matmul_path)(tf.ones([2, 3]))
        assert graph.as_graph_def().versions.producer == tf.version.GRAPH_DEF_VERSION

    def test_scalar_placeholders_keep_their_shape(self, graph, matmul_path):
        hub.Module(matmul_path)
        assert v1.placeholder(tf.float32, []).shape.rank == 0

    def test_layers_take_what_is_computed_from_outputs(self, graph, matmul_path):
        module = hub.Module(matmul_path)
        keep_probability = v1.placeholder(tf.float32, [])
        x = v1.placeholder(tf.float32, [None, 3])
        assert dense(module(x) * keep_probability, 2).shape.as_list() == [None, 2]

    def test_exported_signatures_keep_their_shapes(self, graph, tmp_path, matmul_path):
        module = hub.Module(matmul_path)
        scale = v1.placeholder(tf.float32, [])
        outputs = module(v1.placeholder(tf.float32, [None, 3])) * scale
        with initialised_session(graph) as session:
            v1.saved_model.simple_save(
                session, str(tmp_path / "saved"), {"scale": scale}, {"y": outputs}
            )
        (loaded,) = saved_model.read(str(tmp_path / "saved"))
        signature = loaded.signature_def["serving_default"]
        assert tf.TensorShape(signature.inputs["scale"].tensor_shape) == []
        assert tf.TensorShape(signature.outputs["y"].tensor_shape).as_list() == [None, 4]
        assert loaded.graph_def.versions.producer == tf.version.GRAPH_DEF_VERSION


class TestNames:
    def test_scopes_are_made_unique(self, graph, affine_path):
        names = [hub.Module(affine_path).variables[0].name for _ in range(3)]
        assert names == ["module/b:0", "module_1/b:0", "module_2/b:0"]

    def test_scopes_nest(self, graph, affine_path):
        with v1.variable_scope("outer"):
            module = hub.Module(affine_path, name="inner")
            with tf.name_scope("tower"):
                output = module(array(1))
        assert module.variables[0].name == "outer/inner/b:0"
        assert output.name.startswith("outer/tower/inner_apply_default/")

    def test_a_module_per_tower_is_an_error_that_says_what_to_do(self, graph, affine_path):
        with v1.variable_scope("model"):
            hub.Module(affine_path)
        with (
            v1.variable_scope("model", reuse=True),
            pytest.raises(RuntimeError, match=r"name_scope is already taken.*each tower"),
        ):
            hub.Module(affine_path)

    def test_a_taken_name_scope_is_an_error(self, graph, affine_path):
        with tf.name_scope("module"):
            tf.constant(1.0)
        with pytest.raises(errors.ScopeError, match="name_scope is already taken"):
            hub.Module(affine_path)

    def test_application_scopes_replace_what_scopes_cannot_hold(self, graph):
        def module_fn():
            hub.add_signature("a:b c", outputs=tf.constant(1.0, name="one"))

        module = hub.Module(hub.create_module_spec(module_fn))
        assert module(signature="a:b c").name == "module_apply_a_b_c/one:0"

    def test_shared_names_are_prefixed(self, graph, affine_path):
        module = hub.Module(affine_path, name="m")
        shared = module.variable_map["w"].handle.op.get_attr("shared_name")
        assert shared == b"m/w"

    def test_modules_share_nothing(self, graph, affine_path):
        first, second = hub.Module(affine_path), hub.Module(affine_path)
        with initialised_session() as session:
            session.run(v1.assign(first.variable_map["w"], 7.0))
            assert session.run(second.variable_map["w"]) == 2.0

    def test_checkpoints_of_the_program_keep_loading(self, tmp_path, affine_path):
        prefix = str(tmp_path / "program")
        with tf.Graph().as_default():
            with v1.variable_scope("model"):
                module = hub.Module(affine_path, trainable=True, name="text")
            with initialised_session() as session:
                session.run(v1.assign(module.variable_map["w"], 9.0))
                v1.train.Saver().save(session, prefix)
        assert tf.train.load_variable(prefix, "model/text/w") == 9.0
        with tf.Graph().as_default(), v1.Session() as session:
            with v1.variable_scope("model"):
                module = hub.Module(affine_path, name="text")
            v1.train.Saver().restore(session, prefix)
            assert session.run(module.variable_map["w"]) == 9.0


class TestVariables:
    @staticmethod
    def _partitioned(use_resource):
        def module_fn():
            table = v1.get_variable(
                "table",
                initializer=tf.reshape(tf.range(8.0), [4, 2]),
                partitioner=v1.fixed_size_partitioner(3),
                use_resource=use_resource,
            )
            ids = v1.placeholder(tf.int64, [None])
            rows = v1.nn.embedding_lookup(table, ids, partition_strategy="div")
            hub.add_signature(inputs=ids, outputs=rows)

        return module_fn

    @pytest.mark.parametrize("use_resource", [True, False])
    def test_partitioned_variables(self, tmp_path, use_resource):
        path = exported(tmp_path / "m", self._partitioned(use_resource))
        assert tf.train.load_checkpoint(
            path + "/variables/variables"
        ).get_variable_to_shape_map() == {"table": [4, 2]}
        with tf.Graph().as_default():
            with v1.variable_scope("outer"):
                module = hub.Module(path, trainable=True)
            parts = module.variable_map["table"]
            assert [part.name for part in parts] == [
                f"outer/module/table/part_{i}:0" for i in range(3)
            ]
            assert [p._get_save_slice_info().full_name for p in parts] == ["outer/module/table"] * 3
            assert [p._get_save_slice_info().spec for p in parts] == [
                "4 2 0,2:0,2",
                "4 2 2,1:0,2",
                "4 2 3,1:0,2",
            ]
            output = module([0, 3])
            with initialised_session() as session:
                assert session.run(output).tolist() == [[0.0, 1.0], [6.0, 7.0]]
                session.run(v1.assign(parts[2], [[60.0, 70.0]]))
                module.export(str(tmp_path / "again"), session)
                v1.train.Saver().save(session, str(tmp_path / "program"))
        whole = tf.train.load_variable(str(tmp_path / "program"), "outer/module/table")
        assert whole[3].tolist() == [60.0, 70.0]
        with hub.eval_function_for_module(str(tmp_path / "again")) as f:
            assert f([3, 2]).tolist() == [[60.0, 70.0], [4.0, 5.0]]

    def test_ref_variables_train_and_export(self, tmp_path):
        def module_fn():
            x = v1.placeholder(tf.float32, [None])
            w = v1.get_variable("w", initializer=tf.constant(2.0), use_resource=False)
            hub.add_signature(inputs=x, outputs=w * x)

        path = exported(tmp_path / "m", module_fn)
        with tf.Graph().as_default():
            module = hub.Module(path, trainable=True)
            assert module.variable_map["w"].dtype.name == "float32_ref"
            loss = tf.reduce_sum(module(array(1, 1)))
            step = v1.train.GradientDescentOptimizer(0.5).minimize(loss)
            with initialised_session() as session:
                session.run(step)
                module.export(str(tmp_path / "trained"), session)
        with hub.eval_function_for_module(str(tmp_path / "trained")) as f:
            assert f(array(3)).tolist() == [3.0]

    def test_variables_are_sorted_and_mapped(self, graph, affine_path):
        module = hub.Module(affine_path)
        assert [v.name for v in module.variables] == ["module/b:0", "module/w:0"]
        assert list(module.variable_map) == ["w", "b"]

    def test_initial_values_may_depend_on_each_other(self, graph):
        def module_fn():
            first = v1.get_variable("first", initializer=tf.constant(3.0))
            second = v1.get_variable("second", initializer=first.initial_value * 2.0)
            hub.add_signature(outputs=second * 1.0)

        assert evaluate(hub.Module(hub.create_module_spec(module_fn))()) == 6.0


class TestVariants:
    def test_variants_by_tags(self, graph):
        def module_fn(training=False):
            hub.add_signature(outputs=tf.constant(training))

        spec = hub.create_module_spec(
            module_fn, [(set(), {}), ({"train", "gpu"}, {"training": True})]
        )
        assert not evaluate(hub.Module(spec)())
        assert evaluate(hub.Module(spec, tags=["gpu", "train"])())

    def test_unknown_tags_list_the_variants(self, graph, affine_path):
        with pytest.raises(errors.NoSuchVariantError, match=r"\['tain'\].*\[\], \['train'\]"):
            hub.Module(affine_path, tags={"tain"})

    def test_all_variants_are_exported(self, tmp_path, affine_path):
        with tf.Graph().as_default():
            module = hub.Module(affine_path, tags={"train"})
            with initialised_session() as session:
                module.export(str(tmp_path / "m"), session)
        assert hub.load_module_spec(str(tmp_path / "m")).get_tags() == [
            frozenset(),
            frozenset({"train"}),
        ]


class TestExport:
    def test_a_trained_module_is_exported_and_reused(self, tmp_path, affine_path):
        with tf.Graph().as_default():
            module = hub.Module(affine_path, trainable=True)
            x = v1.placeholder(tf.float32, [None])
            loss = tf.reduce_sum(tf.square(module(x) - 7.0))
            step = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
            with initialised_session() as session:
                for _ in range(3):
                    session.run(step, {x: array(1)})
                expected = session.run(module(x), {x: array(1, 2, 3)})
                module.export(str(tmp_path / "m"), session)
        with hub.eval_function_for_module(str(tmp_path / "m")) as f:
            np.testing.assert_array_equal(f(array(1, 2, 3)), expected)

    def test_a_further_export_takes_as_long_for_a_large_graph(self, graph, tmp_path):
        """The first one encodes the graphs, which do not change."""

        def count_lines_of_export(nodes, export_before):
            def module_fn():
                total = tf.constant(0.0)
                for _ in range(nodes):
                    total += 1.0
                hub.add_signature(outputs=total)

            module = hub.Module(hub.create_module_spec(module_fn))
            with v1.Session() as session:
                if export_before:
                    module.export(tmp_path / f"first_{nodes}", session)
                path = tmp_path / f"{nodes}_{export_before}"
                return count_lines(lambda: module.export(path, session))

        assert count_lines_of_export(100, False) > count_lines_of_export(10, False) + 90
        assert count_lines_of_export(100, True) == count_lines_of_export(10, True)

    def test_path_objects_will_do(self, graph, tmp_path, affine_path):
        module = hub.Module(Path(affine_path))
        with initialised_session() as session:
            module.export(tmp_path / "m", session)
        with hub.eval_function_for_module(tmp_path / "m") as f:
            np.testing.assert_array_equal(f(array(1, 2)), array(3, 5))

    def test_another_variant_with_variables_of_its_own_brings_a_warning(
        self, graph, tmp_path, caplog
    ):
        def module_fn(training=False):
            affine()
            if training:
                v1.get_variable("more", [])

        spec = hub.create_module_spec(module_fn, [(set(), {}), ({"train"}, {"training": True})])
        module, train_module = hub.Module(spec), hub.Module(spec, tags={"train"})
        with initialised_session() as session:
            train_module.export(str(tmp_path / "whole"), session)
            assert caplog.messages == []
            module.export(str(tmp_path / "part"), session)
        assert [
            "['train']" in message and "['more']" in message for message in caplog.messages
        ] == [True]

    def test_a_finalized_graph_is_exported(self, graph, tmp_path, affine_path):
        module = hub.Module(affine_path)
        with initialised_session() as session:
            graph.finalize()
            module.export(str(tmp_path / "m"), session)
        assert read_checkpoint(hub.load_module_spec(str(tmp_path / "m"))).shapes == {
            "w": [],
            "b": [],
        }

    def test_a_monitored_session_will_do(self, graph, tmp_path, affine_path):
        module = hub.Module(affine_path)
        v1.train.get_or_create_global_step()
        with v1.train.MonitoredTrainingSession() as session:
            module.export(str(tmp_path / "m"), session)
        assert os.path.exists(tmp_path / "m" / "tfhub_module.pb")

    def test_uninitialised_variables_leave_nothing_behind(self, graph, tmp_path, affine_path):
        module = hub.Module(affine_path)
        with v1.Session() as session, pytest.raises(tf.errors.FailedPreconditionError):
            module.export(str(tmp_path / "m"), session)
        assert os.listdir(tmp_path) == []

    def test_an_existing_module_is_replaced_only_if_asked(self, graph, tmp_path, affine_path):
        module = hub.Module(affine_path)
        path = str(tmp_path / "m")
        with initialised_session() as session:
            module.export(path, session)
            with pytest.raises(errors.ExportExistsError, match="exists already"):
                module.export(path, session)
            session.run(v1.assign(module.variable_map["w"], 4.0))
            module.export(path, session, overwrite=True)
        assert os.listdir(tmp_path) == ["m"]
        with hub.eval_function_for_module(path) as f:
            assert f(array(1)).tolist() == [5.0]

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_other_files_of_a_directory_stay(self, graph, tmp_path, affine_path, overwrite):
        (tmp_path / "thesis.txt").write_text("years of work")
        module = hub.Module(affine_path)
        with initialised_session() as session:
            module.export(str(tmp_path), session, overwrite=overwrite)
        assert (tmp_path / "thesis.txt").read_text() == "years of work"
        with hub.eval_function_for_module(str(tmp_path)) as f:
            assert f(array(1)).tolist() == [3.0]

    def test_a_session_of_another_graph_is_an_error(self, graph, tmp_path, affine_path):
        module = hub.Module(affine_path)
        with v1.Session(graph=tf.Graph()) as session, pytest.raises(errors.GraphError):
            module.export(str(tmp_path / "m"), session)

    def test_a_ram_file_system_will_do(self, affine_path):
        with tf.Graph().as_default():
            module = hub.Module(affine_path)
            with initialised_session() as session:
                module.export("ram://exports/m", session)
        with hub.eval_function_for_module("ram://exports/m") as f:
            assert f(array(1)).tolist() == [3.0]

    def test_a_module_without_variables_has_no_checkpoint(self, tmp_path):
        path = exported(tmp_path / "m", lambda: hub.add_signature(outputs=tf.constant(4.0)))
        assert sorted(os.listdir(path)) == ["saved_model.pb", "tfhub_module.pb"]
        with hub.eval_function_for_module(path) as f:
            assert f() == 4.0


class TestErrors:
    def test_eager_mode(self, affine_path):
        with pytest.raises(errors.GraphError, match=r"tf\.Graph\(\).*hub\.load"):
            hub.Module(affine_path)

    def test_applying_in_eager_mode(self, affine_path):
        with tf.Graph().as_default():
            module = hub.Module(affine_path)
        with pytest.raises(errors.GraphError, match="as_default"):
            module(array(1))

    def test_applying_in_another_graph(self, affine_path):
        with tf.Graph().as_default():
            module = hub.Module(affine_path)
        with (
            tf.Graph().as_default(),
            pytest.raises(RuntimeError, match="graph it was instantiated"),
        ):
            module(array(1))

    @pytest.mark.parametrize("spec", [3, None, b"path"])
    def test_neither_spec_nor_handle(self, graph, spec):
        with pytest.raises(ValueError, match="Unknown module spec type"):
            hub.Module(spec)

    def test_unknown_signature(self, graph, affine_path):
        with pytest.raises(KeyError, match=r"Signature 'tokens' is not.*\['default'\]"):
            hub.Module(affine_path)(array(1), signature="tokens")

    def test_a_missing_path(self, graph):
        with pytest.raises(OSError, match="/no/such/module does not exist"):
            hub.Module("/no/such/module")

    def test_a_checkpoint_that_lacks_a_variable(self, graph, tmp_path, affine_path):
        path = exported(tmp_path / "m", affine)
        other = exported(
            tmp_path / "o", lambda: hub.add_signature(outputs=v1.get_variable("w", [2]) * 1.0)
        )
        for name in os.listdir(other + "/variables"):
            os.replace(f"{other}/variables/{name}", f"{path}/variables/{name}")
        with pytest.raises(errors.CheckpointError, match=r"'w'.*float32 \(2,\).*float32 \(\)"):
            hub.Module(path)
        assert graph.get_operations() == []

    def test_missing_variables_folder(self, graph, tmp_path):
        path = exported(tmp_path / "m", affine)
        tf.io.gfile.rmtree(path + "/variables")
        with pytest.raises(errors.CheckpointError, match="variables"):
            hub.Module(path)

    def test_many_applications_are_warned_of_once(self, graph, caplog):
        module = hub.Module(
            hub.create_module_spec(lambda: hub.add_signature(outputs=tf.constant(1)))
        )
        with caplog.at_level(logging.WARNING, logger="hubmodule"):
            for _ in range(201):
                module()
        assert [r.getMessage()[:41] for r in caplog.records] == [
            "Module 'module' was applied 100 times wit"
        ]


class TestNesting:
    def test_modules_in_modules(self, tmp_path, affine_path):
        def outer_fn():
            inner = hub.Module(affine_path, trainable=True, name="inner")
            x = v1.placeholder(tf.float32, [None])
            scale = v1.get_variable("scale", initializer=tf.constant(100.0))
            hub.add_signature(inputs=x, outputs=scale * inner(x))

        path = exported(tmp_path / "outer", outer_fn)
        with tf.Graph().as_default():
            module = hub.Module(path, trainable=True)
            assert sorted(module.variable_map) == ["inner/b", "inner/w", "scale"]
            output = module(array(1))
            assert len(v1.get_collection(Keys.REGULARIZATION_LOSSES)) == 1
            assert len(v1.get_collection(Keys.UPDATE_OPS)) == 1
            assert evaluate(output).tolist() == [300.0]

    def test_the_outer_export_holds_everything(self, tmp_path):
        inner = exported(tmp_path / "inner", affine)
        path = exported(
            tmp_path / "outer", lambda: hub.add_signature(outputs=hub.Module(inner)(array(1)))
        )
        tf.io.gfile.rmtree(inner)
        with hub.eval_function_for_module(path) as f:
            assert f().tolist() == [3.0]
        saved = (tmp_path / "outer" / "saved_model.pb").read_bytes()
        assert str(tmp_path).encode() not in saved


class TestDevices:
    def test_devices_of_the_author_are_cleared(self, tmp_path):
        def module_fn():
            with tf.device("/job:author/task:3/gpu:1"):
                w = v1.get_variable("w", initializer=tf.constant(2.0))
                hub.add_signature(outputs=w * 3.0)

        spec = hub.create_module_spec(module_fn)
        with tf.Graph().as_default() as graph:
            hub.Module(spec)()
            assert {op.device for op in graph.get_operations()} == {""}

    def test_parameter_servers_hold_and_restore_their_variables(self, graph, affine_path):
        setter = v1.train.replica_device_setter(ps_tasks=2, worker_device="/job:worker/task:1")
        with v1.device(setter):
            module = hub.Module(affine_path)
            output = module(array(1))
        devices = {v.name: v.device for v in module.variables}
        assert sorted(devices.values()) == ["/job:ps/task:0", "/job:ps/task:1"]
        restores = [op for op in graph.get_operations() if op.type == "RestoreV2"]
        assert sorted(op.device for op in restores) == [
            "/job:ps/task:0/device:CPU:0",
            "/job:ps/task:1/device:CPU:0",
        ]
        for variable in module.variables:
            assert variable.initializer.device == variable.device
        assert output.device == "/job:worker/task:1"

    def test_two_cpu_devices_give_the_trained_values(self, affine_path):
        config = v1.ConfigProto(device_count={"CPU": 2})
        with tf.Graph().as_default() as graph:
            devices = iter(["/cpu:0", "/cpu:1"])
            place = lambda op: next(devices) if op.type == "VarHandleOp" else ""  # noqa: E731
            with v1.device(place):
                module = hub.Module(affine_path)
            assert len([op for op in graph.get_operations() if op.type == "RestoreV2"]) == 2
            with v1.Session(config=config) as session:
                session.run(v1.global_variables_initializer())
                assert session.run(module.variable_map) == {"w": 2.0, "b": 1.0}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
