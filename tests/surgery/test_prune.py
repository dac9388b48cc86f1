"""prune: the part of a graph that is needed, where it is cut, and how small it is."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.protobuf import control_flow_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery.names import get_op_name, get_tensor_name, is_control
from hubmodule.surgery.prune import GraphIndex, remove_attributes_in_place
from tests.surgery.protos import chain, graph_def


def index_of(*nodes: str) -> GraphIndex:
    return GraphIndex(MetaGraphDef(graph_def=chain(*nodes)))


def test_two_nodes_of_one_name_are_refused():
    with pytest.raises(ModuleFormatError, match=r"several nodes named \['a'\]"):
        index_of("a", "b", "a")


class TestNeeded:
    def test_follows_inputs_and_control_inputs(self):
        part = index_of("a", "b", "c: a ^b", "d: c", "unneeded: d").find_needed(["d:0"])
        assert part.ops == {"a", "b", "c", "d"}
        assert part.tensors == part.controls == set()

    def test_is_cut_at_replaced_tensors(self):
        part = index_of("a", "x: a", "y: x").find_needed(["y:0"], replaced={"x:0"})
        assert part.ops == {"y"}
        assert part.tensors == {"x:0"}

    def test_an_op_with_another_output_in_use_stays(self):
        part = index_of("a", "x: a", "y: x x:1").find_needed(["y:0"], replaced={"x:0"})
        assert part.ops == {"a", "x", "y"}
        assert part.tensors == {"x:0"}

    def test_waits_for_replaced_ops_outside(self):
        part = index_of("x", "y: ^x").find_needed(["y"], replaced={"x:0"})
        assert part.ops == {"y"}
        assert part.controls == {"x"}

    def test_a_root_that_is_replaced_needs_nothing(self):
        part = index_of("a", "x: a", "y").find_needed(["x:0", "y:0"], replaced={"x:0"})
        assert part.ops == {"y"}
        assert part.tensors == set()

    def test_a_root_that_is_an_op_is_kept_though_its_output_is_replaced(self):
        assert index_of("v").find_needed(["v"], replaced={"v:0"}).ops == {"v"}

    def test_cycles_of_loops_end(self):
        assert index_of("enter", "merge: enter next", "next: merge").find_needed(["merge"]).ops == {
            "enter",
            "merge",
            "next",
        }

    def test_an_unknown_name_is_a_key_error(self):
        with pytest.raises(KeyError, match="nowhere"):
            index_of("a: nowhere").find_needed(["a"])

    def test_an_op_of_a_loop_brings_the_pillars_of_the_loop(self):
        context = control_flow_pb2.WhileContextDef(
            context_name="loop", pivot_name="pivot", loop_exit_names=["exit"]
        )
        context.values_def.values.append("inside:0")
        meta_graph = MetaGraphDef(graph_def=chain("pivot", "inside", "exit: counter", "counter"))
        meta_graph.collection_def["while_context"].bytes_list.value.append(
            context.SerializeToString()
        )
        part = GraphIndex(meta_graph).find_needed(["inside:0"])
        assert part.ops == {"inside", "pivot", "exit", "counter"}


@st.composite
def graphs_and_cuts(draw):
    """A graph without cycles, some roots and some replaced tensors."""
    size = draw(st.integers(1, 12))
    nodes = []
    for index in range(size):
        inputs = draw(
            st.lists(
                st.sampled_from(["n{}", "n{}:1", "^n{}"]).flatmap(
                    lambda form, index=index: st.integers(0, index - 1).map(form.format)
                ),
                max_size=3,
            )
            if index
            else st.just([])
        )
        nodes.append(f"n{index}: {' '.join(inputs)}")
    tensors = st.sets(st.builds("n{}:{}".format, st.integers(0, size - 1), st.integers(0, 1)))
    return nodes, draw(tensors), draw(tensors)


@given(graphs_and_cuts())
def test_a_part_is_closed_under_inputs(case):
    nodes, roots, replaced = case
    graph = index_of(*nodes)
    part = graph.find_needed(roots, replaced)
    for op in part.ops:
        for reference in graph.nodes[op].input:
            if is_control(reference):
                assert get_op_name(reference) in part.ops | part.controls
            else:
                assert (
                    get_tensor_name(reference) in part.tensors or get_op_name(reference) in part.ops
                )


@given(graphs_and_cuts())
def test_a_part_is_minimal(case):
    """Each op of it is a root, or another op of it cannot be without it."""
    nodes, roots, replaced = case
    graph = index_of(*nodes)
    part = graph.find_needed(roots, replaced)
    wanted = {get_op_name(root) for root in roots - replaced}
    for op in part.ops:
        for reference in graph.nodes[op].input:
            if is_control(reference) or get_tensor_name(reference) not in replaced:
                wanted.add(get_op_name(reference))
    assert part.ops <= wanted
    assert part.tensors <= replaced


@given(graphs_and_cuts())
def test_more_roots_need_no_less(case):
    nodes, roots, replaced = case
    graph = index_of(*nodes)
    whole = graph.find_needed(roots, replaced)
    for root in roots:
        assert graph.find_needed([root], replaced).ops <= whole.ops


class TestGraphOf:
    def test_keeps_the_order_and_the_versions_of_the_graph(self):
        meta_graph = MetaGraphDef(graph_def=chain("c", "a", "b"))
        meta_graph.graph_def.versions.producer = 1882
        part = GraphIndex(meta_graph).extract({"a", "c"})
        assert [node.name for node in part.node] == ["c", "a"]
        assert part.versions.producer == 1882

    def test_keeps_the_functions_that_are_called(self):
        meta_graph = MetaGraphDef(graph_def=chain("a", "b"))
        meta_graph.graph_def.node[0].op = "used"
        for name in ("used", "unused"):
            meta_graph.graph_def.library.function.add().signature.name = name
        part = GraphIndex(meta_graph).extract({"a"})
        assert [function.signature.name for function in part.library.function] == ["used"]


def test_attributes_are_removed_from_the_nodes_that_have_them():
    graph = graph_def("""
        node { name: "a" op: "NoOp"
               attr { key: "x" value { i: 1 } } attr { key: "y" value { i: 2 } } }
        node { name: "b" op: "NoOp" }
    """)
    remove_attributes_in_place(graph, ["x", "z"])
    assert [sorted(node.attr) for node in graph.node] == [["y"], []]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
