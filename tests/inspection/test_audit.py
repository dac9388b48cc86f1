"""Tests of hubmodule.inspection.audit."""

from __future__ import annotations

import itertools
import json
import pathlib
import subprocess
import sys

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies

import hubmodule as hub
from hubmodule.auditing.ops import RISKY_OPS
from hubmodule.auditing.risks import Level
from hubmodule.errors import HandleNotFoundError, ModuleFormatError, NotAModuleError
from hubmodule.inspection import saved_model_file
from hubmodule.inspection.audit import audit
from hubmodule.inspection.facts import ModuleFormat
from hubmodule.inspection.sarif import make_sarif
from hubmodule.resolver import resolvers
from tests.auditing.hostile import PATH, Hostile, Naming, Place, corpus, harmless_graph
from tests.auditing.protos import constant, meta_graph, node, saved_model, write_module

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "made_by_tf215"


@pytest.fixture
def hostile(tmp_path: pathlib.Path) -> str:
    """A module with a variant that reads a foreign file in training."""
    graphs = Hostile(RISKY_OPS["ReadFile"], Naming.CONSTANT, Place.VARIANT).meta_graphs()
    return write_module(tmp_path / "hostile", *graphs)


def test_it_is_public() -> None:
    assert hub.audit is audit


def test_the_repr_counts_the_findings(hostile: str) -> None:
    assert repr(audit(hostile)).endswith(" graphs, findings: 1 high>")


def test_the_report_as_json(hostile: str) -> None:
    report = audit(hostile)
    assert json.loads(json.dumps(report.to_dict())) == {
        "schema": 1,
        "handle": hostile,
        "path": hostile,
        "format": "TF1 Hub format",
        "graphs": 2,
        "functions": 1,
        "nodes": 6,
        "findings": [
            {
                "level": "high",
                "class": "reads-files",
                "op": "ReadFile",
                "node": "risky",
                "function": None,
                "tags": ["train"],
                "reached_from": ["signature 'default'"],
                "names": [{"source": "constant", "value": PATH}],
                "reason": "Returns the whole content of a file.",
                "note": None,
                "package": None,
            }
        ],
        "damage": [],
    }


def test_findings_by_level(hostile: str) -> None:
    report = audit(hostile)
    assert [len(report.at_least(level)) for level in Level] == [1, 1, 1]


def test_a_handle_may_be_a_path_object(hostile: str) -> None:
    assert audit(pathlib.Path(hostile)).handle == hostile


def test_the_report_hides_the_secrets_of_an_address(
    hostile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolvers, "resolve", lambda handle: hostile)
    report = hub.audit("https://user:SECRET@h/m.tar.gz?X-Amz-Signature=SECRET")
    assert report.handle == "https://h/m.tar.gz"
    assert "SECRET" not in json.dumps(report.to_dict())


def test_a_module_with_an_asset() -> None:
    report = audit(str(GOLDEN / "vocabulary"))
    assert (report.format, report.findings, report.damage) == ("TF1 Hub format", (), ())


def test_text_is_read_as_well(tmp_path: pathlib.Path) -> None:
    (tmp_path / "saved_model.pbtxt").write_text(
        'meta_graphs { graph_def { node { name: "a" op: "Abort" } } }'
    )
    report = audit(str(tmp_path))
    assert (report.format, [f.op for f in report.findings]) == ("TF1 SavedModel", ["Abort"])


def test_the_format_is_that_of_inspect(tmp_path: pathlib.Path) -> None:
    graph, tf2_graph = harmless_graph(), harmless_graph()
    tf2_graph.object_graph_def.nodes.add()
    paths = [
        write_module(tmp_path / "module", graph),
        write_module(tmp_path / "plain", graph),
        write_module(tmp_path / "tf2", tf2_graph),
    ]
    for name in ("plain", "tf2"):
        (tmp_path / name / "tfhub_module.pb").unlink()
    assert [audit(path).format for path in paths] == list(ModuleFormat)
    assert [hub.inspect(path).format for path in paths] == list(ModuleFormat)


class TestTf2:
    """SavedModels that this TensorFlow writes, with assets in tables and in functions."""

    @pytest.fixture(scope="class")
    def path(self, tmp_path_factory: pytest.TempPathFactory) -> str:
        folder = tmp_path_factory.mktemp("tf2")
        words = folder / "words.txt"
        words.write_text("a\nb\n")

        class Lookup(tf.Module):
            def __init__(self) -> None:
                super().__init__()
                initializer = tf.lookup.TextFileInitializer(
                    str(words),
                    tf.string,
                    tf.lookup.TextFileIndex.WHOLE_LINE,
                    tf.int64,
                    tf.lookup.TextFileIndex.LINE_NUMBER,
                )
                self.table = tf.lookup.StaticHashTable(initializer, -1)
                self.asset = tf.saved_model.Asset(str(words))
                self.weight = tf.Variable(1.0)

            @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
            def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
                return {
                    "ids": self.table.lookup(texts),
                    "words": tf.io.read_file(self.asset.asset_path),
                    "weight": self.weight,
                }

        module = Lookup()
        tf.saved_model.save(module, str(folder / "m"), module.__call__)
        return str(folder / "m")

    def test_its_assets_are_expected(self, path: str) -> None:
        report = audit(path)
        assert (report.format, report.findings) == ("TF2 SavedModel", ())

    def test_they_are_expected_after_another_save(self, path: str, tmp_path: pathlib.Path) -> None:
        loaded = tf.saved_model.load(path)
        tf.saved_model.save(loaded, str(tmp_path / "m"), loaded.signatures)
        assert audit(str(tmp_path / "m")).findings == ()

    def test_a_file_that_a_caller_names_is_not(self, tmp_path: pathlib.Path) -> None:
        module = tf.Module()
        module.read = tf.function(
            tf.io.read_file, input_signature=[tf.TensorSpec([], tf.string, name="path")]
        )
        tf.saved_model.save(module, str(tmp_path / "m"))
        (finding,) = audit(str(tmp_path / "m")).findings
        assert finding.level is Level.MEDIUM
        assert "method 'read'" in finding.reached_from
        assert {name.source.value for name in finding.names} == {"fed"}


def test_a_module_that_this_package_writes_is_clean(tmp_path: pathlib.Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("a\nb\n")

    def inner() -> None:
        texts = tf.compat.v1.placeholder(tf.string, [None])
        table = tf.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer(
                str(words),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            1,
        )
        weights = tf.compat.v1.get_variable("w", [3, 2])
        hub.add_signature(inputs=texts, outputs=tf.gather(weights, table.lookup(texts)))

    def outer() -> None:
        texts = tf.compat.v1.placeholder(tf.string, [None])
        hub.add_signature(inputs=texts, outputs=hub.Module(str(tmp_path / "inner"))(texts))

    for name, module_fn in (("inner", inner), ("outer", outer)):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            module = hub.Module(hub.create_module_spec(module_fn))
            session.run(tf.compat.v1.global_variables_initializer())
            module.export(str(tmp_path / name), session)
        assert audit(str(tmp_path / name)).findings == ()


class TestDamage:
    def test_no_such_path(self) -> None:
        with pytest.raises(HandleNotFoundError):
            audit("/no/such/module")

    def test_something_else(self, tmp_path: pathlib.Path) -> None:
        with pytest.raises(NotAModuleError):
            audit(str(tmp_path))

    @pytest.mark.parametrize("content", [b"\xff\xff", b"\x12\x7f\x01"])
    def test_a_graph_that_cannot_be_read(self, hostile: str, content: bytes) -> None:
        pathlib.Path(hostile, "saved_model.pb").write_bytes(content)
        report = audit(hostile)
        assert (report.findings, report.nodes) == ((), 0)
        assert report.damage[0].startswith("saved_model.pb is damaged: ")

    def test_a_graph_that_is_cut_off(self, hostile: str) -> None:
        path = pathlib.Path(hostile, "saved_model.pb")
        more = saved_model(harmless_graph()).SerializeToString()
        path.write_bytes(path.read_bytes() + more[:-5])
        report = audit(hostile)
        assert [finding.op for finding in report.findings] == ["ReadFile"]
        assert any("it ends within meta_graphs" in damage for damage in report.damage)

    def test_a_directory_in_place_of_the_graph(self, tmp_path: pathlib.Path) -> None:
        (tmp_path / "saved_model.pb").mkdir()
        with pytest.raises(ModuleFormatError, match="cannot be read"):
            audit(str(tmp_path))

    def test_no_graphs(self, tmp_path: pathlib.Path) -> None:
        report = audit(write_module(tmp_path / "m"))
        assert report.damage == ("The SavedModel has no graphs.",)

    def test_an_unknown_format(self, hostile: str) -> None:
        pathlib.Path(hostile, "tfhub_module.pb").write_bytes(b"\x08\x09")
        report = audit(hostile)
        assert len(report.findings) == 1
        assert "has format 9" in report.damage[0]


HOSTILE = saved_model(
    *(graph for one in itertools.islice(corpus(), 0, None, 20) for graph in one.meta_graphs())
).SerializeToString()


@hypothesis.given(
    strategies.lists(
        strategies.tuples(strategies.floats(0, 1), strategies.integers(0, 255)), max_size=6
    ),
    strategies.floats(0, 1),
)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_a_damaged_file_gives_a_report_of_its_size_and_never_a_traceback(
    monkeypatch: pytest.MonkeyPatch, changes: list[tuple[float, int]], length: float
) -> None:
    content = bytearray(HOSTILE)
    for place, byte in changes:
        content[int(place * (len(content) - 1))] = byte
    damaged = saved_model_file.parse_binary(bytes(content[: round(length * len(content))]))
    monkeypatch.setattr("hubmodule.inspection.audit.read_saved_model", lambda path: damaged)
    report = audit(GOLDEN / "vocabulary")
    assert set(damaged.damage) <= set(report.damage)
    assert len(json.dumps(make_sarif(report))) < 10_000 + 20 * len(content)


def test_nothing_is_imported_and_no_op_runs(tmp_path: pathlib.Path) -> None:
    written = tmp_path / "written"
    nodes = [
        constant("path", str(written)),
        constant("text", "owned"),
        node("op", "WriteFile", "path", "text"),
        node("library", "NoSuchOp"),
        node("y", "NoOp", "^op", "^library"),
    ]
    graph = meta_graph(nodes, {}, {"default": "y:0"})
    path = write_module(tmp_path / "m", harmless_graph(), graph)
    program = f"""
import tensorflow as tf
def fail(*arguments, **more): raise AssertionError("imported")
tf.import_graph_def = tf.load_op_library = tf.saved_model.load = tf.compat.v1.Session = fail
import hubmodule as hub
print(len(hub.audit({path!r}).findings))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parents[2],
    )
    assert run.stdout == "2\n", run.stderr[-2000:]
    assert not written.exists()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
