"""Tests of hubmodule.commands.bundle."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from tests.commands.running import Result
from tests.resolver import servers


def test_bundle(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle, lock, out = f"{server.url}/m", f"{tmp_path}/modules.lock", f"{tmp_path}/out.tar"
    Result(capsys, "lock", handle, "-o", lock)
    result = Result(capsys, "bundle", lock, out)
    assert (result.status, result.out) == (0, f"bundled: {handle}\nwrote {out}\n")
    assert sorted(os.listdir(tmp_path)) == ["cache", "modules.lock", "out.tar"]


def test_bundle_without_a_lock(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "bundle", f"{tmp_path}/no.lock", f"{tmp_path}/out.tar")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"hubmodule: error: The lock file {tmp_path}/no.lock cannot be")
    assert os.listdir(tmp_path) == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
