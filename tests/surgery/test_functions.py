"""functions: what of a library is needed, and names that tell the content."""

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
    kept = functions.needed_library([node_def(node)], library(functions_of_graph))
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
        kept = functions.needed_library([node_def('op: "a"')], library(definitions))
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


def new_name(name: str, graph: tf.compat.v1.GraphDef) -> str:
    """The new name of a function that the graph calls once."""
    renamed = functions.with_unique_function_names(graph)
    return next(node.op for node in renamed.node if node.name == f"call_{name}")


class TestUniqueNames:
    def test_equal_functions_of_two_graphs_get_equal_names(self):
        assert new_name("f", graph_with(f="Abs")) == new_name("f", graph_with(f="Abs", g="Exp"))

    def test_other_contents_get_other_names(self):
        assert new_name("f", graph_with(f="Abs")) != new_name("f", graph_with(f="Exp"))

    def test_the_content_of_called_functions_counts(self):
        one, other = graph_with(f="g", g="Abs"), graph_with(f="g", g="Exp")
        assert new_name("f", one) != new_name("f", other)

    def test_the_content_of_gradients_counts(self):
        one, other = graph_with(f="Abs", d="Sign"), graph_with(f="Abs", d="Neg")
        for graph in (one, other):
            graph.library.gradient.add(function_name="f", gradient_func="d")
        assert new_name("f", one) != new_name("f", other)

    def test_the_old_name_can_be_read_in_the_new(self):
        assert new_name("while_body_12", graph_with(while_body_12="Abs")).startswith(
            "while_body_12_"
        )

    def test_recursion_ends(self):
        assert new_name("f", graph_with(f="g", g="f")).startswith("f_")

    def test_all_references_are_renamed(self):
        graph = graph_with(f="Abs", g="f")
        graph.library.gradient.add(function_name="f", gradient_func="g")
        graph.library.function[1].attr["x"].func.name = "f"
        graph.node[0].attr["branches"].list.func.add(name="f").attr["y"].func.name = "g"
        renamed = functions.with_unique_function_names(graph)
        f, g = (function.signature.name for function in renamed.library.function)
        assert renamed.library.function[1].node_def[0].op == f
        assert renamed.library.function[1].attr["x"].func.name == f
        assert renamed.node[0].op == f
        assert renamed.node[0].attr["branches"].list.func[0].name == f
        assert renamed.node[0].attr["branches"].list.func[0].attr["y"].func.name == g
        assert renamed.library.gradient[0].function_name == f
        assert renamed.library.gradient[0].gradient_func == g

    def test_the_graph_itself_is_not_changed(self):
        graph = graph_with(f="Abs")
        before = graph.SerializeToString(deterministic=True)
        functions.with_unique_function_names(graph)
        assert graph.SerializeToString(deterministic=True) == before


NAMES = st.sampled_from(["f", "g", "h"])


@given(st.dictionaries(NAMES, st.one_of(NAMES, st.sampled_from(["Abs", "Exp"]))))
def test_renaming_equal_content_gives_equal_graphs(bodies):
    first, second = graph_with(**bodies), graph_with(**bodies)
    assert functions.with_unique_function_names(first) == functions.with_unique_function_names(
        second
    )


@given(
    st.dictionaries(NAMES, st.sampled_from(["Abs", "Exp"])),
    st.dictionaries(NAMES, st.sampled_from(["Abs", "Exp"])),
)
def test_two_graphs_share_a_name_only_for_equal_functions(one, other):
    merged = {}
    for bodies in (one, other):
        renamed = functions.with_unique_function_names(graph_with(**bodies))
        for function in renamed.library.function:
            assert merged.setdefault(function.signature.name, function) == function


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
