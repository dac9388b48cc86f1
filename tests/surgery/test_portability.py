"""portability: between TensorFlow versions, machines and programs."""

from __future__ import annotations

import sys

import pytest
from google.protobuf import text_format
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.surgery import portability
from tests.growth import grows_linearly
from tests.surgery.protos import meta_graph


def assignment(variable_shape: str, value_shape: str, value: str = "value") -> MetaGraphDef:
    """A variable that is assigned an output of the op "value"."""
    return meta_graph(f"""graph_def {{
        node {{ name: "v" op: "VarHandleOp"
               attr {{ key: "shape" value {{ shape {{ {variable_shape} }} }} }}
               attr {{ key: "debug_name" value {{ s: "v/" }} }} }}
        node {{ name: "value" op: "Split"
               attr {{ key: "_output_shapes" value {{ list {{ shape {{ unknown_rank: true }}
                                                             shape {{ {value_shape} }} }} }} }} }}
        node {{ name: "assign" op: "AssignVariableOp" input: "v" input: "{value}"
               attr {{ key: "validate_shape" value {{ b: true }} }} }} }}""")


class TestForOlderTensorflow:
    def test_variables_lose_their_debug_names(self):
        [variable, *_] = portability.prepare_for_older_tensorflow(assignment("", "")).graph_def.node
        assert "debug_name" not in variable.attr
        assert "shape" in variable.attr

    @pytest.mark.parametrize(
        ("variable_shape", "value_shape", "value", "checked"),
        [
            ("dim { size: 3 }", "dim { size: 3 }", "value:1", False),
            ("", "", "value:1", False),
            ("dim { size: 3 }", "dim { size: 2 }", "value:1", True),
            ("dim { size: -1 }", "dim { size: -1 }", "value:1", True),
            ("unknown_rank: true", "unknown_rank: true", "value:1", True),
            ("dim { size: 3 }", "dim { size: 3 }", "value", True),
            ("dim { size: 3 }", "dim { size: 3 }", "value:2", True),
            ("dim { size: 3 }", "dim { size: 3 }", "missing", True),
        ],
    )
    def test_only_a_check_that_cannot_fail_is_left_out(
        self, variable_shape, value_shape, value, checked
    ):
        result = portability.prepare_for_older_tensorflow(
            assignment(variable_shape, value_shape, value)
        )
        assert ("validate_shape" in result.graph_def.node[-1].attr) is checked

    def test_a_function_does_not_see_the_names_of_the_graph(self):
        graph = assignment("", "", "value:1")
        assign = graph.graph_def.node.pop()
        assign.input[1] = "value:output:0"
        function = graph.graph_def.library.function.add()
        function.signature.name = "f"
        function.signature.input_arg.add(name="v")
        function.node_def.append(assign)
        result = portability.prepare_for_older_tensorflow(graph)
        assert "validate_shape" in result.graph_def.library.function[0].node_def[0].attr

    def test_the_original_is_not_changed(self):
        graph = assignment("", "", "value:1")
        before = text_format.MessageToString(graph)
        portability.prepare_for_older_tensorflow(graph)
        assert text_format.MessageToString(graph) == before


class TestForThisTensorflow:
    def test_devices_are_cleared_in_graphs_and_functions(self):
        graph = meta_graph("""graph_def {
            node { name: "a" op: "NoOp" device: "/gpu:0" }
            library { function { signature { name: "f" }
                                 node_def { name: "b" op: "NoOp" device: "/job:ps" } } } }""")
        nodes = portability.iterate_nodes(portability.prepare_for_this_tensorflow(graph).graph_def)
        assert [(node.name, node.device) for node in nodes] == [("a", ""), ("b", "")]

    def test_unknown_attributes_go_where_they_are_at_their_defaults(self):
        graph = meta_graph("""
            meta_info_def { stripped_op_list { op { name: "MatMul"
                attr { name: "of_tomorrow" default_value { b: true } }
                attr { name: "transpose_a" default_value { b: false } }
                attr { name: "without_default" } } op { name: "NobodysOp" } } }
            graph_def {
                node { name: "default" op: "MatMul"
                       attr { key: "of_tomorrow" value { b: true } }
                       attr { key: "transpose_a" value { b: false } } }
                node { name: "other" op: "MatMul"
                       attr { key: "of_tomorrow" value { b: false } } } }""")
        default, other = portability.prepare_for_this_tensorflow(graph).graph_def.node
        assert set(default.attr) == {"transpose_a"}
        assert set(other.attr) == {"of_tomorrow"}

    def test_the_original_is_not_changed(self):
        graph = meta_graph('graph_def { node { name: "a" op: "NoOp" device: "/gpu:0" } }')
        portability.prepare_for_this_tensorflow(graph)
        assert graph.graph_def.node[0].device == "/gpu:0"


AUTHORS = """graph_def {
    node { name: "asset" op: "Const" device: "/job:author"
           attr { key: "value" value { tensor { dtype: DT_STRING string_val: "/home/a/v.txt" } } } }
    node { name: "text" op: "Const"
           attr { key: "value" value { tensor { dtype: DT_STRING string_val: "kept" } } } }
    node { name: "table" op: "HashTableV2"
           attr { key: "shared_name" value { s: "hash_table_/home/a/v.txt_-2_-1" } } }
    node { name: "prefix" op: "Const"
           attr { key: "value" value { tensor { dtype: DT_STRING string_val: "/home/a/m" } } } }
    node { name: "restore" op: "RestoreV2" input: "prefix" input: "names" input: "slices" }
    node { name: "call" op: "PartitionedCall"
           attr { key: "_gradient_op_type" value { s: "PartitionedCall-17" } } }
    node { name: "own" op: "IdentityN"
           attr { key: "_gradient_op_type" value { s: "CustomGradient-3" } } }
    library { function { signature { name: "f" } node_def {
        name: "call" op: "StatefulPartitionedCall" device: "/job:author"
        experimental_debug_info { original_node_names: "n" }
        attr { key: "_gradient_op_type" value { s: "StatefulPartitionedCall-4" } } } } } }"""


class TestWithoutAuthor:
    @pytest.fixture
    def clean(self):
        graph = meta_graph(AUTHORS)
        portability.remove_author_in_place(
            graph, {"asset:0": "/home/a/v.txt"}, {"/home/a/v.txt": "v.txt"}
        )
        return graph

    def test_no_path_is_left(self, clean):
        assert b"/home/a" not in clean.SerializeToString()

    def test_no_device_is_left(self, clean):
        assert b"author" not in clean.SerializeToString()

    def test_paths_of_assets_and_checkpoints_are_blank(self, clean):
        nodes = {node.name: node for node in clean.graph_def.node}
        for name in ("asset", "prefix"):
            assert list(nodes[name].attr["value"].tensor.string_val) == [b""]

    def test_other_constants_stay(self, clean):
        nodes = {node.name: node for node in clean.graph_def.node}
        assert list(nodes["text"].attr["value"].tensor.string_val) == [b"kept"]

    def test_tables_are_shared_under_the_name_of_the_file(self, clean):
        nodes = {node.name: node for node in clean.graph_def.node}
        assert nodes["table"].attr["shared_name"].s == b"hash_table_v.txt_-2_-1"

    def test_calls_forget_the_gradients_of_the_process(self, clean):
        body = clean.graph_def.library.function[0].node_def[0]
        nodes = {node.name: node for node in clean.graph_def.node}
        assert "_gradient_op_type" not in nodes["call"].attr
        assert "_gradient_op_type" not in body.attr

    def test_gradients_that_are_no_functions_stay(self, clean):
        nodes = {node.name: node for node in clean.graph_def.node}
        assert nodes["own"].attr["_gradient_op_type"].s == b"CustomGradient-3"

    def test_debug_information_is_left_out(self, clean):
        for node in portability.iterate_nodes(clean.graph_def):
            assert not node.HasField("experimental_debug_info")

    def test_tables_of_two_files_stay_two(self):
        """A path that begins like another must not be taken for it."""
        names = {"/x/v": "v", "/y/v": "v_1", "/x/v_1": "v_1_1"}
        graph = MetaGraphDef()
        for path in names:
            node = graph.graph_def.node.add(name=path, op="HashTableV2")
            node.attr["shared_name"].s = f"hash_table_{path}".encode()
        portability.remove_author_in_place(graph, {}, names)
        shared = [node.attr["shared_name"].s for node in graph.graph_def.node]
        assert shared == [b"hash_table_v", b"hash_table_v_1", b"hash_table_v_1_1"]

    def test_the_time_to_rename_tables_grows_with_their_number(self):
        def make_call(count):
            names = {f"/home/{100 + index}/v.txt": f"v_{index}.txt" for index in range(count)}
            graph = MetaGraphDef()
            for path in names:
                node = graph.graph_def.node.add(name=path, op="HashTableV2")
                node.attr["shared_name"].s = f"hash_table_{path}".encode()
            return lambda: portability.remove_author_in_place(graph, {}, names)

        assert grows_linearly(make_call, 20)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
