"""control_flow: the contexts of v1 loops and conditionals, as TensorFlow writes them."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery.control_flow import Contexts
from tests.surgery.protos import meta_graph

v1 = tf.compat.v1


@pytest.fixture(scope="module", autouse=True)
def control_flow_v1():
    enabled = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    yield
    if enabled:
        v1.enable_control_flow_v2()


def built(build: Callable[[], None]) -> MetaGraphDef:
    with tf.Graph().as_default() as graph:
        build()
        return v1.train.export_meta_graph(graph=graph)


@pytest.fixture(scope="module")
def loop(control_flow_v1):
    """I from 0 to 3; total is the sum of x over it, x from outside."""

    def build():
        x = v1.placeholder(tf.float32, [], name="x")
        tf.while_loop(
            lambda i, total: i < 3, lambda i, total: (i + 1, total + x), [0, 0.0], name="loop"
        )

    return built(build)


@pytest.fixture(scope="module")
def loop_in_cond(control_flow_v1):
    def build():
        flag = v1.placeholder(tf.bool, [], name="flag")
        tf.cond(
            flag,
            lambda: tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0], name="loop"),
            lambda: [tf.constant(7)],
            name="cond",
        )

    return built(build)


def under_scope(reference: str) -> str:
    return "s/" + reference


class TestCompanions:
    def test_an_op_outside_has_none(self, loop):
        assert Contexts(loop).find_companions("x") == set()

    def test_an_op_inside_needs_enters_exits_and_pivots(self, loop):
        needed = Contexts(loop).find_companions("loop/add")
        assert {"loop/Enter", "loop/Enter_1", "loop/Exit", "loop/Exit_1", "loop/LoopCond"} <= needed
        assert needed <= {node.name for node in loop.graph_def.node}

    def test_from_an_op_of_a_nested_loop_both_contexts_are_reached(self, loop_in_cond):
        contexts = Contexts(loop_in_cond)
        # The exit of the loop is in the conditional itself.
        assert {"cond/loop/Exit", "cond/loop/LoopCond"} <= contexts.find_companions("cond/loop/add")
        assert {"cond/pred_id", "cond/switch_t"} <= contexts.find_companions("cond/loop/Exit")

    def test_a_graph_without_contexts_has_none(self):
        assert Contexts(meta_graph("")).find_companions("x") == set()


class TestMoved:
    def test_names_move_with_the_graph(self, loop):
        [(key, moved)] = Contexts(loop).move_under("s/", under_scope)
        assert key == "while_context"
        assert moved.context_name == "s/loop/while_context"
        assert moved.pivot_name == "s/loop/LoopCond:0"
        assert list(moved.loop_exit_names) == ["s/loop/Exit:0", "s/loop/Exit_1:0"]
        assert all(name.startswith("s/") for name in moved.values_def.values)

    def test_the_context_is_named_as_the_frame_of_its_enters(self, loop):
        [(_, moved)] = Contexts(loop).move_under("s/", under_scope)
        frames = {
            node.attr["frame_name"].s.decode() for node in loop.graph_def.node if node.op == "Enter"
        }
        assert {"s/" + frame for frame in frames} == {moved.context_name}

    def test_a_replaced_tensor_has_its_new_name(self, loop):
        def find_new_name(reference):
            return "live:0" if reference == "x:0" else "s/" + reference

        [(_, moved)] = Contexts(loop).move_under("s/", find_new_name)
        assert moved.values_def.external_values["live:0"].startswith("s/loop/add")
        assert "s/x:0" not in moved.values_def.external_values

    def test_contexts_that_are_left_behind_vanish(self, loop):
        assert list(Contexts(loop).move_under("s/", lambda reference: None)) == []

    def test_the_original_is_not_changed(self, loop):
        contexts = Contexts(loop)
        list(contexts.move_under("s/", under_scope))
        [(_, moved)] = contexts.move_under("t/", under_scope)
        assert moved.context_name == "t/loop/while_context"

    def test_nested_contexts_move_along(self, loop_in_cond):
        nested = [
            context.while_ctxt.context_name
            for key, moved in Contexts(loop_in_cond).move_under("s/", under_scope)
            for context in moved.nested_contexts
        ]
        assert nested == ["s/cond/loop/while_context"]

    def test_both_branches_of_a_conditional_move(self, loop_in_cond):
        moved = [context for _, context in Contexts(loop_in_cond).move_under("s/", under_scope)]
        assert {context.branch for context in moved} == {0, 1}
        assert {context.pred_name for context in moved} == {"s/cond/pred_id:0"}

    def test_values_that_are_left_behind_are_dropped(self, loop):
        def find_new_name(reference):
            return None if reference.startswith("loop/add/y") else "s/" + reference

        [(_, moved)] = Contexts(loop).move_under("s/", find_new_name)
        assert not any("add/y" in value for value in moved.values_def.values)

    def test_what_holds_a_loop_up_is_in_the_moved_graph(self, loop):
        [(_, moved)] = Contexts(loop).move_under("s/", under_scope)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(loop.graph_def, name="s")
            ops = {op.name for op in graph.get_operations()}
        named = {moved.pivot_name, *moved.loop_enter_names, *moved.loop_exit_names}
        assert {name.partition(":")[0] for name in named} <= ops


def test_a_context_that_cannot_be_read_is_refused():
    graph = MetaGraphDef()
    graph.collection_def["while_context"].bytes_list.value.append(b"\xff\xff")
    with pytest.raises(ModuleFormatError, match="Collection 'while_context' is damaged"):
        Contexts(graph)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
