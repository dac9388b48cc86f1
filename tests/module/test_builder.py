"""create_module_spec, add_signature, attach_message: what they accept and refuse."""

from __future__ import annotations

import functools
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule import errors
from tests.module.graphs import affine, evaluate, exported

v1 = tf.compat.v1


def building(*steps):
    """Makes a spec by a module_fn of these steps."""

    def module_fn():
        for step in steps:
            step()

    return hub.create_module_spec(module_fn)


def signature():
    hub.add_signature(outputs=tf.constant(1.0))


class TestCreateModuleSpec:
    def test_variables_are_resource_variables(self):
        kinds = []

        def module_fn():
            kinds.append(v1.get_variable("v", []).op.type)
            signature()

        hub.create_module_spec(module_fn)
        assert kinds == ["VarHandleOp"]

    def test_each_variant_is_built_in_a_graph_of_its_own(self):
        graphs = []

        def module_fn(**args):
            graphs.append((v1.get_default_graph(), args))
            v1.get_variable("v", [])
            signature()

        with tf.Graph().as_default() as outer, v1.variable_scope("outer"):
            hub.create_module_spec(module_fn, [((), {}), (["a"], {"x": 1})])
        assert [args for _, args in graphs] == [{}, {"x": 1}]
        assert len({id(graph) for graph, _ in graphs} | {id(outer)}) == 3

    def test_no_signature(self):
        with pytest.raises(ValueError, match="No signatures present"):
            building(lambda: None)

    def test_repeated_tags(self):
        with pytest.raises(ValueError, match=r"\['a'\] are used repeatedly"):
            hub.create_module_spec(affine, [({"a"}, {}), (["a"], {})])

    @pytest.mark.parametrize("tags_and_args", [None, [], (), iter([])])
    def test_no_tags_and_args_mean_one_variant_without_tags(self, tags_and_args):
        assert hub.create_module_spec(affine, tags_and_args).get_tags() == [frozenset()]

    def test_unsupported_collections(self):
        def collect():
            v1.add_to_collection("mine", tf.constant(1))
            v1.add_to_collection("yours", tf.constant(1))

        with pytest.raises(
            ValueError,
            match=r"Unsupported collections in graph: \['mine', 'yours'\].*drop_collections",
        ):
            building(signature, collect)

    def test_dropped_collections(self):
        def module_fn():
            v1.add_to_collection("mine", tf.constant(1))
            v1.train.get_or_create_global_step()
            signature()

        spec = hub.create_module_spec(module_fn, drop_collections=["mine", "global_step", "absent"])
        assert spec.get_signature_names() == ["default"]

    def test_assets_must_be_constants(self):
        def collect():
            name = tf.strings.join(["/tmp/", "file"])
            v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, name)

        with pytest.raises(ValueError, match=r"Asset 'StringJoin:0'.*must be a constant"):
            building(signature, collect)

    def test_assets_must_be_tensors(self):
        def module_fn():
            for path in ("/x", tf.constant("/y")):
                v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, path)
            hub.add_signature(outputs=tf.constant(1))

        with pytest.raises(ValueError, match="has '/x', which is not a tensor"):
            hub.create_module_spec(module_fn)

    def test_an_error_in_module_fn_is_the_callers(self):
        with pytest.raises(ZeroDivisionError):
            building(lambda: 1 / 0)
        with pytest.raises(errors.ModuleDefinitionError, match="No signatures present"):
            building(lambda: None)  # nothing is left of the failed one

    def test_a_spec_may_be_made_while_another_is(self, tmp_path):
        def outer():
            inner = hub.create_module_spec(affine)
            assert inner.get_signature_names() == ["default"]
            hub.add_signature("outer", outputs=tf.constant(1.0))

        assert hub.create_module_spec(outer).get_signature_names() == ["outer"]


class TestAddSignature:
    def test_wrong_types_are_all_named(self):
        with pytest.raises(ValueError, match=r"input 'b' has type list; output 'c' has type int"):
            building(
                lambda: hub.add_signature(
                    inputs={"a": v1.placeholder(tf.float32), "b": [1]}, outputs={"c": 3}
                )
            )

    def test_a_variable_is_no_tensor(self):
        with pytest.raises(ValueError, match="'default' has type ResourceVariable"):
            building(lambda: hub.add_signature(outputs=v1.get_variable("v", [])))

    def test_tensors_of_another_graph(self):
        with tf.Graph().as_default():
            other = tf.constant(1.0, name="other")
        with pytest.raises(ValueError, match="not in the graph that module_fn builds"):
            building(lambda: hub.add_signature(outputs=other))

    def test_in_a_graph_that_a_module_fn_builds_besides_the_module(self):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            with tf.Graph().as_default():
                hub.add_signature("other", outputs=tf.constant(1.0))
                hub.attach_message("other", hub.ImageModuleInfo())
            hub.add_signature(inputs=x, outputs=x)

        spec = hub.create_module_spec(module_fn)
        assert spec.get_signature_names() == ["default"]
        assert spec.get_attached_message("other", hub.ImageModuleInfo) is None

    def test_within_a_function_of_the_module(self):
        @functools.partial(tf.function, autograph=False)
        def function(x):
            hub.add_signature(inputs=x, outputs=x + 1.0)
            return x

        with pytest.raises(ValueError, match="not in the graph that module_fn builds"):
            building(lambda: function(tf.constant(1.0)))

    def test_in_a_thread_of_the_module_fn(self):
        def module_fn():
            graph = tf.compat.v1.get_default_graph()

            def build():
                with graph.as_default():
                    x = tf.compat.v1.placeholder(tf.float32)
                    hub.add_signature("thread", x, 2.0 * x)

            thread = threading.Thread(target=build)
            thread.start()
            thread.join()

        assert hub.create_module_spec(module_fn).get_signature_names() == ["thread"]

    def test_the_last_of_a_name_wins(self, caplog):
        spec = building(signature, lambda: hub.add_signature(outputs=tf.constant([1, 2])))
        assert spec.get_output_info_dict()["default"].get_shape().as_list() == [2]
        assert "'default' is added again" in caplog.text


class TestAttachMessage:
    @pytest.mark.parametrize("key", ["a b", "", "1a", "a-b", "ä", None])
    def test_keys_must_be_identifiers(self, key):
        with pytest.raises(ValueError, match="malformed key"):
            building(lambda: hub.attach_message(key, hub.ImageModuleInfo()), signature)

    def test_the_last_message_wins_and_is_copied(self, tmp_path):
        message = hub.ImageModuleInfo(default_image_size={"height": 1})

        def module_fn():
            hub.attach_message("key", message)
            message.default_image_size.height = 2
            hub.attach_message("key", message)
            message.default_image_size.height = 3
            signature()

        spec = hub.load_module_spec(exported(tmp_path / "m", module_fn))
        attached = spec.get_attached_message("key", hub.ImageModuleInfo)
        assert attached.default_image_size.height == 2


class TestOutsideOfCreateModuleSpec:
    """A module_fn may be called as it is, in a graph of the program."""

    def test_a_module_fn_can_be_trained(self):
        def module_fn(rate):
            x = v1.placeholder_with_default([1.0], [None])
            w = v1.get_variable("w", initializer=tf.constant(2.0))
            hub.attach_message("key", hub.ImageModuleInfo())
            hub.attach_image_module_info(hub.ImageModuleInfo())
            hub.add_signature(inputs=x, outputs=w * x)
            hub.add_signature(inputs=x, outputs=w * x)
            return v1.train.GradientDescentOptimizer(rate).minimize(w), w

        with tf.Graph().as_default():
            step, w = module_fn(rate=0.5)
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                session.run(step)
                assert session.run(w) == 1.5
            assert set(v1.get_default_graph().get_all_collection_keys()) <= {
                "variables",
                "trainable_variables",
                "train_op",
            }

    def test_a_spec_is_not_changed_by_it(self):
        with tf.Graph().as_default():
            hub.add_signature("other", outputs=tf.constant(1.0))
            assert building(signature).get_signature_names() == ["default"]

    def test_signatures_in_a_function_of_the_program(self):
        @tf.function
        def compute(x):
            hub.add_signature(inputs=x, outputs=x + 1.0)
            return x + 1.0

        assert compute(tf.constant(1.0)).numpy() == 2.0

    def test_arguments_are_checked(self):
        with tf.Graph().as_default():
            with pytest.raises(ValueError, match="output 'default' has type int"):
                hub.add_signature("s", outputs=3)
            with pytest.raises(ValueError, match="malformed key"):
                hub.attach_message("1 k", hub.ImageModuleInfo())

    def test_eager_tensors_are_in_no_graph(self):
        with pytest.raises(ValueError, match=r"is an eager tensor.*tf\.Graph\(\)\.as_default"):
            hub.add_signature(outputs=tf.constant(1.0))


def test_no_device_of_the_author_is_published(tmp_path):
    def module_fn():
        with tf.device("/job:author/cpu:0"):
            v1.get_variable("v", initializer=tf.constant(1.0))
            hub.add_signature(outputs=tf.function(lambda: tf.constant(1.0))())

    spec = hub.create_module_spec(module_fn)
    path = str(tmp_path / "m")
    spec.export_values(path, {"v": np.float32(1.0)})
    assert b"author" not in (tmp_path / "m" / "saved_model.pb").read_bytes()


def test_what_is_published_is_portable(tmp_path):
    """No attribute of newer TensorFlows, no default, on disk."""
    from tensorflow.core.protobuf import saved_model_pb2

    path = exported(tmp_path / "m", affine)
    with open(path + "/saved_model.pb", "rb") as file:
        (meta_graph,) = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs
    attributes = {(node.op, name) for node in meta_graph.graph_def.node for name in node.attr}
    assert ("VarHandleOp", "shared_name") in attributes
    assert not attributes & {
        ("VarHandleOp", "debug_name"),
        ("VarHandleOp", "container"),
        ("AssignVariableOp", "validate_shape"),
    }
    assert meta_graph.meta_info_def.stripped_default_attrs
    with tf.Graph().as_default():
        assert evaluate(hub.Module(path)([1.0])).tolist() == [3.0]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
