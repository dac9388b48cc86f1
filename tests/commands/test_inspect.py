"""Tests of hubmodule.commands.inspect."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys

import pytest

import hubmodule as hub
from tests.commands.running import Result

DENSE = str(pathlib.Path(__file__).parents[1] / "golden" / "made_by_tf215" / "dense_regularized")


@pytest.mark.parametrize("command", ["inspect", "show"])
def test_text(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pathlib.Path(DENSE).parent)  # A longer path would be broken into lines.
    result = Result(capsys, command, "dense_regularized")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("dense_regularized\n  format")
    assert "float32 [?, 3]" in result.out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "inspect", DENSE, "--json")
    assert json.loads(result.out) == hub.inspect(DENSE).to_dict()


def test_html(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.html"
    result = Result(capsys, "inspect", DENSE, "--html", str(path))
    assert (result.status, result.out, result.err) == (0, "", f"Wrote {path}\n")
    printed = Result(capsys, "inspect", DENSE, "--html", "-")
    assert (printed.status, printed.err) == (0, "")
    assert printed.out == path.read_text() + "\n"
    both = Result(capsys, "inspect", DENSE, "--html", "-", "--json")
    assert (both.status, both.out) == (2, "")
    assert both.err.startswith("hubmodule: error: --json and --html - both print.")


@pytest.mark.parametrize("option", ["--html", "--tensorboard"])
def test_an_empty_path_is_a_usage_error(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        Result(capsys, "inspect", DENSE, option, "")
    assert caught.value.code == 2
    assert f"argument {option}: the path is empty" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--html", "--tensorboard"])
def test_a_path_that_cannot_be_written(
    option: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "page.html"
    result = Result(capsys, "inspect", DENSE, option, str(path))
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"hubmodule: error: {path} cannot be written: ")


def test_a_damaged_module(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(DENSE, tmp_path / "m")
    file = tmp_path / "m" / "saved_model.pb"
    file.write_bytes(file.read_bytes()[:-1])
    result = Result(capsys, "inspect", str(tmp_path / "m"))
    assert (result.status, result.err) == (1, "")
    assert "Damaged\n  saved_model.pb is damaged" in result.out


def test_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "inspect", "/no/such/module")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("hubmodule: error: /no/such/module")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
