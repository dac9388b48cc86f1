"""Lock files that are made, and compared with what is resolved."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import hubmodule as hub
from hubmodule import settings
from hubmodule._plain_errors import DownloadError, LockError
from hubmodule.handles import make_cache_key
from hubmodule.locking.lock import find_differences, lock_modules, write_lock
from hubmodule.resolver import lock_file
from hubmodule.resolver.lock_file import LockedModule
from tests.resolver import archives, servers

BODY = archives.tar_gz()
DIGEST = "3d12e0793d9ae854aa4f979ae54e2c821de651425df7540693fe4ba9fb48ea62"


def test_modules_are_locked(handles: list[str]) -> None:
    modules = lock_modules(handles, settings.read())
    assert list(modules) == handles
    assert modules[handles[0]] == LockedModule(DIGEST, hashlib.sha256(BODY).hexdigest())


def test_the_digest_does_not_depend_on_the_archive() -> None:
    names = ("/a", "/b", "/c")
    bodies = (
        BODY,
        archives.tar(archives.MODULE),
        archives.tar(dict(sorted(archives.MODULE.items()))),
    )
    with servers.serving(
        {name: servers.whole(body) for name, body in zip(names, bodies, strict=True)}
    ) as server:
        modules = lock_modules([f"{server.url}{name}" for name in names], settings.read())
    assert {module.sha256 for module in modules.values()} == {DIGEST}
    assert len({module.archive_sha256 for module in modules.values()}) == 3


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_digest_is_that_of_sha256sum(handles: list[str]) -> None:
    lock_modules(handles, settings.read())
    command = (
        "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    )
    out = subprocess.run(
        ["sh", "-c", command], cwd=hub.resolve(handles[0]), capture_output=True, check=True
    ).stdout
    assert out.split()[0].decode() == DIGEST


def test_the_lock_that_is_set_does_not_matter(
    handles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBMODULE_LOCK", "/no/such/lock")
    assert lock_modules(handles[:1], settings.read())[handles[0]].sha256 == DIGEST


def test_what_tensorflow_hub_cached_is_locked(tmp_path: pathlib.Path) -> None:
    directory = tmp_path / "cache" / make_cache_key("https://h/m")
    for name, data in archives.MODULE.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)
    assert lock_modules(["https://h/m"], settings.read()) == {
        "https://h/m": LockedModule(DIGEST, None)
    }


def test_a_group_can_read_the_digests_of_what_tensorflow_hub_cached(tmp_path: pathlib.Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o2770)
    directory = cache / make_cache_key("https://h/m")
    directory.mkdir()
    (directory / "saved_model.pb").write_bytes(b"a graph")
    old = os.umask(0o077)
    try:
        hub.resolve("https://h/m")
        lock_modules(["https://h/m"], settings.read())
    finally:
        os.umask(old)
    manifest = cache / f"{directory.name}.manifest.json"
    assert b"null" not in manifest.read_bytes()
    assert manifest.stat().st_mode & 0o060 == 0o060


def test_a_local_archive_is_locked_by_its_whole_path(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.tar.gz").write_bytes(BODY)
    monkeypatch.chdir(tmp_path)
    assert list(lock_modules(["m.tar.gz"], settings.read())) == [f"{tmp_path}/m.tar.gz"]


def test_a_directory_is_not_locked(tmp_path: pathlib.Path) -> None:
    (tmp_path / "m.tar.gz").mkdir()
    for path in (tmp_path, tmp_path / "m.tar.gz"):
        with pytest.raises(LockError, match=f"^{path} is used in place, and a lock file holds"):
            lock_modules([str(path)], settings.read())


def test_a_handle_with_a_secret_is_not_locked() -> None:
    with pytest.raises(LockError, match=r"^https://h/m has a password or a query"):
        lock_modules(["https://h/m?key=secret"], settings.read())


def test_a_lock_file_is_written_whole(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "modules.lock"
    path.write_bytes(b"before")
    modules = {"https://h/m": LockedModule(DIGEST)}
    write_lock(str(path), modules)
    assert path.read_bytes() == lock_file.encode(modules)
    assert os.listdir(tmp_path) == ["modules.lock"]


def test_a_lock_file_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "modules.lock").mkdir()
    for path in (tmp_path / "modules.lock", tmp_path / "no" / "modules.lock"):
        with pytest.raises(LockError, match=f"^The lock file {path} cannot be written: "):
            write_lock(str(path), {})
    assert os.listdir(tmp_path) == ["modules.lock"]


@pytest.fixture
def lock(tmp_path: pathlib.Path, handles: list[str]) -> str:
    path = str(tmp_path / "modules.lock")
    write_lock(path, lock_modules(handles, settings.read()))
    return path


def differences(lock: str) -> dict[str, str]:
    found = find_differences(lock, settings.read())
    return {handle: str(error) for handle, error in found if error is not None}


def test_nothing_differs(lock: str, handles: list[str]) -> None:
    assert list(find_differences(lock, settings.read())) == [(handle, None) for handle in handles]


@pytest.mark.parametrize("change", ["other bytes", "another file"])
def test_each_file_is_read(change: str, lock: str, handles: list[str]) -> None:
    directory = pathlib.Path(hub.resolve(handles[0]))
    if change == "other bytes":
        (directory / "tfhub_module.pb").write_bytes(b"\x08\x04")
    else:
        (directory / "assets" / "more").write_bytes(b"")
    [(handle, message)] = differences(lock).items()
    assert handle == handles[0]
    assert message.startswith(f"{handle} in {directory} has the content ")


def test_a_module_that_cannot_be_fetched_differs(
    lock: str, handles: list[str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("HUBMODULE_OFFLINE", "1")
    found = dict(find_differences(lock, settings.read()))
    assert [type(found[handle]).__mro__[1] for handle in handles] == [DownloadError] * 2


def test_no_lock_file() -> None:
    with pytest.raises(LockError, match="cannot be read"):
        list(find_differences("/no/such/lock", settings.read()))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
