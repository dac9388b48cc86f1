"""Tests of hubmodule.commands.resolve."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from hubmodule.handles import make_cache_key
from tests.commands.running import Result, let_go
from tests.resolver import archives, servers


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


def test_refresh(server: servers.Server, capsys: pytest.CaptureFixture[str]) -> None:
    handle = f"{server.url}/m?key=secret"
    results = [Result(capsys, "resolve", "--refresh", handle) for _ in range(2)]
    assert [result.status for result in results] == [0, 0]
    assert results[0].out == results[1].out
    shown = [result.err.splitlines()[-1] for result in results]
    assert shown == [f"fetched: {server.url}/m", f"unchanged: {server.url}/m"]
    assert len(server.requests) == 2


def test_refresh_brings_new_content(capsys: pytest.CaptureFixture[str]) -> None:
    answers = [
        servers.whole(archives.tar_gz()),
        servers.whole(archives.tar({"saved_model.pb": b"1"})),
    ]
    with servers.serving({"/m": answers}) as server:
        Result(capsys, "resolve", f"{server.url}/m")
        let_go()
        result = Result(capsys, "resolve", "--refresh", f"{server.url}/m")
    assert f"new content: {server.url}/m\n" in result.err
    assert sorted(os.listdir(result.out.strip())) == ["saved_model.pb"]


def test_refresh_of_a_directory(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "resolve", "--refresh", str(tmp_path))
    assert (result.status, result.out) == (0, f"{tmp_path}\n")
    assert result.err == f"used in place: {tmp_path}\n"


def test_nothing_is_said_to_be_received_before_a_404(
    server: servers.Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_DOWNLOAD_PROGRESS", "1")
    result = Result(capsys, "resolve", f"{server.url}/no")
    assert result.status == 1
    assert [line.partition(": Cannot fetch")[0] for line in result.err.splitlines()] == [
        "hubmodule: error"
    ]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
