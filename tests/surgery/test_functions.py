"""functions: what of a library is needed, and under which names."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from hubmodule.surgery import functions
from tests.surgery.protos import graph_def, library, node_def

# f calls g by an attribute, g calls h as an op, h is recursive; other is by itself.
LIBRARY = """
    function { signature { name: "f" } node_def {
      name: "if" op: "If" attr { key: "then_branch" value { func { name: "g" } } } } }
    function { signature { name: "g" } node_def { name: "call" op: "h" } }
    function { signature { name: "h" } node_def { name: "call" op: "h" } }
    function { signature { name: "other" } node_def { name: "noop" op: "NoOp" } }
"""


def needed(node: str, functions_of_graph: str = LIBRARY) -> list[str]:
    kept = functions.FunctionLibrary(library(functions_of_graph)).extract_needed([node_def(node)])
    return [function.signature.name for function in kept.function]


class TestNeededLibrary:
    def test_follows_calls_by_op_and_by_attribute(self):
        assert needed('op: "f"') == ["f", "g", "h"]

    def test_finds_functions_in_attributes(self):
        call = 'op: "PartitionedCall" attr { key: "f" value { func { name: "other" } } }'
        assert needed(call) == ["other"]

    def test_finds_functions_in_lists(self):
        case = """op: "Case" attr { key: "branches" value {
            list { func { name: "other" } func { name: "h" } } } }"""
        assert needed(case) == ["h", "other"]

    def test_finds_functions_that_are_arguments_of_functions(self):
        call = """op: "X" attr { key: "f" value { func { name: "elsewhere"
            attr { key: "inner" value { func { name: "other" } } } } } }"""
        assert needed(call) == ["other"]

    def test_finds_functions_in_attributes_of_functions(self):
        definitions = """
            function { signature { name: "a" } attr { key: "x" value { func { name: "b" } } } }
            function { signature { name: "b" } }"""
        assert needed('op: "a"', definitions) == ["a", "b"]

    def test_ops_need_none(self):
        assert needed('op: "NoOp"') == []

    def test_keeps_gradients_of_what_is_needed(self):
        definitions = """
            function { signature { name: "a" } } function { signature { name: "a_grad" } }
            function { signature { name: "b" } } function { signature { name: "b_grad" } }
            gradient { function_name: "a" gradient_func: "a_grad" }
            gradient { function_name: "b" gradient_func: "b_grad" }"""
        kept = functions.FunctionLibrary(library(definitions)).extract_needed([node_def('op: "a"')])
        assert [f.signature.name for f in kept.function] == ["a", "a_grad"]
        assert [g.gradient_func for g in kept.gradient] == ["a_grad"]


def graph_with(**bodies: str) -> tf.compat.v1.GraphDef:
    """A graph with functions of one node each: name -> op, or the name of a function."""
    graph = graph_def("")
    for name, op in bodies.items():
        function = graph.library.function.add()
        function.signature.name = name
        function.node_def.add(name="body", op=op)
        graph.node.add(name=f"call_{name}", op=name)
    return graph


def renamed(graph: tf.compat.v1.GraphDef) -> tf.compat.v1.GraphDef:
    return functions.rename_functions(graph, "_s")


class TestWithRenamedFunctions:
    def test_all_references_are_renamed(self):
        graph = graph_with(f="Abs", g="f")
        graph.library.gradient.add(function_name="f", gradient_func="g")
        graph.library.function[1].attr["x"].func.name = "f"
        graph.node[0].attr["branches"].list.func.add(name="f").attr["y"].func.name = "g"
        result = renamed(graph)
        g = result.library.function[1]
        call = result.node[0]
        assert [function.signature.name for function in result.library.function] == ["f_s", "g_s"]
        assert g.node_def[0].op == "f_s"
        assert g.attr["x"].func.name == "f_s"
        assert call.op == "f_s"
        assert call.attr["branches"].list.func[0].name == "f_s"
        assert call.attr["branches"].list.func[0].attr["y"].func.name == "g_s"
        assert result.library.gradient[0].function_name == "f_s"
        assert result.library.gradient[0].gradient_func == "g_s"

    def test_what_is_no_function_of_the_graph_keeps_its_name(self):
        graph = graph_with(f="Abs")
        graph.library.gradient.add(function_name="Exp", gradient_func="f")
        result = renamed(graph)
        assert result.node[0].name == "call_f"
        assert result.library.function[0].node_def[0].op == "Abs"
        assert result.library.gradient[0].function_name == "Exp"

    def test_a_graph_without_functions_is_not_copied(self):
        graph = graph_def('node { name: "a" op: "NoOp" }')
        assert renamed(graph) is graph

    def test_the_graph_itself_is_not_changed(self):
        graph = graph_with(f="Abs")
        before = graph.SerializeToString(deterministic=True)
        renamed(graph)
        assert graph.SerializeToString(deterministic=True) == before


NAMES = st.sampled_from(["f", "g", "h"])
BODIES = st.dictionaries(NAMES, st.one_of(NAMES, st.sampled_from(["Abs", "Exp"])), min_size=1)


@given(BODIES)
def test_renaming_changes_nothing_but_names(bodies):
    expected = graph_with(
        **{f"{name}_s": f"{op}_s" if op in bodies else op for name, op in bodies.items()}
    )
    result = renamed(graph_with(**bodies))
    assert result.library == expected.library
    assert [node.op for node in result.node] == [node.op for node in expected.node]


@given(BODIES)
def test_renamed_graphs_need_the_same_functions(bodies):
    graph = graph_with(**bodies)
    kept = functions.FunctionLibrary(graph.library).extract_needed(graph.node[:1])
    kept_renamed = functions.FunctionLibrary(renamed(graph).library).extract_needed(
        renamed(graph).node[:1]
    )
    assert [f.signature.name + "_s" for f in kept.function] == [
        f.signature.name for f in kept_renamed.function
    ]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
