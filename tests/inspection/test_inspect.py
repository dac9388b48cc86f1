"""Tests of hubmodule.inspection.inspect."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

import hubmodule as hub
from hubmodule.errors import ModuleFormatError, NotAModuleError
from hubmodule.inspection import saved_model_file
from hubmodule.inspection.diff_report import write_diff_report
from hubmodule.inspection.facts import FindingFacts, ForeignOp, ModuleFormat
from hubmodule.inspection.html_page import write_html
from hubmodule.inspection.page_printer import write_plain
from hubmodule.inspection.report import write_report
from tests.auditing.protos import constant
from tests.inspection.modules import (
    ALL_GOLDEN,
    HOSTILE,
    add_asset,
    golden,
    meta_graph,
    write_module,
)


@pytest.mark.parametrize("path", ALL_GOLDEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_facts_agree_with_the_spec(path: Path) -> None:
    facts = hub.inspect(path)
    spec = hub.load_module_spec(str(path))
    assert facts.damage == ()
    assert facts.format is ModuleFormat.TF1_HUB
    assert {frozenset(v.tags) for v in facts.variants} == set(map(frozenset, spec.get_tags()))
    for variant in facts.variants:
        tags = set(variant.tags)
        names = spec.get_signature_names(tags)
        assert {signature.name for signature in variant.signatures} == set(names)
        for signature in variant.signatures:
            for infos, expected in (
                (signature.inputs, spec.get_input_info_dict(signature.name, tags)),
                (signature.outputs, spec.get_output_info_dict(signature.name, tags)),
            ):
                assert {info.name: info.dtype for info in infos} == {
                    name: info.dtype.name for name, info in expected.items()
                }
                assert {
                    info.name: tf.TensorShape(info.shape).as_list()
                    for info in infos
                    if info.shape is not None
                } == {
                    name: info.get_shape().as_list()
                    for name, info in expected.items()
                    if info.get_shape().rank is not None
                }


def test_sizes() -> None:
    path = Path(golden("vocabulary"))
    sizes = hub.inspect(path).sizes
    assert sizes.graph == (path / "saved_model.pb").stat().st_size
    assert sizes.variables == sum(f.stat().st_size for f in (path / "variables").iterdir())
    assert sizes.assets == (path / "assets" / "vocabulary.txt").stat().st_size


def test_who_wrote_it(tmp_path: Path) -> None:
    (theirs,) = hub.inspect(golden("image")).variants
    assert theirs.hubmodule_version is None
    spec = hub.load_module_spec(golden("image"))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(spec)
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(str(tmp_path / "m"), session)
    (ours,) = hub.inspect(tmp_path / "m").variants
    assert ours.hubmodule_version == hub.__version__
    # The graph is still the one that this TensorFlow made.
    assert ours.tensorflow_version == theirs.tensorflow_version


def test_training() -> None:
    train = hub.inspect(golden("batch_norm")).variants[1]
    assert train.tags == ("train",)
    assert len(train.update_ops) == 2
    (variant,) = hub.inspect(golden("dense_regularized")).variants
    assert len(variant.regularization_losses) == 2


def test_no_graph_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a graph is imported")

    for name in ("import_graph_def", "import_meta_graph"):
        monkeypatch.setattr(tf.compat.v1, name, refuse, raising=False)
    monkeypatch.setattr("hubmodule._tf.import_graph_def", refuse)
    monkeypatch.setattr(tf.compat.v1, "Session", refuse)
    with tf.Graph().as_default() as graph:
        hub.inspect(golden("control_flow_v2"))
    assert graph.get_operations() == []


def test_a_plain_saved_model(tmp_path: Path) -> None:
    facts = hub.inspect(write_module(tmp_path, meta_graph({"serve"}), is_module=False))
    assert facts.format is ModuleFormat.TF1_SAVED_MODEL
    assert facts.common_signatures == ()


def test_ops_of_other_packages(tmp_path: Path) -> None:
    graph = meta_graph()
    graph.graph_def.node.add(name="a", op="TokenizerFromLogits")
    graph.graph_def.node.add(name="b", op="NoSuchOpAnywhere")
    facts = hub.inspect(write_module(tmp_path, graph))
    assert facts.foreign_ops == (
        ForeignOp("NoSuchOpAnywhere", None),
        ForeignOp("TokenizerFromLogits", "tensorflow_text"),
    )


def test_a_tf2_saved_model(tmp_path: Path) -> None:
    class Root(tf.Module):
        def __init__(self) -> None:
            self.weights = tf.Variable([[1.0], [2.0]], name="w")
            self.fixed = tf.Variable(3, trainable=False, name="fixed")

        @tf.function(input_signature=[tf.TensorSpec([None, 2], name="x")])
        def __call__(self, x):
            return x @ self.weights

    tf.saved_model.save(Root(), str(tmp_path / "m"))
    facts = hub.inspect(tmp_path / "m")
    assert (facts.format, facts.damage) == (ModuleFormat.TF2_SAVED_MODEL, ())
    assert [(v.name, v.dtype, v.shape, v.bytes, v.trainable_in) for v in facts.variables] == [
        ("fixed", "int32", (), 4, ()),
        ("w", "float32", (2, 1), 8, (("serve",),)),
    ]
    assert all(variable.digest for variable in facts.variables)
    (call,) = facts.calls
    assert (call.arguments, call.outputs) == ("x: float32 [?, 2]", "float32 [?, 1]")
    # Beside it, TensorFlow writes one for ops that run when the module is loaded.
    (variant,) = facts.variants
    assert [signature.name for signature in variant.signatures] == ["serving_default"]


def test_damage_is_told(tmp_path: Path) -> None:
    graph = meta_graph()
    add_asset(graph, "y:0", "../../secret")
    graph.collection_def["variables"].bytes_list.value.append(b"\xff")
    path = write_module(tmp_path, graph)
    (tmp_path / "tfhub_module.pb").write_bytes(b"\x08\x07\x12\x01z")
    (tmp_path / "assets" / "words.txt").unlink()
    damage = " ".join(hub.inspect(path).damage)
    for part in ("format 7", "['z']", "'../../secret'", "'words.txt' is missing", "'variables'"):
        assert part in damage


def test_a_directory_that_is_not_a_module(tmp_path: Path) -> None:
    with pytest.raises(NotAModuleError):
        hub.inspect(tmp_path)


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> bytes:
        raise tf.errors.PermissionDeniedError(None, None, f"{path}; Permission denied")

    monkeypatch.setattr("hubmodule.files.read_bytes", refuse)
    with pytest.raises(ModuleFormatError, match="Permission denied"):
        hub.inspect(golden("image"))


def test_a_file_without_graphs(tmp_path: Path) -> None:
    assert hub.inspect(write_module(tmp_path)).damage == ("The SavedModel has no graph variants.",)


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The saved_model.pb of modules by their directories; one is of TF2."""

    class Root(tf.Module):
        def __init__(self) -> None:
            self.weights = tf.Variable([[1.0], [2.0]], name="w")

        @tf.function(input_signature=[{"a": tf.RaggedTensorSpec([None, None], tf.float32)}])
        def __call__(self, inputs):
            return inputs["a"].to_tensor(shape=[None, 2]) @ self.weights

    objects = tmp_path_factory.mktemp("tf2")
    tf.saved_model.save(Root(), str(objects))
    names = ("batch_norm", "vocabulary", "ragged", "control_flow_v2")
    directories = [*map(golden, names), str(objects)]
    return {path: Path(path, "saved_model.pb").read_bytes() for path in directories}


@hypothesis.given(
    strategies.integers(0, 4),
    strategies.lists(
        strategies.tuples(strategies.floats(0, 1), strategies.integers(0, 255)), max_size=6
    ),
    strategies.floats(0, 1),
)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_a_damaged_file_gives_facts_and_never_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
    contents: dict[str, bytes],
    number: int,
    changes: list[tuple[float, int]],
    length: float,
) -> None:
    path, sound = list(contents.items())[number]
    content = bytearray(sound)
    for place, byte in changes:
        content[int(place * (len(content) - 1))] = byte
    damaged = saved_model_file.parse_binary(bytes(content[: round(length * len(content))]))
    with monkeypatch.context() as patch:
        patch.setattr("hubmodule.inspection.inspect.read_saved_model", lambda directory: damaged)
        facts = hub.inspect(path)
    assert len(str(facts.to_dict())) < 100 * len(content)
    assert write_html(facts)
    assert write_plain(write_report(facts))
    with monkeypatch.context() as patch:
        files = iter([saved_model_file.parse_binary(sound), damaged] * 2)
        for module in ("inspect", "diff"):
            patch.setattr(
                f"hubmodule.inspection.{module}.read_saved_model", lambda directory: next(files)
            )
        if facts.variants:
            assert write_plain(write_diff_report(hub.diff(path, path, weights=True)))
        else:
            with pytest.raises(ModuleFormatError, match="cannot be compared"):
                hub.diff(path, path, weights=True)


def test_findings_of_the_audit(tmp_path: Path) -> None:
    read = NodeDef(name="read", op="ReadFile", input=["path"])
    path = constant("path", "/etc/passwd")
    graph = MetaGraphDef(graph_def=GraphDef(node=[path, read, NodeDef(name="a", op="Assert")]))
    [finding] = hub.inspect(write_module(tmp_path, graph)).findings
    assert finding == FindingFacts(
        "medium", "ReadFile", "read", "Returns the whole content of a file. It uses '/etc/passwd'."
    )


def test_names_with_html_and_escape_sequences(tmp_path: Path) -> None:
    facts = hub.inspect(write_module(tmp_path, meta_graph(name=HOSTILE)))
    assert facts.variants[0].signatures[0].inputs[0].name == HOSTILE


def test_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    # Bazel gives a test links to its files.
    module = shutil.copytree(golden("image"), tmp_path / "image")
    archive = shutil.make_archive(str(tmp_path / "m"), "gztar", module)
    facts = hub.inspect(archive)
    assert facts.handle == archive
    assert facts.path.startswith(str(tmp_path / "cache"))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
