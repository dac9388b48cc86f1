"""Tests of hubmodule.auditing.findings."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import op_def_pb2
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf import saved_model_pb2

from hubmodule import _tf
from hubmodule.auditing import texts
from hubmodule.auditing.findings import Audit, Finding, audit
from hubmodule.auditing.graphs import Body
from hubmodule.auditing.names import Name, Source
from hubmodule.auditing.risks import Level, Risk
from hubmodule.format import saved_model as saved_model_file
from tests.auditing.evasions import EVASIONS, Evasion
from tests.auditing.hostile import Hostile, Naming, Place, corpus, harmless_graph
from tests.auditing.protos import (
    MetaGraphDef,
    NodeDef,
    audit_of,
    constant,
    function,
    meta_graph,
    node,
    placeholder,
    saved_model,
)

GOLDEN = sorted((pathlib.Path(__file__).parents[1] / "golden").glob("made_by_*/*/saved_model.pb"))
HOSTILE = list(corpus())


def run_by_signature(*nodes: NodeDef, **arguments: Any) -> MetaGraphDef:
    """A graph whose signature runs the node "op"."""
    return meta_graph([*nodes, node("y", "NoOp", "^op")], {}, {"default": "y:0"}, **arguments)


def only_finding(graph: MetaGraphDef, **arguments: Any) -> Finding:
    (finding,) = audit_of(graph, **arguments).findings
    return finding


def level_of(*nodes: NodeDef, **arguments: Any) -> str | None:
    """The level of the one finding of such a graph; None if there is none."""
    findings = audit_of(run_by_signature(*nodes), **arguments).findings
    assert len(findings) <= 1
    return findings[0].level.label if findings else None


@pytest.mark.parametrize("hostile", HOSTILE, ids=[hostile.name for hostile in HOSTILE])
def test_a_hostile_module_is_caught(hostile: Hostile) -> None:
    graphs = hostile.meta_graphs()
    found = [f for f in audit_of(*graphs).findings if f.op == hostile.row.op]
    assert found
    finding = found[0]
    expected = Level.MEDIUM
    if hostile.naming is Naming.CONSTANT or hostile.row.risk in (Risk.NETWORK, Risk.CODE):
        expected = hostile.row.level
    assert (finding.risk, finding.level) == (hostile.row.risk, expected)
    assert finding.tags == (("train",) if hostile.place is Place.VARIANT else ())
    runs = "the initialiser of a table" if hostile.place is Place.INITIALISER else None
    assert finding.reached_from == (runs or "signature 'default'",)
    assert bool(finding.function) == (
        hostile.place in (Place.FUNCTION, Place.BRANCH, Place.DATASET)
    )
    if hostile.row.names:
        assert hostile.naming.value in {name.source.value for name in finding.names}


@pytest.mark.parametrize("evasion", EVASIONS, ids=lambda evasion: evasion.name)
@pytest.mark.parametrize("is_module", [True, False])
def test_an_evasion_is_caught(evasion: Evasion, is_module: bool) -> None:
    found = audit_of(*evasion.meta_graphs(), is_module=is_module).findings
    assert evasion.op in {finding.op for finding in found if finding.level >= Level.MEDIUM}


@pytest.mark.parametrize("path", GOLDEN, ids=[f"{p.parts[-3]}-{p.parts[-2]}" for p in GOLDEN])
def test_a_golden_module_has_no_serious_finding(path: pathlib.Path) -> None:
    directory = str(path.parent)
    found = audit(saved_model_file.read_proto(directory), directory, is_module=True)
    assert [texts.describe(f) for f in found.findings if f.level > Level.LOW] == []
    assert found.damage == ()


def test_there_are_golden_modules() -> None:
    assert len(GOLDEN) > 30


def test_a_graph_that_computes_has_no_finding() -> None:
    assert audit_of(harmless_graph()) == Audit((), (), nodes=2, functions=0)


def test_a_finding_says_what_and_where() -> None:
    body = function("f", {}, [constant("c", "/x"), node("read", "ReadFile", "c:output:0")], {})
    call = node("op", "PartitionedCall", f="@f")
    assert only_finding(run_by_signature(call, functions=[body], tags=["train"])) == Finding(
        op="ReadFile",
        risk=Risk.READS_FILES,
        level=Level.HIGH,
        tags=("train",),
        function="f",
        node="read",
        reached_from=("signature 'default'",),
        names=(Name(Source.CONSTANT, "/x"),),
        reason="Returns the whole content of a file.",
    )


class TestKnownOps:
    """A caller that has read the op types of a graph can tell them to the audit."""

    def saved_model(self) -> saved_model_pb2.SavedModel:
        return saved_model(run_by_signature(constant("c", "/x"), node("op", "ReadFile", "c")))

    def test_a_graph_without_risky_ops_is_not_searched(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Body, "list_ops", lambda body: pytest.fail("searched"))
        found = audit(self.saved_model(), "/m", True, [frozenset({"Const", "NoOp"})])
        assert (found.findings, found.nodes) == ((), 3)

    @pytest.mark.parametrize("ops", [[], [None], [frozenset({"ReadFile"})]])
    def test_others_are(self, ops: list[frozenset[str] | None]) -> None:
        (finding,) = audit(self.saved_model(), "/m", True, ops).findings
        assert finding.op == "ReadFile"


def test_nodes_and_functions_are_counted() -> None:
    graph = run_by_signature(
        constant("op", "c"), functions=[function("f", {}, [placeholder("a")], {})]
    )
    found = audit_of(graph, harmless_graph())
    assert (found.nodes, found.functions) == (5, 1)


def test_the_worst_comes_first() -> None:
    nodes = [
        node("a", "PrintV2", "text"),
        constant("text", "t"),
        constant("c", "/x"),
        node("b", "ReadFile", "c"),
        node("u", "NoSuchOp"),
        node("op", "NoOp", "^a", "^b", "^u"),
    ]
    found = audit_of(run_by_signature(*nodes)).findings
    assert [finding.level.label for finding in found] == ["high", "medium", "low"]


class TestLevels:
    """By op, by name, and by what runs the op."""

    def test_reading_a_foreign_path(self) -> None:
        assert level_of(constant("c", "/etc/passwd"), node("op", "ReadFile", "c")) == "high"

    def test_reading_no_path(self) -> None:
        assert level_of(constant("c", ""), node("op", "ReadFile", "c")) is None

    def test_reading_what_is_fed(self) -> None:
        assert level_of(placeholder("c"), node("op", "ReadFile", "c")) == "medium"

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/m/assets/v.txt", "low"),
            ("/m/assets/../assets/v.txt", "low"),
            ("/m/assets/../../etc/passwd", "high"),
            ("/mother/v.txt", "high"),
            ("/m", "high"),
            ("gs://m/assets/v.txt", "high"),
        ],
    )
    def test_reading_a_path_into_the_module(self, path: str, expected: str) -> None:
        assert level_of(constant("c", path), node("op", "ReadFile", "c")) == expected

    def test_reading_a_relative_path_into_the_module(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        nodes = [constant("c", "../m/assets/v.txt"), node("op", "ReadFile", "c")]
        # The process that runs the graph may have another current directory.
        assert level_of(*nodes, directory=str(tmp_path.parent / "m")) == "high"
        assert level_of(*nodes, directory="../m") == "high"

    def test_a_module_on_another_file_system(self) -> None:
        nodes = [constant("c", "gs://b/m/assets/v.txt"), node("op", "ReadFile", "c")]
        assert level_of(*nodes, directory="gs://b/m") == "low"
        assert level_of(*nodes, directory="gs://b/m/assets/other") == "high"

    def test_writing_into_the_module(self) -> None:
        nodes = [constant("c", "/m/assets/v.txt"), node("op", "WriteFile", "c", "c")]
        assert level_of(*nodes) == "high"

    def test_writing_an_asset(self) -> None:
        nodes = [constant("c", ""), node("op", "WriteFile", "c", "c")]
        assert only_finding(run_by_signature(*nodes, assets={"c:0": "v"})).level is Level.HIGH

    @pytest.mark.parametrize(("filename", "expected"), [("", None), ("/tmp/x", "high")])
    def test_a_cache(self, filename: str, expected: str | None) -> None:
        cache = node("op", "CacheDataset", "d", "c")
        assert level_of(node("d", "RangeDataset"), constant("c", filename), cache) == expected

    @pytest.mark.parametrize(
        ("source", "expected"),
        [("local://", None), ("bytes://abc", None), ("", None), ("/x.desc", "high")],
    )
    def test_descriptors_of_protocol_buffers(self, source: str, expected: str | None) -> None:
        decode = node("op", "DecodeProtoV2", "c", descriptor_source=source)
        assert level_of(constant("c", "b"), decode) == expected

    def test_descriptors_by_default(self) -> None:
        assert level_of(constant("c", "b"), node("op", "DecodeProtoV2", "c")) is None

    @pytest.mark.parametrize(
        ("stream", "expected"),
        [("stderr", "low"), ("log(info)", "low"), ("file:///tmp/x", "high")],
    )
    def test_printing(self, stream: str, expected: str) -> None:
        printed = node("op", "PrintV2", "c", output_stream=stream)
        assert level_of(constant("c", "t"), printed) == expected

    def test_python(self) -> None:
        assert level_of(node("op", "PyFunc", token="pyfunc_0")) == "high"

    def test_ending_the_process(self) -> None:
        assert level_of(node("op", "Abort")) == "medium"

    def test_an_unregistered_op(self) -> None:
        finding = only_finding(run_by_signature(node("op", "NoSuchOp")))
        assert (finding.level, finding.risk) == (Level.MEDIUM, Risk.UNREGISTERED)
        assert finding.package == ""

    def test_an_unregistered_op_of_a_known_package(self) -> None:
        finding = only_finding(run_by_signature(node("op", "TFText>NoSuchOp")))
        assert finding.package == "tensorflow_text"
        assert finding.reason.endswith("It is in the package tensorflow_text.")

    @pytest.mark.parametrize(("path", "expected"), [("/x", "medium"), ("", None)])
    def test_an_op_that_the_table_lacks(
        self, monkeypatch: pytest.MonkeyPatch, path: str, expected: str | None
    ) -> None:
        op_def = op_def_pb2.OpDef(name="NewOp")
        op_def.input_arg.add(name="file_name", type=tf.string.as_datatype_enum)
        real = _tf.find_op_def
        monkeypatch.setattr(_tf, "find_op_def", lambda op: op_def if op == "NewOp" else real(op))
        assert level_of(constant("c", path), node("op", "NewOp", "c")) == expected

    def test_an_op_that_nothing_runs(self) -> None:
        finding = only_finding(meta_graph([constant("c", "/x"), node("op", "ReadFile", "c")]))
        assert (finding.level, finding.note) == (Level.MEDIUM, "nothing in the module runs it")

    def test_a_restore_op_that_only_a_variable_has(self) -> None:
        nodes = [constant("c", "/x"), node("op", "RestoreV2", "c")]
        graph = meta_graph(nodes)
        variable = VariableDef(variable_name="w:0", initializer_name="op")
        values = graph.collection_def["variables"].bytes_list.value
        values.append(variable.SerializeToString())
        assert only_finding(graph).level is Level.LOW
        nodes[1].op = "ReadFile"
        del graph.graph_def.node[:]
        graph.graph_def.node.extend(nodes)
        assert only_finding(graph).level is Level.HIGH


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/m/assets/v", "'/m/assets/v' points into the module, but only where the module is now"),
        ("s3://b/x", "'s3://b/x' is on the network or another file system (s3)"),
        ("file:///x", ""),
        ("../x", "'../x' leaves its directory by '..'"),
        ("/x", ""),
    ],
)
def test_a_note_says_what_is_special_about_a_path(path: str, expected: str) -> None:
    graph = run_by_signature(constant("c", path), node("op", "ReadFile", "c"))
    assert only_finding(graph).note == expected


class TestSavers:
    """The loader runs the saver of a SavedModel with the path of its own checkpoint."""

    def graph(self, *more: NodeDef, output: str = "x:0") -> MetaGraphDef:
        nodes = [
            placeholder("x"),
            constant("model", "model"),
            node("path", "PlaceholderWithDefault", "model"),
            constant("temporary", "_temp/part"),
            node("joined", "StringJoin", "path", "temporary", N=2),
            constant("i", 0, tf.int32),
            node("shard", "ShardedFilename", "joined", "i", "i"),
            node("save", "SaveV2", "shard"),
            node("prefixes", "Pack", "shard", N=1),
            node("merge", "MergeV2Checkpoints", "prefixes", "path", "^save"),
            node("saved", "Identity", "path", "^merge"),
            node("restore", "RestoreV2", "path"),
        ]
        graph = meta_graph([*nodes, *more], {"x": "x:0"}, {"default": output})
        graph.saver_def.filename_tensor_name = "path:0"
        graph.saver_def.save_tensor_name = "saved:0"
        graph.saver_def.restore_op_name = "restore"
        return graph

    def test_it_is_expected(self) -> None:
        assert audit_of(self.graph(), is_module=False).findings == ()

    def test_a_signature_that_runs_it_is_not(self) -> None:
        found = audit_of(self.graph(output="saved:0"), is_module=False).findings
        assert {(f.op, f.level.label) for f in found} == {
            ("SaveV2", "high"),
            ("MergeV2Checkpoints", "high"),
        }

    def test_it_may_read_and_write_nothing_else(self) -> None:
        graph = self.graph(constant("c", "/etc/passwd"), node("other", "ReadFile", "c"))
        restore = next(n for n in graph.graph_def.node if n.name == "restore")
        restore.input.append("^other")
        assert only_finding(graph, is_module=False).names == (Name(Source.CONSTANT, "/etc/passwd"),)

    def test_it_may_not_leave_the_path(self) -> None:
        graph = self.graph()
        temporary = next(n for n in graph.graph_def.node if n.name == "temporary")
        temporary.CopyFrom(constant("temporary", "/../../x"))
        assert {f.op for f in audit_of(graph, is_module=False).findings} == {
            "SaveV2",
            "MergeV2Checkpoints",
        }

    def test_restoring_may_not_write_over_the_checkpoint(self) -> None:
        graph = self.graph()
        restore = next(n for n in graph.graph_def.node if n.name == "restore")
        restore.input.append("^merge")
        found = audit_of(graph, is_module=False).findings
        assert {(f.op, f.level.label) for f in found} == {
            ("SaveV2", "high"),
            ("MergeV2Checkpoints", "high"),
        }

    def test_one_that_only_a_gradient_runs_is_not_left_over(self) -> None:
        nodes = [constant("c", "/x"), node("save", "SaveV2", "c:output:0")]
        graph = meta_graph([], functions=[function("f", {}, nodes, {})])
        library = graph.graph_def.library
        library.registered_gradients.add(gradient_func="f", registered_op_type="G")
        finding = only_finding(graph, is_module=False)
        assert (finding.level, finding.reached_from) == (Level.HIGH, ("the gradient 'G'",))

    def test_one_in_a_function_that_nothing_runs_is_not_left_over(self) -> None:
        nodes = [constant("c", "/x"), node("save", "SaveV2", "c:output:0")]
        graph = meta_graph([], functions=[function("f", {}, nodes, {})])
        assert only_finding(graph, is_module=False).level is Level.MEDIUM

    def test_one_that_only_reading_a_variable_runs_is_not_left_over(self) -> None:
        graph = meta_graph([constant("c", "/x"), node("op", "RestoreV2", "c")])
        variable = VariableDef(variable_name="w:0", snapshot_name="op:0")
        values = graph.collection_def["variables"].bytes_list.value
        values.append(variable.SerializeToString())
        assert only_finding(graph).level is Level.HIGH

    def test_one_that_is_left_over_is_no_reason_to_worry(self) -> None:
        graph = self.graph()
        graph.ClearField("saver_def")
        assert {f.level for f in audit_of(graph).findings} == {Level.LOW}


class TestAssets:
    """The constants that are assets are replaced by the loader, but not by every loader."""

    def graph(self, **arguments: Any) -> MetaGraphDef:
        nodes = [constant("c", "/home/author/v.txt"), node("op", "ReadFile", "c")]
        return meta_graph([*nodes, node("y", "NoOp", "^op")], assets={"c:0": "v.txt"}, **arguments)

    def test_in_a_module(self) -> None:
        assert audit_of(self.graph(outputs={"default": "y"})).findings == ()

    def test_in_the_initialiser_of_a_saved_model(self) -> None:
        graph = self.graph(collections={"saved_model_main_op": ["y"]})
        assert audit_of(graph, is_module=False).findings == ()

    def test_in_a_signature_of_a_saved_model(self) -> None:
        graph = self.graph(outputs={"default": "y"})
        assert only_finding(graph, is_module=False).level is Level.HIGH

    def test_outside_of_the_assets(self) -> None:
        graph = run_by_signature(
            constant("c", ""), node("op", "ReadFile", "c"), assets={"c:0": "../../etc/passwd"}
        )
        found = audit_of(graph)
        assert [f.names for f in found.findings] == [
            (Name(Source.CONSTANT, "/m/assets/../../etc/passwd"),)
        ]
        assert found.damage == (
            "The file name '../../etc/passwd' of an asset points outside of assets/; the module "
            "is damaged or hostile.",
        )

    def test_that_cannot_be_read(self) -> None:
        graph = harmless_graph()
        entries = graph.collection_def["saved_model_assets"].any_list.value
        entries.add(value=b"\xff damaged")
        assert audit_of(graph).damage == ("An entry of the collection of assets cannot be read.",)


class TestLinks:
    def module(self, tmp_path: pathlib.Path) -> MetaGraphDef:
        """A graph that reads the asset v.txt of the module in a directory."""
        (tmp_path / "assets").mkdir()
        nodes = [constant("c", ""), node("op", "ReadFile", "c")]
        return run_by_signature(*nodes, assets={"c:0": "v.txt"})

    def test_an_asset_that_is_a_link_to_another_file(self, tmp_path: pathlib.Path) -> None:
        (tmp_path / "m").mkdir()
        graph = self.module(tmp_path / "m")
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "m" / "assets" / "v.txt").symlink_to("../../secret")
        finding = only_finding(graph, directory=str(tmp_path / "m"))
        target = str((tmp_path / "secret").resolve())
        assert finding.names == (Name(Source.CONSTANT, target),)
        assert finding.level is Level.HIGH
        assert finding.note == f"'assets/v.txt' is a link to '{target}'"

    def test_a_link_to_a_file_of_the_module(self, tmp_path: pathlib.Path) -> None:
        graph = self.module(tmp_path)
        (tmp_path / "assets" / "other.txt").write_text("words")
        (tmp_path / "assets" / "v.txt").symlink_to("other.txt")
        assert audit_of(graph, directory=str(tmp_path)).findings == ()

    def test_a_link_beside_the_prefix_of_a_checkpoint(self, tmp_path: pathlib.Path) -> None:
        (tmp_path / "m" / "assets").mkdir(parents=True)
        (tmp_path / "m" / "assets" / "ck.index").symlink_to("../../secret.index")
        nodes = [constant("c", ""), node("op", "RestoreV2", "c")]
        graph = run_by_signature(*nodes, assets={"c:0": "ck"})
        finding = only_finding(graph, directory=str(tmp_path / "m"))
        target = str((tmp_path / "secret.index").resolve())
        assert (finding.level, finding.names) == (Level.HIGH, (Name(Source.CONSTANT, target),))

    def test_a_link_that_a_pattern_in_the_module_matches(self, tmp_path: pathlib.Path) -> None:
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "link").symlink_to("/etc")
        nodes = [constant("c", f"{tmp_path}/m/[l]ink/passwd"), node("op", "MatchingFiles", "c")]
        assert level_of(*nodes, directory=str(tmp_path / "m")) == "high"

    def test_a_link_in_a_folder_that_is_an_asset(self, tmp_path: pathlib.Path) -> None:
        (tmp_path / "m" / "assets" / "db").mkdir(parents=True)
        (tmp_path / "m" / "assets" / "db" / "data.mdb").symlink_to("/etc/passwd")
        nodes = [constant("c", ""), node("op", "LMDBDataset", "c")]
        graph = run_by_signature(*nodes, assets={"c:0": "db"})
        assert only_finding(graph, directory=str(tmp_path / "m")).level is Level.HIGH


class TestEmptyNames:
    """Many ops take an empty name as the prefix of files in the current directory."""

    @pytest.mark.parametrize(
        ("op", "attributes"),
        [
            ("SaveV2", {}),
            ("RestoreV2", {}),
            ("CreateSummaryFileWriter", {}),
            ("SnapshotDataset", {}),
            ("SnapshotDatasetV2", {}),
            ("SaveDatasetV2", {}),
            ("LoadDataset", {}),
            ("DumpTensor", {"log_dir_path": "", "file_name": ""}),
            ("DumpTensor", {"log_dir_path": "", "file_name": "x"}),
        ],
    )
    def test_that_are_files(self, op: str, attributes: dict[str, str]) -> None:
        op_def = _tf.find_op_def(op)
        assert op_def is not None
        inputs = ["c" for _ in op_def.input_arg]
        graph = run_by_signature(constant("c", ""), node("op", op, *inputs, **attributes))
        names = only_finding(graph).names
        assert Name(Source.CONSTANT, "") in names

    def test_beside_a_name_that_is_none(self) -> None:
        snapshot = node("op", "SnapshotDataset", "c", "c", snapshot_name="/../x")
        names = only_finding(run_by_signature(constant("c", ""), snapshot)).names
        assert names == (Name(Source.CONSTANT, ""), Name(Source.CONSTANT, "/../x"))

    @pytest.mark.parametrize("op", ["ReadFile", "MatchingFiles", "WriteFile", "TFRecordDataset"])
    def test_that_are_no_files(self, op: str) -> None:
        assert level_of(constant("c", ""), node("op", op, "c", "c")) is None

    def test_of_a_stream(self) -> None:
        assert level_of(constant("c", "t"), node("op", "PrintV2", "c", output_stream="")) is None

    def test_no_addresses(self) -> None:
        debug = node("op", "DebugIdentityV2", "c", debug_urls=[])
        assert level_of(constant("c", "t"), debug) is None


class TestConstantsOfObjects:
    """The loader of TF2 reads the attribute `value` of the node that an object names."""

    def graph(self, *nodes: NodeDef) -> MetaGraphDef:
        """A graph with a function that reads the file that the constant "c" names."""
        read = node("read", "ReadFile", "a")
        graph = meta_graph(nodes, functions=[function("f", {"a": tf.string}, [read], {"y": "a"})])
        objects = graph.object_graph_def
        objects.nodes.add().constant.operation = "c"
        objects.concrete_functions["f"].bound_inputs.append(0)
        return graph

    def test_the_value_is_read_whatever_the_op_is(self) -> None:
        nodes = [constant("empty", ""), node("c", "Identity", "empty")]
        nodes[1].attr["value"].CopyFrom(constant("v", "/etc/passwd").attr["value"])
        read, odd = audit_of(self.graph(*nodes), is_module=False).findings
        assert (read.op, read.names) == ("ReadFile", (Name(Source.CONSTANT, "/etc/passwd"),))
        assert (odd.op, odd.node, odd.risk, odd.level) == (
            *("Identity", "c", Risk.UNKNOWN, Level.MEDIUM),
        )

    def test_an_asset_with_the_same_node_changes_nothing(self) -> None:
        graph = self.graph(constant("c", "/etc/passwd"))
        graph.asset_file_def.add(filename="v.txt").tensor_info.name = "c:0"
        assert only_finding(graph, is_module=False).names == (Name(Source.CONSTANT, "/etc/passwd"),)


class TestEqualNames:
    """TensorFlow refuses them, but a reader that does not may take another one than the audit."""

    def test_of_nodes(self) -> None:
        nodes = [constant("c", "/x"), constant("c", ""), node("op", "ReadFile", "c")]
        assert audit_of(run_by_signature(*nodes)).damage == (
            "Several nodes of the graph have the same name.",
        )

    def test_of_functions(self) -> None:
        functions = [function("f", {}, [], {}), function("f", {}, [], {})]
        assert audit_of(meta_graph([], functions=functions)).damage == (
            "Several functions have the same name.",
        )


def test_a_function_with_the_name_of_an_op_hides_nothing() -> None:
    functions = [function("ReadFile", {"a": tf.string}, [], {"y": "a"})]
    nodes = [constant("c", "/etc/passwd"), node("op", "ReadFile", "c")]
    assert only_finding(run_by_signature(*nodes, functions=functions)).level is Level.HIGH


def test_a_stream_that_the_caller_of_the_function_names() -> None:
    printing = node("print", "PrintV2", "a")
    printing.attr["output_stream"].placeholder = "stream"
    body = function("f", {"a": tf.string}, [printing], {"y": "a"})
    call = node("op", "PartitionedCall", "c", Tin=[tf.string], Tout=[tf.string], f="@f")
    finding = only_finding(run_by_signature(constant("c", ""), call, functions=[body]))
    assert (finding.risk, finding.level) == (Risk.WRITES_FILES, Level.MEDIUM)


def mutated(content: bytes, changes: list[tuple[int, int]]) -> bytes:
    """A content with some bytes changed."""
    changed = bytearray(content)
    for position, value in changes:
        changed[position % len(changed)] = value
    return bytes(changed)


ALL_HOSTILE = saved_model(
    *(graph for hostile in HOSTILE[::7] for graph in hostile.meta_graphs())
).SerializeToString()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 1 << 24), st.integers(0, 255)), min_size=1, max_size=40))
def test_damaged_messages_are_audited(changes: list[tuple[int, int]]) -> None:
    try:
        message = saved_model_pb2.SavedModel.FromString(mutated(ALL_HOSTILE, changes))
    except DecodeError:
        return
    for finding in audit(message, "/m", is_module=True).findings:
        assert texts.describe(finding).isprintable()


NAMES = st.sampled_from(["a", "b", "c", "f", "g", "a:0", "^b", "a:x:1", "", "a:-1", "::", "a:99"])
_OPS = """
Const ReadFile StringJoin Identity IdentityN If While MapDataset StatefulPartitionedCall f g
FlatMapDataset TensorSliceDataset WholeFileReaderV2 ReaderReadV2 QueueEnqueueV2 VarHandleOp
ReadVariableOp AssignVariableOp ShardedFilename SaveV2 Pack DatasetToSingleElement Nope
"""
OPS = st.sampled_from(_OPS.split())
ATTRIBUTES = st.sampled_from(
    [
        "f",
        "body",
        "cond",
        "then_branch",
        "value",
        "N",
        "Tin",
        "separator",
        "filename",
        "output_types",
    ]
)
VALUES = st.sampled_from(["@f", "@g", "text", 0, -1, 1 << 62, [tf.string], ["@f", "@g"], []])
NODES = st.lists(
    st.builds(
        lambda name, op, inputs, attributes: node(name, op, *inputs, **attributes),
        NAMES,
        OPS,
        st.lists(NAMES, max_size=4),
        st.dictionaries(ATTRIBUTES, VALUES, max_size=3),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(NODES, NODES, NODES, NAMES)
def test_any_graph_is_audited(
    nodes: list[NodeDef], f: list[NodeDef], g: list[NodeDef], reference: str
) -> None:
    functions = [
        function("f", {"a": tf.string, "b": tf.string}, f, {"y": reference}),
        function("g", {"c": tf.string}, g, {"y": reference, "z": "a"}),
    ]
    graph = meta_graph(nodes, {"x": reference}, {"default": "a:0"}, functions, assets={"b:0": "v"})
    graph.saver_def.filename_tensor_name = reference
    graph.object_graph_def.nodes.add().asset.asset_file_def_index = 3
    graph.object_graph_def.concrete_functions["f"].bound_inputs.extend([0, 9])
    found = audit_of(graph, is_module=False)
    assert found.nodes == len(nodes) + len(f) + len(g)


@pytest.mark.parametrize("size", [200, 400])
def test_the_work_grows_with_the_graph_not_faster(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Looks into the registry once per op type, however many nodes and findings there are."""
    asked: list[str] = []
    real = _tf.find_op_def
    monkeypatch.setattr(_tf, "find_op_def", lambda op: asked.append(op) or real(op))
    nodes = [node(f"n{i}", "Identity", f"n{i - 1}") for i in range(1, size)]
    found = audit_of(meta_graph([placeholder("n0"), *nodes], {}, {"default": f"n{size - 1}:0"}))
    assert found.findings == ()
    assert len(asked) <= 2


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
