"""Tests of hubmodule.auditing.policy: what HUBMODULE_AUDIT does where modules are loaded."""

from __future__ import annotations

import contextlib
import logging
import pathlib
import pickle
import shutil
import sys
from collections.abc import Callable

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule import _tf
from hubmodule.auditing import policy
from hubmodule.auditing.ops import RISKY_OPS
from hubmodule.auditing.policy import check_policy
from hubmodule.errors import ModuleFormatError, ModuleRefusedError
from hubmodule.tf2.convert import convert
from tests.auditing.hostile import PATH, Hostile, Naming, Place, harmless_graph
from tests.auditing.protos import constant, meta_graph, node, write_module


@pytest.fixture
def hostile(tmp_path: pathlib.Path) -> str:
    """A module whose default signature reads a foreign file."""
    graphs = Hostile(RISKY_OPS["ReadFile"], Naming.CONSTANT, Place.SIGNATURE).meta_graphs()
    return write_module(tmp_path / "hostile", *graphs)


@pytest.fixture
def harmless(tmp_path: pathlib.Path) -> str:
    return write_module(tmp_path / "harmless", harmless_graph())


def in_graph(path: str) -> None:
    with tf.Graph().as_default():
        hub.Module(path)


def from_saved_model(path: str) -> None:
    pathlib.Path(path, "tfhub_module.pb").unlink()
    hub.create_module_spec_from_saved_model(path)


def plain_load(path: str) -> None:
    pathlib.Path(path, "tfhub_module.pb").unlink()
    hub.load(path)


def evaluated(path: str) -> None:
    with hub.eval_function_for_module(path):
        pass


def from_archive(path: str) -> None:
    hub.load(shutil.make_archive(path, "gztar", path))


def converted(path: str) -> None:
    convert(path, f"{path}-converted")


WAYS = {
    "load_module_spec": hub.load_module_spec,
    "Module": in_graph,
    "create_module_spec_from_saved_model": from_saved_model,
    "eval_function_for_module": evaluated,
    "load": hub.load,
    "load of an archive": from_archive,
    "load of a SavedModel": plain_load,
    "KerasLayer": lambda path: hub.KerasLayer(path),
    "convert": converted,
    "text_embedding_column": lambda path: hub.text_embedding_column("t", path),
    "text_embedding_column_v2": lambda path: hub.text_embedding_column_v2("t", path),
    "sparse_text_embedding_column": lambda path: hub.sparse_text_embedding_column(
        "t", path, "mean", ""
    ),
    "image_embedding_column": lambda path: hub.image_embedding_column("i", path),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_refuse_refuses_before_anything_is_imported(
    way: Callable[[str], object], hostile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def imports(*_: object, **__: object) -> None:
        raise AssertionError("A graph was imported.")

    monkeypatch.setenv("TFHUB_CACHE_DIR", f"{hostile}-cache")
    monkeypatch.setattr(_tf, "import_graph_def", imports)
    monkeypatch.setattr(tf, "import_graph_def", imports)
    monkeypatch.setattr(tf.saved_model, "load", imports)
    monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
    with pytest.raises(ModuleRefusedError, match=PATH):
        way(hostile)


@pytest.mark.parametrize(("policy", "runs"), [("off", True), ("warn", True), ("refuse", False)])
def test_no_initialiser_of_a_refused_module_runs(
    policy: str, runs: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "written"
    nodes = [
        constant("path", str(written)),
        constant("text", "text"),
        node("init", "WriteFile", "path", "text"),
        constant("y", "text"),
    ]
    graph = meta_graph(nodes, {}, {"default": "y:0"}, collections={"legacy_init_op": ["init"]})
    graph.meta_info_def.tags.append("serve")
    path = write_module(tmp_path / "m", graph)
    (tmp_path / "m" / "tfhub_module.pb").unlink()
    monkeypatch.setenv("HUBMODULE_AUDIT", policy)
    with contextlib.suppress(ModuleRefusedError):
        hub.load(path)
    assert written.exists() is runs


def test_the_error_lists_the_findings_and_the_next_step(
    hostile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
    with pytest.raises(PermissionError) as caught:
        hub.load_module_spec(hostile)
    assert str(caught.value) == (
        f"{hostile} is not loaded, because it can do more than compute, and HUBMODULE_AUDIT is "
        "refuse:\n"
        f"    high: ReadFile reads files: '{PATH}' (node 'risky' in the variant without tags; "
        "run by signature 'default')\n"
        f"To see what each op does: python -m hubmodule audit '{hostile}'. If you trust the "
        "module, load it with HUBMODULE_AUDIT=warn."
    )


@pytest.mark.parametrize("policy", ["off", "warn", "refuse"])
def test_a_module_that_computes_is_loaded(
    policy: str, harmless: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HUBMODULE_AUDIT", policy)
    assert hub.load_module_spec(harmless).get_signature_names() == ["default"]
    assert caplog.records == []


def test_warn_warns_and_loads(
    hostile: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HUBMODULE_AUDIT", "warn")
    with caplog.at_level(logging.WARNING, "hubmodule"):
        assert hub.load_module_spec(hostile).get_signature_names() == ["default"]
    (record,) = caplog.records
    assert f"{hostile} can do more than compute:\n    high: ReadFile" in record.getMessage()


@pytest.mark.parametrize("policy", [None, "off"])
def test_off_reads_nothing(policy: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBMODULE_AUDIT", raising=False)
    if policy:
        monkeypatch.setenv("HUBMODULE_AUDIT", policy)
    check_policy("/no/such/directory")


class TestSpecsThatWereReadBefore:
    """A spec may be read, or unpickled, before HUBMODULE_AUDIT is set."""

    @pytest.fixture
    def spec(self, hostile: str, monkeypatch: pytest.MonkeyPatch) -> hub.ModuleSpec:
        monkeypatch.delenv("HUBMODULE_AUDIT", raising=False)
        return hub.load_module_spec(hostile)

    def make_module(self, spec: hub.ModuleSpec) -> None:
        with tf.Graph().as_default():
            hub.Module(spec)

    def test_are_refused(self, spec: hub.ModuleSpec, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
        for _ in range(2):
            with pytest.raises(ModuleRefusedError, match=PATH):
                self.make_module(spec)
        with pytest.raises(ModuleRefusedError, match=PATH):
            hub.text_embedding_column("t", spec)

    def test_are_refused_after_they_are_unpickled(
        self, spec: hub.ModuleSpec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
        with pytest.raises(ModuleRefusedError, match=PATH):
            self.make_module(pickle.loads(pickle.dumps(spec)))

    def test_are_refused_if_they_were_a_saved_model(
        self, hostile: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pathlib.Path(hostile, "tfhub_module.pb").unlink()
        spec = hub.create_module_spec_from_saved_model(hostile)
        monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
        with pytest.raises(ModuleRefusedError, match=PATH):
            self.make_module(spec)

    def test_are_warned_of_once(
        self,
        spec: hub.ModuleSpec,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setenv("HUBMODULE_AUDIT", "warn")
        for _ in range(2):
            self.make_module(spec)
        assert len(caplog.records) == 1

    def test_are_not_audited_again(self, harmless: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
        spec = hub.load_module_spec(harmless)
        monkeypatch.setattr(policy, "_audit", lambda *_, **__: ["audited again"])
        self.make_module(spec)
        monkeypatch.setenv("HUBMODULE_AUDIT", "warn")
        self.make_module(spec)

    def test_may_read_their_assets_in_a_relative_directory(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        golden = pathlib.Path(__file__).parents[1] / "golden" / "made_by_tf215" / "vocabulary"
        monkeypatch.chdir(golden.parent)
        monkeypatch.delenv("HUBMODULE_AUDIT", raising=False)
        spec = hub.load_module_spec("vocabulary")
        monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
        self.make_module(spec)

    def test_are_not_audited_if_the_program_made_them(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def read_file() -> None:
            hub.add_signature(outputs=tf.io.read_file(PATH))

        spec = hub.create_module_spec(read_file)
        monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
        self.make_module(spec)


def test_low_findings_do_not_matter(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    graphs = Hostile(RISKY_OPS["PrintV2"], Naming.CONSTANT, Place.SIGNATURE).meta_graphs()
    monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
    check_policy(write_module(tmp_path / "m", *graphs))
    assert caplog.records == []


def test_damage_that_may_hide_findings_is_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = harmless_graph()
    graph.collection_def["saved_model_assets"].any_list.value.add(value=b"\xff")
    monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
    with pytest.raises(ModuleRefusedError, match="An entry of the collection of assets"):
        check_policy(write_module(tmp_path / "m", graph))


def test_a_file_that_cannot_be_read_is_an_error(
    harmless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pathlib.Path(harmless, "saved_model.pb").write_bytes(b"\xff\xff")
    monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
    with pytest.raises(ModuleFormatError, match="is damaged"):
        check_policy(harmless)


def test_many_findings_are_counted(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = Hostile(RISKY_OPS["ReadFile"], Naming.CONSTANT, Place.SIGNATURE)
    graphs = [graph for _ in range(13) for graph in hostile.meta_graphs()]
    monkeypatch.setenv("HUBMODULE_AUDIT", "refuse")
    with pytest.raises(ModuleRefusedError, match="\n    and 3 more\n"):
        check_policy(write_module(tmp_path / "m", *graphs))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
