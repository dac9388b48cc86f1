"""_tf: what of TensorFlow's private parts the package needs does what it says."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import struct_pb2
from tensorflow.python.framework import function as function_v1

from hubmodule import _tf
from tests.surgery.protos import graph_def

v1 = tf.compat.v1


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def function_graph(outer: tf.Graph) -> tf.Graph:
    with outer.as_default():
        return tf.__internal__.FuncGraph("f")


class TestIsLayerTrainable:
    @pytest.mark.parametrize("trainable", [True, False])
    def test_is_what_the_layer_was_made_with(self, trainable):
        manager = tf.__internal__.feature_column.StateManager(tf.Module(), trainable)
        assert _tf.is_layer_trainable(manager) is trainable

    def test_a_manager_that_does_not_tell_trains(self):
        assert _tf.is_layer_trainable(object())


class TestImportGraphDef:
    def test_names_are_absolute(self, graph):
        _tf.import_graph_def(graph_def('node { name: "a/b" op: "NoOp" }'), {})
        assert graph.get_operation_by_name("a/b").type == "NoOp"

    def test_inputs_are_mapped(self, graph):
        x = tf.constant(1.0)
        identity = """node { name: "s/y" op: "Identity" input: "s/x"
                             attr { key: "T" value { type: DT_FLOAT } } }"""
        _tf.import_graph_def(graph_def(identity), {"s/x:0": x})
        assert graph.get_operation_by_name("s/y").inputs[0] is x

    def test_ops_may_be_with_ops_that_are_there_already(self, graph):
        tf.no_op(name="there")
        colocated = """node { name: "a" op: "NoOp" attr { key: "_class" value {
            list { s: "loc:@there" } } } }"""
        _tf.import_graph_def(graph_def(colocated), {})
        assert graph.get_operation_by_name("a").colocation_groups() == [b"loc:@there"]

    def test_a_graph_that_is_wrong_is_a_value_error(self, graph):
        with pytest.raises(ValueError, match="nowhere"):
            _tf.import_graph_def(graph_def('node { name: "a" op: "NoOp" input: "^nowhere" }'), {})


class TestOpDef:
    def test_a_registered_op(self):
        assert _tf.find_op_def("VarHandleOp").is_stateful

    def test_an_unknown_op(self):
        assert _tf.find_op_def("NobodysOp") is None


@pytest.mark.parametrize("use_resource", [True, False])
def test_a_variable_comes_back_from_its_definition(graph, use_resource):
    variable = v1.get_variable("v", [2], use_resource=use_resource)
    again = _tf.make_variable_from_proto(variable.to_proto())
    assert again.name == variable.name
    assert again.op is variable.op
    assert again.to_proto().is_resource == use_resource


def test_a_loop_context_comes_back_from_its_definition(graph):
    was_enabled = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0], name="loop")
    finally:
        if was_enabled:
            v1.enable_control_flow_v2()
    [context] = v1.get_collection("while_context")
    again = _tf.restore_control_flow_context("while_context", context.to_proto())
    assert again.name == context.name
    assert graph.get_operation_by_name("loop/add")._get_control_flow_context() is again


class TestTypeSpecs:
    def test_a_known_type(self):
        with tf.Graph().as_default():
            value = v1.ragged.placeholder(tf.string, 1)
            proto = v1.saved_model.build_tensor_info(value).composite_tensor.type_spec
        spec = _tf.decode_type_spec(proto)
        assert spec == tf.RaggedTensorSpec(None, tf.string, 1, tf.int64)

    def test_an_unknown_type_is_a_value_error(self):
        proto = struct_pb2.TypeSpecProto(
            type_spec_class=struct_pb2.TypeSpecProto.REGISTERED_TYPE_SPEC,
            type_spec_class_name="nobody.Knows",
        )
        with pytest.raises(ValueError, match=r"nobody\.Knows"):
            _tf.decode_type_spec(proto)


class TestNesting:
    def test_a_graph_is_within_itself(self, graph):
        assert _tf.is_within(graph, graph)
        assert not _tf.is_function_graph(graph)

    def test_a_function_of_a_function_is_within_the_graph(self, graph):
        inner = function_graph(function_graph(graph))
        assert _tf.is_function_graph(inner)
        assert _tf.is_within(inner, graph)
        assert not _tf.is_within(graph, inner)

    def test_a_function_of_tensorflow_1_is_within_the_graph(self, graph):
        graphs = []

        @function_v1.Defun()
        def function():
            graphs.append(v1.get_default_graph())
            return tf.constant(1.0)

        function()
        assert _tf.is_function_graph(graphs[0])
        assert _tf.is_within(graphs[0], graph)

    def test_another_graph_is_not(self, graph):
        assert not _tf.is_within(tf.Graph(), graph)
        assert not _tf.is_within(function_graph(tf.Graph()), graph)


class TestAsLocal:
    def test_a_tensor_of_the_graph_is_itself(self, graph):
        x = tf.constant(1.0)
        assert _tf.make_local(x, graph) is x

    def test_a_tensor_of_an_outer_graph_is_captured(self, graph):
        x = tf.constant(1.0)
        inner = function_graph(graph)
        local = _tf.make_local(x, inner)
        assert local.graph is inner
        assert inner.external_captures[0] is x

    def test_of_a_reference_a_function_gets_the_value(self, graph):
        reference = v1.get_variable("v", [2], use_resource=False)._ref()
        local = _tf.make_local(reference, function_graph(graph))
        assert local.dtype == tf.float32


class TestOutsideFunctions:
    def test_leads_to_the_graph_around_functions(self, graph):
        inner = function_graph(function_graph(graph))
        with inner.as_default(), _tf.leave_functions():
            assert v1.get_default_graph() is graph

    def test_leaves_control_dependencies(self, graph):
        with tf.control_dependencies([tf.no_op()]), _tf.leave_functions():
            assert tf.no_op().control_inputs == []

    def test_a_function_traced_from_eager_mode_keeps_its_graph(self):
        seen = []

        @tf.function
        def traced():
            with _tf.leave_functions():
                seen.append((v1.get_default_graph(), tf.executing_eagerly()))

        graph = traced.get_concrete_function().graph
        assert seen == [(graph, False)]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
