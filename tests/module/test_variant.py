"""Variants: what a signature needs, and what cannot be used."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import hubmodule as hub
from hubmodule import errors
from hubmodule.module.spec import get_variant
from tests.growth import grows_linearly
from tests.module.graphs import affine, array, evaluate, exported

v1 = tf.compat.v1


def many_signatures():
    for index in range(5):
        x = v1.placeholder(tf.float32, [None])
        w = v1.get_variable(f"w{index}", initializer=tf.constant(float(index)))
        hub.add_signature(f"s{index}", x, x * w)


@pytest.fixture
def broken_path(tmp_path):
    """A module of which signature "s1" needs an op that nobody knows."""
    path = exported(tmp_path / "m", many_signatures)
    _edit(path, lambda graph: _set_op(graph, "mul_1", "WordpieceTokenizeWithOffsets"))
    return path


def _edit(path, change):
    with open(path + "/saved_model.pb", "rb") as file:
        saved = saved_model_pb2.SavedModel.FromString(file.read())
    change(saved.meta_graphs[0].graph_def)
    with open(path + "/saved_model.pb", "wb") as file:
        file.write(saved.SerializeToString())


def _node(graph_def, name):
    (node,) = [node for node in graph_def.node if node.name == name]
    return node


def _set_op(graph_def, name, op):
    _node(graph_def, name).op = op


def _set_dtype(graph_def, name):
    _node(graph_def, name).attr["dtype"].type = 1_000_000_000


class TestDamageIsNamed:
    """What is wrong in a file is said with the path of the module."""

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda g: _set_dtype(g, "w0"), r"Variable 'w0:0' has a data type or shape"),
            (lambda g: g.node.remove(_node(g, "w0")), r"lacks the op of the variable 'w0:0'"),
            (lambda g: _node(g, "mul").input.append("gone"), r"Op 'mul' refers to op 'gone'"),
            (lambda g: g.node.append(_node(g, "mul")), r"several nodes named \['mul'\]"),
            (lambda g: _node(g, "mul").attr.pop("T"), r"applied with signature 's0': .*'T'"),
            (lambda g: _node(g, "mul").input.append("mul_1"), r"applied with signature 's0'"),
        ],
    )
    def test_it_is_named(self, tmp_path, change, message):
        path = exported(tmp_path / "m", many_signatures)
        _edit(path, change)
        with tf.Graph().as_default(), pytest.raises(errors.ModuleFormatError, match=message) as e:
            hub.Module(path)([1.0], signature="s0", as_dict=True)
        assert path in str(e.value)


class TestTemplates:
    def test_an_application_needs_its_own_ops_only(self):
        variant = get_variant(hub.create_module_spec(many_signatures))
        template = variant.get_application_template("s3", trainable=False)
        assert template.subgraph.ops == {"mul_3", "mul_3/ReadVariableOp"}
        assert template.subgraph.tensors == {"w3:0", "Placeholder_3:0"}

    def test_templates_are_made_once(self):
        variant = get_variant(hub.create_module_spec(many_signatures))
        first = variant.get_application_template("s3", trainable=False)
        assert variant.get_application_template("s3", trainable=False) is first

    def test_restored_state_needs_no_initialisers_of_the_author(self):
        variant = get_variant(hub.create_module_spec(affine))
        restored = variant.get_state_template(trainable=False, restored=True).subgraph.ops
        assert restored == {"w", "w/Read/ReadVariableOp", "b", "b/Read/ReadVariableOp"}
        own = variant.get_state_template(trainable=False, restored=False).subgraph.ops
        assert {"w/Assign", "b/Assign"} < own - restored


class TestUnregisteredOps:
    def test_other_signatures_work(self, broken_path):
        with tf.Graph().as_default():
            module = hub.Module(broken_path)
            assert evaluate(module(array(2), signature="s3")).tolist() == [6.0]

    def test_the_signature_names_op_and_package(self, broken_path):
        with tf.Graph().as_default():
            module = hub.Module(broken_path)
            with pytest.raises(
                tf.errors.NotFoundError,
                match=r"\['WordpieceTokenizeWithOffsets'\].*import tensorflow_text",
            ):
                module(array(2), signature="s1")

    def test_a_module_with_no_usable_signature_fails_at_once(self, tmp_path):
        path = exported(tmp_path / "m", affine)
        _edit(path, lambda graph: _set_op(graph, "add", "MyOwnOp"))
        with (
            tf.Graph().as_default() as graph,
            pytest.raises(errors.UnregisteredOpsError, match=r"'MyOwnOp'.*Import the package"),
        ):
            hub.Module(path)
        assert graph.get_operations() == []

    def test_the_spec_can_still_be_looked_at(self, broken_path):
        assert hub.load_module_spec(broken_path).get_signature_names() == [
            f"s{i}" for i in range(5)
        ]


class TestDamage:
    def test_a_graph_with_a_missing_op(self, tmp_path):
        path = exported(tmp_path / "m", affine)
        _edit(path, lambda graph: _set_input(graph, "add", "nowhere"))
        with tf.Graph().as_default():
            module = hub.Module(path)
            with pytest.raises(errors.ModuleFormatError, match=r"damaged\. .*'nowhere'"):
                module(array(1))

    def test_a_variable_without_its_op(self, tmp_path):
        path = exported(tmp_path / "m", affine)
        _edit(path, lambda graph: _rename(graph, "w", "v"))
        with (
            tf.Graph().as_default(),
            pytest.raises(errors.ModuleFormatError, match=r"lacks the op of the variable 'w:0'"),
        ):
            hub.Module(path)


def _set_input(graph_def, name, value):
    (node,) = [node for node in graph_def.node if node.name == name]
    node.input[0] = value


def _rename(graph_def, name, value):
    (node,) = [node for node in graph_def.node if node.name == name]
    node.name = value


class TestGrowth:
    def test_signatures_that_call_functions(self):
        def module_fn(count):
            for index in range(count):
                x = v1.placeholder(tf.float32, [])
                function = tf.function(lambda y, shift=float(index): y + shift)
                hub.add_signature(f"s{index}", inputs=x, outputs=function(x))

        def make_call(count):
            spec = hub.create_module_spec(lambda: module_fn(count))
            variant = get_variant(spec)
            return lambda: [variant.get_application_template(s, True) for s in variant.signatures]

        assert grows_linearly(make_call, 10)

    def test_update_ops_of_which_a_signature_can_run_some_only(self):
        """Each needs what the one before it needs."""

        def module_fn(count):
            inputs = [v1.placeholder(tf.float32, []) for _ in range(2)]
            updates = [tf.identity(x) for x in inputs]
            for index in range(count):
                updates[index % 2] = tf.identity(updates[index % 2])
                v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, updates[index % 2])
            hub.add_signature(inputs=inputs[0], outputs=inputs[0] + 1.0)

        def make_call(count):
            variant = get_variant(hub.create_module_spec(lambda: module_fn(count)))

            def derive():
                assert (
                    len(variant.get_application_template("default", True).update_ops) == count / 2
                )

            return derive

        assert grows_linearly(make_call, 20)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
