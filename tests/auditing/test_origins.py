"""Tests of hubmodule.auditing.origins: where the name that ReadFile uses comes from."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest
import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule.auditing.names import Name, Source
from tests.auditing.protos import (
    MetaGraphDef,
    NodeDef,
    audit_of,
    constant,
    function,
    meta_graph,
    node,
    placeholder,
)
from tests.auditing.reading import (
    CALL,
    ELEMENTS,
    PASSWD,
    dataset,
    graph_of,
    in_function,
    list_names,
    names,
)


def test_a_constant() -> None:
    assert names(constant("name", "/etc/passwd")) == {PASSWD}


def test_a_constant_of_several_paths() -> None:
    found = names(constant("name", ["/etc/passwd", "/etc/shadow"]))
    assert found == {PASSWD, Name(Source.CONSTANT, "/etc/shadow")}


@pytest.mark.parametrize(
    ("op", "inputs"),
    [
        ("Identity", ["c"]),
        ("Reshape", ["c", "i"]),
        ("StridedSlice", ["c", "i", "i", "i"]),
        ("GatherV2", ["c", "i", "i"]),
        ("Enter", ["c"]),
        ("Switch", ["c", "i"]),
        ("Merge", ["c", "c"]),
        ("Pack", ["c", "c"]),
        ("ConcatV2", ["c", "c", "i"]),
        ("SelectV2", ["i", "c", "c"]),
        ("Fill", ["i", "c"]),
        ("PlaceholderWithDefault", ["c"]),
        ("RandomShuffle", ["c"]),
        ("StringJoin", ["c"]),
    ],
)
def test_a_constant_is_followed_through(op: str, inputs: list[str]) -> None:
    parts = [constant("c", "/etc/passwd"), constant("i", 0, tf.int32)]
    assert names(*parts, node("name", op, *inputs)) == {PASSWD}


def test_identity_n_gives_each_output_its_input() -> None:
    parts = [constant("a", "/a"), constant("b", "/b"), node("n", "IdentityN", "a", "b")]
    assert names(*parts, node("name", "Identity", "n:1")) == {Name(Source.CONSTANT, "/b")}


def test_joined_constants_are_a_constant() -> None:
    parts = [constant("a", "/etc"), constant("b", ["passwd", "shadow"])]
    join = node("name", "StringJoin", "a", "b", N=2, separator="/")
    assert names(*parts, join) == {PASSWD, Name(Source.CONSTANT, "/etc/shadow")}


def test_joined_with_an_input_is_computed() -> None:
    parts = [constant("a", "/home/"), placeholder("x")]
    join = node("name", "StringJoin", "a", "x", N=2)
    assert names(*parts, join) == {
        Name(Source.COMPUTED, "from '/home/' and input 'x' of signature 'default'")
    }


def test_joined_with_an_asset_is_computed() -> None:
    parts = [constant("a", ""), constant("b", "/../../x")]
    join = node("name", "StringJoin", "a", "b", N=2)
    assert names(*parts, join, assets={"a:0": "v.txt"}) == {
        Name(Source.COMPUTED, "from 'assets/v.txt' and '/../../x'")
    }


def test_a_placeholder_of_the_signature_is_fed() -> None:
    assert names(placeholder("x"), node("name", "Identity", "x")) == {
        Name(Source.FED, "input 'x' of signature 'default'")
    }


def test_another_placeholder_is_fed() -> None:
    assert names(placeholder("name")) == {Name(Source.FED, "placeholder 'name'")}


def test_an_input_with_a_default_is_both() -> None:
    parts = [constant("c", "/etc/passwd"), node("x", "PlaceholderWithDefault", "c")]
    assert names(*parts, node("name", "Identity", "x")) == {
        PASSWD,
        Name(Source.FED, "input 'x' of signature 'default'"),
    }


def test_another_op_computes() -> None:
    assert names(constant("c", "X"), node("name", "StringLower", "c")) == {
        Name(Source.COMPUTED, "by StringLower 'name'")
    }


def test_a_missing_node_is_said() -> None:
    assert names() == {Name(Source.COMPUTED, "by 'name', which the graph lacks")}


def test_an_asset_is_no_finding() -> None:
    assert names(constant("name", ""), assets={"name:0": "v.txt"}) == set()


def test_what_only_says_it_is_an_asset_is_followed() -> None:
    parts = [constant("c", "/etc/passwd"), node("name", "Identity", "c")]
    assert names(*parts, assets={"name:0": "v.txt"}) == {PASSWD}


@pytest.mark.parametrize("file_name", ["../../etc/passwd", "/etc/passwd"])
def test_an_asset_outside_of_the_assets_is_a_path(file_name: str) -> None:
    (name,) = names(constant("name", ""), assets={"name:0": file_name})
    assert name.source is Source.CONSTANT
    assert name.value.endswith(file_name)


class TestFunctions:
    def test_a_constant_in_the_body(self) -> None:
        call = node("call", "StatefulPartitionedCall", "x", **CALL)
        body = in_function(constant("name", "/etc/passwd"))
        assert PASSWD in names(placeholder("x"), call, functions=[body])

    @pytest.mark.parametrize("op", ["StatefulPartitionedCall", "PartitionedCall", "f"])
    def test_an_argument(self, op: str) -> None:
        attributes = {} if op == "f" else CALL
        parts = [constant("c", "/etc/passwd"), node("read", op, "c", **attributes)]
        assert names(*parts, functions=[in_function()]) == {PASSWD}

    def test_an_argument_of_each_caller(self) -> None:
        parts = [
            constant("a", ""),
            constant("b", "/etc/passwd"),
            node("one", "PartitionedCall", "a", **CALL),
            node("read", "PartitionedCall", "b", **CALL),
        ]
        assert names(*parts, functions=[in_function()], assets={"a:0": "v"}) == {PASSWD}

    def test_an_argument_through_two_calls(self) -> None:
        inner = node("call", "PartitionedCall", "a", **CALL)
        outer = function("g", {"a": tf.string}, [inner], {"y": "call:output:0"})
        parts = [constant("c", "/etc/passwd"), node("read", "PartitionedCall", "c", **CALL)]
        parts[1].attr["f"].func.name = "g"
        assert names(*parts, functions=[in_function(), outer]) == {PASSWD}

    def test_a_function_without_callers_is_fed(self) -> None:
        graph = meta_graph([], functions=[in_function()])
        assert list_names(graph) == {Name(Source.FED, "argument 'argument' of function 'f'")}

    def test_a_result(self) -> None:
        body = function("f", {}, [constant("c", "/etc/passwd")], {"y": "c:output:0"})
        assert names(node("name", "PartitionedCall", **CALL), functions=[body]) == {PASSWD}

    def test_an_argument_that_is_returned(self) -> None:
        body = function("f", {"a": tf.string}, [], {"y": "a"})
        parts = [constant("c", "/etc/passwd"), node("name", "PartitionedCall", "c", **CALL)]
        assert names(*parts, functions=[body]) == {PASSWD}

    def test_each_branch(self) -> None:
        bodies = [
            function(name, {}, [constant("c", f"/{name}")], {"y": "c:output:0"}) for name in "ab"
        ]
        branch = node("name", "If", "x", then_branch="@a", else_branch="@b", Tin=[])
        assert names(placeholder("x", tf.bool), branch, functions=bodies) == {
            Name(Source.CONSTANT, "/a"),
            Name(Source.CONSTANT, "/b"),
        }

    def test_a_loop(self) -> None:
        body = function(
            "body",
            {"a": tf.string},
            [constant("c", "/round"), node("read", "ReadFile", "a")],
            {"y": "c:output:0"},
        )
        condition = function("cond", {"a": tf.string}, [], {"y": "a"})
        loop = node("name", "While", "start", T=[tf.string], cond="@cond", body="@body")
        start = constant("start", "/start")
        graph = graph_of(start, loop, functions=[body, condition])
        in_body, outside = (
            {name for f in audit_of(graph).findings if f.function == where for name in f.names}
            for where in ("body", "")
        )
        rounds = {Name(Source.CONSTANT, "/start"), Name(Source.CONSTANT, "/round")}
        assert (in_body, outside) == (rounds, rounds)

    def test_a_function_that_calls_itself_ends(self) -> None:
        call = node("call", "PartitionedCall", "a", **CALL)
        body = function("f", {"a": tf.string}, [call], {"y": "call:output:0"})
        parts = [constant("c", "/x"), node("name", "PartitionedCall", "c", **CALL)]
        assert {name.source for name in names(*parts, functions=[body])} == {Source.COMPUTED}

    def test_an_output_named_as_a_result_of_the_function(self) -> None:
        results = {"first": "foreign:output:0", "output": "empty:output:0"}
        nodes = [constant("foreign", "/etc/passwd"), constant("empty", "")]
        inner = function("g", {}, nodes, results)
        calls = [
            node("call", "PartitionedCall", Tout=[tf.string] * 2, f="@g"),
            node("read", "ReadFile", "call:output:0"),
        ]
        outer = function("f", {"argument": tf.string}, calls, {"y": "argument"})
        call = node("read", "PartitionedCall", "x", **CALL)
        assert names(placeholder("x"), call, functions=[inner, outer]) == {PASSWD}

    def test_a_function_that_is_a_parameter_of_another(self) -> None:
        inner_call = node("call", "PartitionedCall", "c:output:0", **CALL)
        inner_call.attr["f"].placeholder = "inner"
        outer = function(
            *("outer", {"a": tf.string}, [constant("c", "/etc/passwd"), inner_call], {"y": "a"})
        )
        call = node("read", "PartitionedCall", "v", **CALL)
        call.attr["f"].func.name = "outer"
        call.attr["f"].func.attr["inner"].func.name = "f"
        found = names(
            *(constant("v", ""), call), functions=[outer, in_function()], assets={"v:0": "v.txt"}
        )
        assert {name.source for name in found} == {Source.COMPUTED}

    def test_a_function_that_replaces_another(self) -> None:
        """TensorFlow may call another function with the same interface."""
        other = function("other", {"argument": tf.string}, [], {"y": "argument"})
        functions = [in_function(), other]
        for body in functions:
            body.attr["api_implements"].s = b"read"
        parts = [constant("c", "/etc/passwd"), node("read", "PartitionedCall", "c", **CALL)]
        parts[1].attr["f"].func.name = "other"
        graph = graph_of(*parts, functions=functions)
        (finding,) = audit_of(graph).findings
        assert finding.names == (PASSWD,)
        assert finding.reached_from == ("signature 'default'",)

    def test_a_result_of_a_function_that_replaces_another(self) -> None:
        results = {"f": "", "g": "/etc/passwd"}
        functions = [
            function(name, {}, [constant("c", value)], {"y": "c:output:0"})
            for name, value in results.items()
        ]
        for body in functions:
            body.attr["api_implements"].s = b"name"
        assert names(node("name", "PartitionedCall", **CALL), functions=functions) == {PASSWD}

    def test_an_argument_of_a_gradient(self) -> None:
        """TF2 calls it with tensors of its own, besides the calls in the graph."""
        parts = [constant("c", ""), node("read", "PartitionedCall", "c", **CALL)]
        graph = graph_of(*parts, functions=[in_function()])
        library = graph.graph_def.library
        library.registered_gradients.add(gradient_func="f", registered_op_type="G")
        assert {name.source for name in list_names(graph)} == {Source.FED}

    def test_a_separator_that_the_caller_chooses(self) -> None:
        join = node("name", "StringJoin", "argument", "argument", N=2)
        join.attr["separator"].placeholder = "separator"
        body = in_function(join)
        body.node_def[1].input[0] = "name:output:0"
        parts = [constant("c", ""), node("read", "PartitionedCall", "c", **CALL)]
        assert {name.source for name in names(*parts, functions=[body])} == {Source.COMPUTED}

    def test_a_branch_that_is_a_parameter(self) -> None:
        harmless = function("a", {}, [constant("c", "")], {"y": "c:output:0"})
        branch = node("name", "If", "x", then_branch="@a", Tin=[])
        branch.attr["else_branch"].placeholder = "other"
        found = names(placeholder("x", tf.bool), branch, functions=[harmless])
        assert Source.COMPUTED in {name.source for name in found}

    def test_arguments_that_are_lists_are_computed(self) -> None:
        body = in_function()
        body.signature.input_arg[0].number_attr = "N"
        parts = [constant("c", ""), node("read", "PartitionedCall", "c", **CALL)]
        assert {name.source for name in names(*parts, functions=[body])} == {Source.COMPUTED}


class TestDatasets:
    def map_dataset(self, *captured: str) -> NodeDef:
        return node(
            "read",
            "MapDataset",
            "source",
            *captured,
            Targuments=[tf.string] * len(captured),
            f="@f",
            **ELEMENTS,
        )

    def test_a_captured_input(self) -> None:
        body = function(
            "f",
            {"element": tf.string, "captured": tf.string},
            [node("read", "ReadFile", "captured")],
            {"y": "element"},
        )
        parts = [constant("elements", "e"), dataset(), constant("c", "/etc/passwd")]
        assert names(*parts, self.map_dataset("c"), functions=[body]) == {PASSWD}

    def test_an_element(self) -> None:
        parts = [constant("elements", ["/etc/passwd"]), dataset()]
        assert names(*parts, self.map_dataset(), functions=[in_function()]) == {PASSWD}

    def test_an_element_through_other_datasets(self) -> None:
        shuffle = node("shuffled", "ShuffleDataset", "source", "i", "i", "i", **ELEMENTS)
        mapped = self.map_dataset()
        mapped.input[0] = "shuffled"
        parts = [constant("elements", ["/etc/passwd"]), dataset(), constant("i", 1, tf.int64)]
        assert names(*parts, shuffle, mapped, functions=[in_function()]) == {PASSWD}

    def test_elements_of_a_mapped_dataset(self) -> None:
        body = function("g", {"e": tf.string}, [constant("c", "/etc/passwd")], {"y": "c:output:0"})
        first = node("first", "MapDataset", "source", Targuments=[], f="@g", **ELEMENTS)
        mapped = self.map_dataset()
        mapped.input[0] = "first"
        parts = [constant("elements", ["e"]), dataset(), first, mapped]
        assert names(*parts, functions=[body, in_function()]) == {PASSWD}

    def test_elements_of_a_shared_cache_are_computed(self) -> None:
        """Another dataset with the same cache may have filled it."""
        cache = node("cached", "CacheDatasetV2", "source", "empty", "memory", **ELEMENTS)
        mapped = self.map_dataset()
        mapped.input[0] = "cached"
        parts = [
            constant("elements", [""]),
            constant("empty", ""),
            node("memory", "DummyMemoryCache"),
            *(dataset(), cache, mapped),
        ]
        assert names(*parts, functions=[in_function()]) == {
            Name(Source.COMPUTED, "by CacheDatasetV2 'cached'")
        }

    def test_elements_of_a_file_are_computed(self) -> None:
        listed = node("source", "MatchingFilesDataset", "pattern")
        parts = [constant("pattern", ""), listed, self.map_dataset()]
        assert names(*parts, functions=[in_function()]) == {
            Name(Source.COMPUTED, "by MatchingFilesDataset 'source'")
        }

    @pytest.mark.parametrize("op", ["ReduceDataset", "ScanDataset"])
    def test_a_state_is_not_an_element(self, op: str) -> None:
        body = function(
            "f",
            {"state": tf.string, "element": tf.string},
            [node("read", "ReadFile", "element")],
            {"y": "state"},
        )
        reduced = node("read", op, "source", "state", Tstate=[tf.string], f="@f", **ELEMENTS)
        parts = [constant("elements", ["/etc/passwd"]), constant("state", ""), dataset(), reduced]
        assert {name.source for name in names(*parts, functions=[body])} == {Source.COMPUTED}

    def test_a_reduced_dataset_may_be_empty(self) -> None:
        body = function("f", {"s": tf.string, "e": tf.string}, [], {"y": "e"})
        reduced = node("name", "ReduceDataset", "source", "state", Tstate=[tf.string], f="@f")
        parts = [constant("elements", []), constant("state", "/etc/passwd"), dataset(), reduced]
        assert {name.source for name in names(*parts, functions=[body])} == {Source.COMPUTED}


class TestQueues:
    def reader(self, *enqueued: str) -> Sequence[NodeDef]:
        return [
            node("reader", "WholeFileReaderV2"),
            node("queue", "FIFOQueueV2", component_types=[tf.string]),
            *(
                node(f"enqueue{index}", "QueueEnqueueManyV2", "queue", name)
                for index, name in enumerate(enqueued)
            ),
            node("read", "ReaderReadV2", "reader", "queue"),
        ]

    def test_names_in_the_queue(self) -> None:
        assert names(constant("c", ["/etc/passwd"]), *self.reader("c")) == {PASSWD}

    def test_assets_in_the_queue(self) -> None:
        parts = [constant("c", ""), *self.reader("c")]
        assert names(*parts, assets={"c:0": "v.txt"}) == set()

    def test_a_queue_that_is_filled_elsewhere(self) -> None:
        assert names(*self.reader()) == {Name(Source.COMPUTED, "by a queue")}

    def test_two_nodes_of_one_queue(self) -> None:
        parts = [
            constant("c", ""),
            constant("foreign", "/etc/passwd"),
            *self.reader("c"),
            node("other", "FIFOQueueV2", component_types=[tf.string], shared_name="queue"),
            node("enqueue", "QueueEnqueueManyV2", "other", "foreign"),
        ]
        assert names(*parts, assets={"c:0": "v.txt"}) == {PASSWD}

    def test_a_queue_that_a_function_may_fill(self) -> None:
        parts = [constant("c", ""), *self.reader("c"), node("call", "PartitionedCall", "queue")]
        found = names(*parts, assets={"c:0": "v.txt"})
        assert found == {Name(Source.COMPUTED, "by a queue")}

    def test_a_queue_of_the_same_name_in_a_function(self) -> None:
        body = function("f", {}, [node("queue", "FIFOQueueV2")], {})
        parts = [constant("c", ""), *self.reader("c")]
        found = names(*parts, assets={"c:0": "v.txt"}, functions=[body])
        assert found == {Name(Source.COMPUTED, "by a queue")}


class TestVariables:
    def variable(self, *users: NodeDef) -> Sequence[NodeDef]:
        return [
            node("variable", "VarHandleOp", dtype=tf.string, shared_name="variable"),
            *users,
            node("name", "ReadVariableOp", "variable"),
        ]

    def test_the_path_of_an_asset(self) -> None:
        assign = node("assign", "AssignVariableOp", "variable", "c")
        parts = [constant("c", ""), *self.variable(assign)]
        assert names(*parts, assets={"c:0": "v.txt"}) == set()

    def test_another_value(self) -> None:
        assign = node("assign", "AssignVariableOp", "variable", "c")
        assert names(constant("c", "/etc/passwd"), *self.variable(assign)) == {PASSWD}

    def test_without_a_value(self) -> None:
        assert names(*self.variable()) == {Name(Source.COMPUTED, "by variable 'variable'")}

    def test_a_value_from_elsewhere(self) -> None:
        assign = node("assign", "AssignVariableOp", "variable", "c")
        call = node("call", "StatefulPartitionedCall", "variable", f="@g")
        parts = [constant("c", ""), *self.variable(assign, call)]
        assert names(*parts, assets={"c:0": "v.txt"}) == {
            Name(Source.COMPUTED, "by variable 'variable'")
        }

    def test_a_value_from_the_checkpoint(self) -> None:
        assign = node("assign", "AssignVariableOp", "variable", "c")
        graph = graph_of(constant("c", ""), *self.variable(assign), assets={"c:0": "v.txt"})
        saved = VariableDef(variable_name="variable:0")
        graph.collection_def["variables"].bytes_list.value.append(saved.SerializeToString())
        assert list_names(graph) == {Name(Source.COMPUTED, "by variable 'variable'")}

    def test_two_nodes_of_one_variable(self) -> None:
        assign = node("assign", "AssignVariableOp", "variable", "c")
        other = node("other", "VarHandleOp", dtype=tf.string, shared_name="variable")
        second = node("second", "AssignVariableOp", "other", "foreign")
        parts = [constant("c", ""), constant("foreign", "/etc/passwd"), other, second]
        assert names(*parts, *self.variable(assign), assets={"c:0": "v.txt"}) == {PASSWD}

    def test_two_nodes_without_a_shared_name(self) -> None:
        """Both are the variable with the empty name."""
        assign = node("assign", "AssignVariableOp", "variable", "c")
        second = [
            node("other", "VarHandleOp", dtype=tf.string),
            node("second", "AssignVariableOp", "other", "foreign"),
        ]
        parts = [constant("c", ""), constant("foreign", "/etc/passwd"), *second]
        graph = graph_of(*parts, *self.variable(assign), assets={"c:0": "v.txt"})
        graph.graph_def.node[4].attr.pop("shared_name")
        assert {name.source for name in list_names(graph)} == {Source.COMPUTED}

    @pytest.mark.parametrize(
        "forger",
        [
            node("forged", "_VarHandlesOp", shared_names=["variable"], N=1),
            node("forged", "Const", dtype=tf.resource),
            node("forged", "ParseTensor", "c", out_type=tf.resource),
        ],
        ids=lambda forger: forger.op,
    )
    def test_another_handle_of_the_variable(self, forger: NodeDef) -> None:
        assign = node("assign", "AssignVariableOp", "variable", "c")
        second = node("second", "AssignVariableOp", "forged", "foreign")
        parts = [constant("c", ""), constant("foreign", "/etc/passwd"), forger, second]
        found = names(*parts, *self.variable(assign), assets={"c:0": "v.txt"})
        assert found == {Name(Source.COMPUTED, "by variable 'variable'")}

    def test_a_handle_from_the_checkpoint_through_identity(self) -> None:
        assign = node("assign", "AssignVariableOp", "variable", "c")
        parts = [constant("c", ""), *self.variable(assign), node("same", "Identity", "variable")]
        graph = graph_of(*parts, assets={"c:0": "v.txt"})
        saved = VariableDef(variable_name="same:0")
        graph.collection_def["variables"].bytes_list.value.append(saved.SerializeToString())
        assert list_names(graph) == {Name(Source.COMPUTED, "by variable 'variable'")}


class TestObjects:
    """Functions of TF2 objects get what they capture from the object, not from a caller."""

    def graph(self) -> MetaGraphDef:
        graph = meta_graph([constant("c", "/etc/passwd")], functions=[in_function()])
        objects = graph.object_graph_def
        objects.nodes.add().user_object.SetInParent()
        objects.nodes.add().asset.asset_file_def_index = 0
        objects.nodes.add().constant.operation = "c"
        graph.asset_file_def.add(filename="v.txt")
        return graph

    @pytest.mark.parametrize(
        ("captured", "expected"),
        [
            (1, set()),
            (2, {PASSWD}),
            (0, {Name(Source.COMPUTED, "by the object 'user_object'")}),
            (7, {Name(Source.COMPUTED, "by object 7, which the module lacks")}),
        ],
    )
    def test_captures(self, captured: int, expected: set[Name]) -> None:
        graph = self.graph()
        graph.object_graph_def.concrete_functions["f"].bound_inputs.append(captured)
        assert list_names(graph) == expected

    def test_arguments_are_fed(self) -> None:
        graph = self.graph()
        graph.object_graph_def.concrete_functions["f"].SetInParent()
        assert list_names(graph) == {Name(Source.FED, "argument 'argument' of function 'f'")}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
