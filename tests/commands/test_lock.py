"""Tests of hubmodule.commands.lock."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest

from hubmodule.handles import make_cache_key
from tests.commands.running import Result
from tests.resolver import archives, servers

DIGEST = "3d12e0793d9ae854aa4f979ae54e2c821de651425df7540693fe4ba9fb48ea62"


def test_lock(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle, out = f"{server.url}/m", f"{tmp_path}/modules.lock"
    result = Result(capsys, "lock", handle, handle, "-o", out)
    assert (result.status, result.out) == (0, f"locked: {handle}\nwrote {out}\n")
    assert json.loads(pathlib.Path(out).read_bytes())["modules"][handle]["sha256"] == DIGEST


def test_lock_into_the_usual_file(
    server: servers.Server,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Result(capsys, "lock", f"{server.url}/m").status == 0
    assert (tmp_path / "modules.lock").exists()


def test_one_failure_writes_nothing(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "modules.lock"
    result = Result(capsys, "lock", f"{server.url}/m", f"{server.url}/no", "-o", str(out))
    assert (result.status, result.out, out.exists()) == (1, "", False)
    assert "404 Not Found" in result.err


@pytest.mark.parametrize("arguments", [[], ["https://h/m", "--check", "modules.lock"]])
def test_what_to_do_is_not_clear(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "lock", *arguments)
    assert (result.status, result.err) == (
        1,
        "hubmodule: error: Give the handles to lock, or --check and a lock file.\n",
    )


def test_check(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle, out = f"{server.url}/m", f"{tmp_path}/modules.lock"
    Result(capsys, "lock", handle, "-o", out)
    result = Result(capsys, "lock", "--check", out)
    assert (result.status, result.out) == (0, f"ok: {handle}\n")
    directory = tmp_path / "cache" / make_cache_key(handle)
    (directory / "tfhub_module.pb").write_bytes(b"\x08\x04")
    result = Result(capsys, "lock", "--check", out)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"hubmodule: error: {handle} in {directory} has the content ")


def test_a_locked_process_uses_no_other_module(
    server: servers.Server,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handle, out = f"{server.url}/m", f"{tmp_path}/modules.lock"
    Result(capsys, "lock", handle, "-o", out)
    monkeypatch.setenv("HUBMODULE_LOCK", out)
    server.listener._answers["/m"] = [servers.whole(archives.tar({"saved_model.pb": b"1"}))]
    assert Result(capsys, "resolve", handle).status == 0
    other = Result(capsys, "resolve", handle, "--cache-dir", f"{tmp_path}/other")
    assert (other.status, other.out) == (1, "")
    assert f"but the lock file {out} has {DIGEST}" in other.err


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
