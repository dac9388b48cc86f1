"""Tests of hubmodule.commands.convert."""

from __future__ import annotations

import pathlib
import re
import sys
import threading

import pytest

from hubmodule.commands import convert
from tests.commands.running import Result

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
    assert out in refused.err
    assert Result(capsys, *arguments, "--overwrite").status == 0


def test_convert_to_where_nothing_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    refused = Result(capsys, "convert", DENSE, "/dev/null/out")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("hubmodule: error: /dev/null")


def test_what_takes_long_shows_its_time_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = threading.Event()
    monkeypatch.setattr(sys.stderr, "flush", shown.set)
    with convert._time_shown("Converting m", patience=0.01):
        assert shown.wait(60.0)
    assert re.fullmatch(r"(\rConverting m: \d+ s)+\r +\r", capsys.readouterr().err)


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_done_soon_shows_nothing(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with convert._time_shown("Converting m", patience=60.0 if terminal else 0.0):
        pass
    assert capsys.readouterr().err == ""


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
