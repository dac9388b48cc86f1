"""Tests of hubmodule.commands.diff."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys

import pytest

import hubmodule as hub
from tests.commands.running import Result

DENSE = str(pathlib.Path(__file__).parents[1] / "golden" / "made_by_tf215" / "dense_regularized")


@pytest.fixture
def other(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy without its asset folder, and with another data file."""
    shutil.copytree(DENSE, tmp_path / "m")
    (tmp_path / "m" / "assets").mkdir()
    (tmp_path / "m" / "assets" / "new.txt").write_text("new")
    return tmp_path / "m"


def test_equal(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "diff", DENSE, DENSE, "--weights")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("The modules are equal\n")


def test_different(other: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "diff", DENSE, str(other))
    assert (result.status, result.err) == (1, "")
    assert "Assets\n  + new.txt\n" in result.out


def test_json(other: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "diff", DENSE, str(other), "--json")
    assert result.status == 1
    assert json.loads(result.out) == hub.diff(DENSE, other).to_dict()


def test_failed(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "diff", DENSE, "/no/such/module")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("hubmodule: error: /no/such/module")


@pytest.mark.parametrize("content", [b"\xff\xff", b""])
def test_a_module_of_which_nothing_can_be_read(
    content: bytes, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(DENSE, tmp_path / "m")
    (tmp_path / "m" / "saved_model.pb").write_bytes(content)
    for before, after in ((DENSE, str(tmp_path / "m")), (str(tmp_path / "m"), DENSE)):
        result = Result(capsys, "diff", before, after)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith(
            f"hubmodule: error: {tmp_path / 'm'} cannot be compared, because none of its graphs "
        )


def test_damage_is_not_equality(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(DENSE, tmp_path / "m")
    data = next((tmp_path / "m" / "variables").glob("*.data*"))
    data.write_bytes(data.read_bytes()[:-1])
    result = Result(capsys, "diff", DENSE, str(tmp_path / "m"))
    assert (result.status, result.err) == (2, "")
    assert "Damaged" in result.out


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
