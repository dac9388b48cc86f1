"""colocation: constraints stay true when parts are taken out and rewired."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from hubmodule.errors import ColocationError
from hubmodule.surgery import colocation
from tests.surgery.protos import nodes_of


def graph(**constraints: str) -> tf.compat.v1.GraphDef:
    """A graph: op -> the ops that it is colocated with, separated by spaces."""
    result = tf.compat.v1.GraphDef()
    for name, others in constraints.items():
        node = result.node.add(name=name, op="NoOp")
        if others:
            groups = [b"loc:@" + other.encode() for other in others.split()]
            node.attr["_class"].list.s.extend(groups)
    return result


def part_of(whole: tf.compat.v1.GraphDef, names: str) -> tf.compat.v1.GraphDef:
    part = tf.compat.v1.GraphDef()
    part.node.extend(node for node in whole.node if node.name in names.split())
    return part


def live(whole: tf.compat.v1.GraphDef, names: str, replaced: str = "") -> dict[str, list[str]]:
    """The constraints of a part after it was taken out."""
    part = colocation.drop_dead_constraints(
        part_of(whole, names), nodes_of(whole), set(replaced.split())
    )
    return {node.name: colocation.find_colocated_ops(node) for node in part.node}


class TestConstrainedTo:
    def test_lists_other_ops(self):
        [node] = graph(a="b a c").node
        assert colocation.find_colocated_ops(node) == ["b", "c"]

    def test_ignores_other_classes(self):
        [node] = graph(a="b").node
        node.attr["_class"].list.s.append(b"something else")
        assert colocation.find_colocated_ops(node) == ["b"]

    def test_is_empty_without_constraints(self):
        [node] = graph(a="").node
        assert colocation.find_colocated_ops(node) == []
        assert "_class" not in node.attr


class TestWithLiveConstraints:
    def test_constraints_within_the_part_stay(self):
        assert live(graph(a="", b="a", c=""), "a b") == {"a": [], "b": ["a"]}

    def test_constraints_on_replaced_ops_stay(self):
        assert live(graph(x="", a="x"), "a", replaced="x") == {"a": ["x"]}

    def test_constraints_pass_over_what_is_left_behind(self):
        assert live(graph(a="", left="a", b="left"), "a b") == {"a": [], "b": ["a"]}

    def test_those_colocated_with_what_is_left_behind_stay_together(self):
        whole = graph(left="", a="left", b="left", c="left")
        assert live(whole, "a b c") == {"a": [], "b": ["a"], "c": ["a"]}

    def test_two_groups_stay_apart(self):
        whole = graph(left="", gone="", a="left", b="gone", c="left", d="gone")
        assert live(whole, "a b c d") == {"a": [], "b": [], "c": ["a"], "d": ["b"]}

    def test_a_constraint_on_two_ops_is_kept_on_both(self):
        assert live(graph(a="", left="a", b="", c="b left"), "a b c")["c"] == ["a", "b"]

    def test_other_classes_stay(self):
        whole = graph(left="", a="left")
        whole.node[1].attr["_class"].list.s.append(b"something else")
        part = colocation.drop_dead_constraints(part_of(whole, "a"), nodes_of(whole), set())
        assert b"something else" in part.node[0].attr["_class"].list.s

    def test_the_part_itself_is_not_changed(self):
        whole = graph(left="", a="left")
        part = part_of(whole, "a")
        colocation.drop_dead_constraints(part, nodes_of(whole), set())
        assert colocation.find_colocated_ops(part.node[0]) == ["left"]


OPS = [f"n{i}" for i in range(6)]


@given(
    st.lists(st.sets(st.integers(0, 5)), min_size=6, max_size=6),
    st.sets(st.sampled_from(OPS)),
    st.sets(st.sampled_from(OPS)),
)
def test_no_constraint_names_what_is_left_behind(targets, kept, replaced):
    # Constraints point backwards, as TensorFlow makes them.
    whole = graph(
        **{
            name: " ".join(OPS[t] for t in targets[index] if t < index)
            for index, name in enumerate(OPS)
        }
    )
    for constraints in live(whole, " ".join(kept), " ".join(replaced)).values():
        assert set(constraints) <= kept | replaced


class TestGroupsOfReplaced:
    def test_a_replaced_op_becomes_the_groups_of_its_replacement(self):
        groups = colocation.find_replacing_groups(graph(a="x"), {"x": [[b"loc:@live"]]})
        assert groups == {"x": [b"loc:@live"]}

    def test_ops_that_nothing_follows_are_left_out(self):
        assert colocation.find_replacing_groups(graph(a=""), {"x": [[b"loc:@live"]]}) == {}

    def test_outputs_replaced_by_ops_in_one_place_are_one(self):
        replacements = {"x": [[b"loc:@b", b"loc:@a"], [b"loc:@a", b"loc:@b"]]}
        assert colocation.find_replacing_groups(graph(a="x"), replacements) == {
            "x": [b"loc:@a", b"loc:@b"]
        }

    def test_outputs_replaced_by_ops_in_two_places_contradict(self):
        with pytest.raises(ColocationError) as caught:
            colocation.find_replacing_groups(graph(a="x"), {"x": [[b"loc:@u"], [b"loc:@v"]]})
        for part in ("Op 'a'", "'loc:@x'", "[loc:@u] or [loc:@v]", "Pass inputs"):
            assert part in str(caught.value)

    def test_an_op_replaced_in_part_contradicts(self):
        with pytest.raises(ColocationError, match="loc:@live"):
            colocation.find_replacing_groups(graph(x="", a="x"), {"x": [[b"loc:@live"]]})


class TestChecks:
    def test_an_input_by_itself_will_do(self):
        colocation.check_inputs(nodes_of(graph(x="x", a="x")), {"default": ["x:0"]})

    def test_an_input_with_another_op_is_refused(self):
        with pytest.raises(ColocationError, match=r"Input 'x:0' of signature 'sig' .* op 'a'"):
            colocation.check_inputs(nodes_of(graph(a="", x="a")), {"sig": ["x:0"]})

    def test_state_with_state_will_do(self):
        colocation.check_state(nodes_of(graph(v="", slot="v")), {"v", "slot"})

    def test_state_with_something_else_is_refused(self):
        with pytest.raises(ColocationError, match="State op 'v' is colocated with op 'a'"):
            colocation.check_state(nodes_of(graph(a="", v="a")), {"v"})


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
