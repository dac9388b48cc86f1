"""Tests of hubmodule.commands.convert."""

from __future__ import annotations

import pathlib
import re
import shutil
import sys
import threading

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import hubmodule as hub
from hubmodule.commands import convert
from tests.commands.running import Result
from tests.module.graphs import exported

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
DENSE = str(GOLDEN / "made_by_tf215" / "dense_regularized")


def test_convert(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    arguments = ["convert", DENSE, out, "--to", "serving"]
    result = Result(capsys, *arguments)
    assert (result.status, result.out) == (0, f"Wrote {out}\n")
    assert (tmp_path / "out" / "saved_model.pb").is_file()
    refused = Result(capsys, *arguments)
    assert (refused.status, refused.out) == (1, "")
    assert f"{out} exists already" in refused.err
    assert "pass --overwrite to replace" in refused.err
    assert Result(capsys, *arguments, "--overwrite").status == 0


def test_convert_to_where_nothing_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    refused = Result(capsys, "convert", DENSE, "/dev/null/out")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("hubmodule: error: /dev/null")


def test_packages_are_imported_first(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("first_package", "second_package"):
        (tmp_path / f"{name}.py").write_text("")
        monkeypatch.delitem(sys.modules, name, raising=False)
    options = ["--import", "first_package", "--import", "second_package"]
    assert Result(capsys, "convert", DENSE, str(tmp_path / "out"), *options).status == 0
    assert {"first_package", "second_package"} <= sys.modules.keys()


def test_a_package_that_cannot_be_imported(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    refused = Result(capsys, "convert", DENSE, str(out), "--import", "absent_package")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("hubmodule: error: --import absent_package failed: No module")
    assert not out.exists()


@pytest.mark.parametrize("package", ["", "./ops"])
def test_what_is_not_the_name_of_a_package(
    package: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = Result(capsys, "convert", DENSE, str(tmp_path / "out"), "--import", package)
    assert refused.status == 1
    assert refused.err.startswith(f"hubmodule: error: --import {package} failed: ")


def test_files_that_are_not_of_the_model_stay(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (out / "notes").mkdir(parents=True)
    (out / "notes" / "mine").write_text("mine")
    for _ in range(2):
        assert Result(capsys, "convert", DENSE, str(out), "--overwrite").status == 0
        assert (out / "notes" / "mine").read_text() == "mine"
        assert tf.saved_model.contains_saved_model(str(out))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_unknown_ops_tell_how_to_import(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = shutil.copytree(DENSE, tmp_path / "m")
    proto = SavedModel.FromString((module / "saved_model.pb").read_bytes())
    for node in proto.meta_graphs[0].graph_def.node:
        if node.op == "MatMul":
            node.op = "TFText>UnknownOfHubmoduleTests"
    (module / "saved_model.pb").write_bytes(proto.SerializeToString())
    refused = Result(capsys, "convert", str(module), str(tmp_path / "out"))
    assert refused.status == 1
    assert "import tensorflow_text before" in refused.err
    assert refused.err.endswith("add --import PACKAGE.\n")


def test_names_that_python_does_not_have_are_shown(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def module_fn() -> None:
        inputs = {name: tf.compat.v1.placeholder(tf.float32, []) for name in ("a$b", "c")}
        hub.add_signature(inputs=inputs, outputs=tf.add_n(list(inputs.values())))

    out = str(tmp_path / "out")
    result = Result(capsys, "convert", exported(tmp_path / "m", module_fn), out)
    assert result.status == 0
    assert result.out == (
        f"Wrote {out}\n"
        "In Python, inputs of signature 'default' are passed by these arguments:\n"
        "  a$b: a_b\n"
    )


def test_what_takes_long_shows_its_time_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = threading.Event()
    monkeypatch.setattr(sys.stderr, "flush", shown.set)
    with convert._show_time("Converting m", patience=0.01):
        assert shown.wait(60.0)
    assert re.fullmatch(r"(\rConverting m: \d+ s)+\r +\r", capsys.readouterr().err)


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_done_soon_shows_nothing(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with convert._show_time("Converting m", patience=60.0 if terminal else 0.0):
        pass
    assert capsys.readouterr().err == ""


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
