"""Tests of hubmodule.commands.site."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.commands.running import Result
from tests.hosting.hubs import add_version


def test_writes_a_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for handle in ("acme/x/1", "acme/x/2", "acme/y/1"):
        add_version(str(tmp_path / "hub"), handle)
    out = tmp_path / "out"
    result = Result(
        capsys, "site", str(tmp_path / "hub"), str(out), "--url", "https://example.com/modules"
    )
    assert (result.status, result.out) == (0, "")
    assert result.err.endswith(f"Wrote {out}: 2 modules, 3 versions\n")
    page = (out / "acme" / "x" / "2.html").read_text(encoding="utf-8")
    assert "https://example.com/modules/acme/x/2" in page


def test_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photo.png").touch()
    (tmp_path / "hub").mkdir()
    result = Result(capsys, "site", str(tmp_path / "hub"), str(tmp_path))
    assert result.status == 1
    assert result.err.startswith("hubmodule: error: The site")


@pytest.mark.parametrize("arguments", [["hub", ""], ["hub", "out", "--url", "example.com"]])
def test_arguments_that_are_not_paths_and_addresses(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        Result(capsys, "site", *arguments)
    assert ended.value.code == 2


def test_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = Result(capsys, "site", str(tmp_path / "hub"), str(tmp_path / "out"))
    assert result.status == 1
    assert "pip install 'hubmodule[hub]'" in result.err


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
