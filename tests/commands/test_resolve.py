"""Tests of hubmodule.commands.resolve."""

from __future__ import annotations

import pathlib
import sys

import pytest

from hubmodule.resolver.handles import make_cache_key
from tests.commands.running import Result
from tests.resolver import servers


def test_resolve(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    result = Result(capsys, "resolve", handle, str(tmp_path))
    assert (result.status, result.out) == (
        0,
        f"{tmp_path}/cache/{make_cache_key(handle)}\n{tmp_path}\n",
    )


def test_resolve_goes_on_after_an_error(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "resolve", "/no/such/module", str(tmp_path))
    assert (result.status, result.out) == (1, f"{tmp_path}\n")
    assert result.err == (
        "hubmodule: error: /no/such/module does not exist. Check the path; a module on the web "
        "needs its whole address, https://…\n"
    )


def test_resolve_offline(server: servers.Server, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "resolve", "--offline", f"{server.url}/m")
    assert result.status == 1
    assert "Nothing is cached." in result.err
    assert server.requests == []


def test_resolve_into_another_cache(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "resolve", f"{server.url}/m", "--cache-dir", str(tmp_path / "other"))
    assert result.out.startswith(f"{tmp_path}/other/")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
