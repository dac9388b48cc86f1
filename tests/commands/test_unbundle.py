"""Tests of hubmodule.commands.unbundle."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from hubmodule.cache.manifest import compute_content_digest
from hubmodule.resolver import lock_file
from hubmodule.resolver.lock_file import LockedModule
from tests.commands.running import Result
from tests.resolver import archives, servers


def test_unbundle(
    server: servers.Server,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handle, lock, out = f"{server.url}/m", f"{tmp_path}/modules.lock", f"{tmp_path}/out.tar"
    Result(capsys, "lock", handle, "-o", lock)
    Result(capsys, "bundle", lock, out)
    arguments = ["--cache-dir", f"{tmp_path}/other"]
    shown = [Result(capsys, "unbundle", out, *arguments).out for _ in range(2)]
    assert shown == [f"installed: {handle}\n", f"already there: {handle}\n"]
    monkeypatch.setenv("HUBMODULE_OFFLINE", "1")
    assert Result(capsys, "resolve", handle, *arguments).status == 0


def test_a_handle_with_codes_for_a_terminal_is_refused(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modules = {"https://h/\x1b[31m": LockedModule(compute_content_digest([]))}
    (tmp_path / "b.tar").write_bytes(archives.tar({"modules.lock": lock_file.encode(modules)}))
    result = Result(capsys, "unbundle", f"{tmp_path}/b.tar")
    assert (result.status, result.out) == (1, "")
    assert "https://h/\\x1b[31m has characters that cannot be printed" in result.err


def test_no_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "unbundle", "/no/such.tar")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("hubmodule: error: /no/such.tar does not exist.")


# What `pip install hubmodule` brings: its dependencies, and those of requests.
PACKAGES = {
    "absl",
    "certifi",
    "charset_normalizer",
    "filelock",
    "idna",
    "requests",
    "tqdm",
    "urllib3",
}
# What these, or older versions of them, import where it is installed.
OPTIONAL = {"backports", "isal", "six", "socks"}
PROGRAM = """
import sys
sys.modules["tensorflow"] = sys.modules["numpy"] = sys.modules["google.protobuf"] = None
from hubmodule.__main__ import main
handle, place = sys.argv[1:]
lock, bundle = f"{place}/modules.lock", f"{place}/out.tar"
commands = [
    ["resolve", handle],
    ["resolve", "--refresh", handle],
    ["lock", handle, "-o", lock],
    ["lock", "--check", lock],
    ["bundle", lock, bundle],
    ["unbundle", bundle, "--cache-dir", f"{place}/other"],
    ["cache", "verify", "--repair"],
    ["cache", "remove", handle, "--cache-dir", f"{place}/other"],
]
print([main(command) for command in commands])
found = {
    name.partition(".")[0]
    for name, module in sys.modules.items()
    if "site-packages" in (getattr(module, "__file__", None) or "")
}
print(*sorted(name for name in found if not name.startswith("_")))
"""


def test_a_cache_is_filled_without_tensorflow(
    server: servers.Server, tmp_path: pathlib.Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"{server.url}/m", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    *_, statuses, packages = done.stdout.splitlines()
    assert statuses == str([0] * 8)
    assert set(packages.split()) <= PACKAGES | OPTIONAL


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
