"""Lock files, and modules that must match them."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hubmodule as hub
from hubmodule._plain_errors import DownloadError, HubModuleError, LockError
from hubmodule.cache import manifest
from hubmodule.cache.manifest import FileRecord
from hubmodule.handles import make_cache_key
from hubmodule.resolver import lock_file
from hubmodule.resolver.lock_file import LockedModule
from tests.resolver import archives, servers

BODY = archives.tar_gz()
OTHER = archives.tar_gz({**archives.MODULE, "tfhub_module.pb": b"\x08\x04"})


def digest_of(files: dict[str, bytes]) -> str:
    import hashlib

    return manifest.compute_content_digest(
        FileRecord(path, len(data), hashlib.sha256(data).hexdigest())
        for path, data in files.items()
    )


DIGEST = digest_of(archives.MODULE)


@pytest.fixture
def lock(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("HUBMODULE_LOCK", str(tmp_path / "modules.lock"))
    return tmp_path / "modules.lock"


def write(path: pathlib.Path, handle: str, digest: str = DIGEST) -> None:
    path.write_bytes(lock_file.encode({handle: LockedModule(digest)}))


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counts the files whose digests are computed."""
    read: list[str] = []
    compute = manifest.compute_digest
    monkeypatch.setattr(
        manifest, "compute_digest", lambda fs, path: read.append(path) or compute(fs, path)
    )
    return read


def test_the_format() -> None:
    modules = {
        "https://h/b": LockedModule("ab" * 32, "cd" * 32),
        "https://h/ä": LockedModule("0" * 64),
    }
    text = lock_file.encode(modules).decode()
    assert text.endswith("}\n")
    assert "https://h/ä" in text
    assert json.loads(text) == {
        "version": 1,
        "modules": {
            "https://h/b": {"sha256": "ab" * 32, "archive_sha256": "cd" * 32},
            "https://h/ä": {"sha256": "0" * 64, "archive_sha256": None},
        },
    }


HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(st.dictionaries(st.text(), st.builds(LockedModule, HEX, st.none() | HEX)))
def test_what_is_written_is_read(modules: dict[str, LockedModule]) -> None:
    content = lock_file.encode(modules)
    assert lock_file.decode(content, "x") == modules
    assert lock_file.encode(dict(reversed(modules.items()))) == content


NO_VERSION = 'it is not a JSON object with a "version"'
NO_DIGEST = "a digest of h is missing or not 64 hexadecimal digits in lower case"
ZEROS = b"0" * 64


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value: line 1 column 1"),
        (b"<<<<<<< HEAD\n{}", "Expecting value: line 1 column 1"),
        (b"{}", NO_VERSION),
        (b"[]", NO_VERSION),
        (b"\xff", "invalid start byte"),
        (b'{"version": 1}', 'its "modules" are not an object'),
        (b'{"version": 1, "modules": []}', 'its "modules" are not an object'),
        (b'{"version": 1, "modules": {"h": null}}', NO_DIGEST),
        (b'{"version": 1, "modules": {"h": {}}}', NO_DIGEST),
        (b'{"version": 1, "modules": {"h": {"sha256": null}}}', NO_DIGEST),
        (b'{"version": 1, "modules": {"h": {"sha256": "AB"}}}', NO_DIGEST),
        (b'{"version": 1, "modules": {"h": {"sha256": 1}}}', NO_DIGEST),
        (
            b'{"version": 1, "modules": {"h": {"sha256": "%s", "archive_sha256": 1}}}' % ZEROS,
            NO_DIGEST,
        ),
        (b'{"version": 1, "modules": {"h": {}, "i": {}, "h": {}}}', "it has h twice"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_what_is_not_a_lock_file(content: bytes, reason: str) -> None:
    with pytest.raises(
        LockError,
        match=f"^x is not a lock file: .*{re.escape(reason)}.* Make one: python -m hubmodule lock",
    ):
        lock_file.decode(content, "x")


def test_a_lock_file_of_a_newer_version() -> None:
    with pytest.raises(LockError, match="has the version 2, and this hubmodule reads 1"):
        lock_file.decode(b'{"version": 2, "modules": 1}', "x")


def test_the_error_is_what_programs_catch() -> None:
    assert issubclass(LockError, (HubModuleError, OSError))
    assert issubclass(LockError, ValueError)


def test_a_module_that_matches(lock: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        handle = f"{server.url}/m"
        write(lock, handle)
        read = count_reads(monkeypatch)
        for _ in range(3):
            assert hub.resolve(handle).endswith(make_cache_key(handle))
        assert len(server.requests) == 1
    # The manifest has the digests: no file is read again.
    assert read == []


def test_a_module_that_was_replaced_is_not_installed(
    lock: pathlib.Path, cache_dir: pathlib.Path
) -> None:
    with servers.serving({"/m": servers.whole(OTHER)}) as server:
        handle = f"{server.url}/m"
        write(lock, handle)
        with pytest.raises(LockError) as caught:
            hub.resolve(handle)
    found = digest_of({**archives.MODULE, "tfhub_module.pb": b"\x08\x04"})
    assert str(caught.value) == (
        f"{handle} in {handle} has the content {found}, but the lock file {lock} has {DIGEST}. It "
        "was replaced: do not use it, or lock it again if you trust it."
    )
    assert [path.name for path in cache_dir.iterdir()] == [".hubmodule"]


def test_a_cached_module_that_is_not_the_locked_one(
    lock: pathlib.Path, monkeypatch: pytest.MonkeyPatch, cache_dir: pathlib.Path
) -> None:
    with servers.serving({"/m": servers.whole(OTHER)}) as server:
        handle = f"{server.url}/m"
        monkeypatch.delenv("HUBMODULE_LOCK")
        hub.resolve(handle)
        monkeypatch.setenv("HUBMODULE_LOCK", str(lock))
        write(lock, handle)
        with pytest.raises(LockError, match=f"{handle} in the cache {cache_dir} has the content"):
            hub.resolve(handle)


def test_what_a_process_without_a_lock_fetched_meanwhile_is_compared(
    lock: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hubmodule.resolver import resolvers

    fill = resolvers._fill

    def fill_without_lock(plan: Any, cache: Any, settings: Any) -> None:
        fill(plan, cache, dataclasses.replace(settings, lock=""))

    monkeypatch.setattr(resolvers, "_fill", fill_without_lock)
    with servers.serving({"/m": servers.whole(OTHER)}) as server:
        write(lock, f"{server.url}/m")
        with pytest.raises(LockError, match=r"in the cache .* has the content"):
            hub.resolve(f"{server.url}/m")


def test_a_module_that_is_not_locked_is_not_fetched(lock: pathlib.Path) -> None:
    write(lock, "https://h/other")
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        with pytest.raises(LockError) as caught:
            hub.resolve(f"{server.url}/m")
        assert server.requests == []
    assert str(caught.value) == (
        f"{server.url}/m is not in the lock file {lock}. If it belongs there, lock it with all "
        f"others: python -m hubmodule lock HANDLE … -o {lock}"
    )


def test_a_lock_file_that_is_not_there(lock: pathlib.Path) -> None:
    with pytest.raises(LockError) as caught:
        hub.resolve("https://h/m")
    assert str(caught.value) == (
        f"The lock file {lock} cannot be read: No such file or directory. Make it: python -m "
        f"hubmodule lock HANDLE … -o {lock}; or unset HUBMODULE_LOCK."
    )


def test_a_lock_file_that_is_written_again_is_read_again(lock: pathlib.Path) -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        handle = f"{server.url}/m"
        write(lock, handle)
        hub.resolve(handle)
        write(lock, f"{handle}/other")
        with pytest.raises(LockError, match="is not in the lock file"):
            hub.resolve(handle)


def test_the_second_mirror_has_the_locked_module(
    lock: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lock, "https://h/m")
    with servers.serving({"/a/m": servers.whole(OTHER), "/b/m": servers.whole(BODY)}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={server.url}/a|{server.url}/b")
        assert hub.resolve("https://h/m").endswith(make_cache_key("https://h/m"))


def test_no_mirror_has_the_locked_module(
    lock: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lock, "https://h/m")
    with servers.serving({"/a/m": servers.whole(OTHER)}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={server.url}/a|{server.url}/b")
        with pytest.raises(LockError) as caught:
            hub.resolve("https://h/m")
        assert (
            str(caught.value)
            .splitlines()[1]
            .startswith(f"    https://h/m in {server.url}/a/m has the content")
        )
    assert not isinstance(caught.value, DownloadError)


def write_as_tensorflow_hub(cache_dir: pathlib.Path, handle: str) -> pathlib.Path:
    directory = cache_dir / make_cache_key(handle)
    for name, data in archives.MODULE.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)
    return directory


def test_what_tensorflow_hub_cached_is_read_once(
    lock: pathlib.Path, cache_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lock, "https://h/m")
    write_as_tensorflow_hub(cache_dir, "https://h/m")
    read = count_reads(monkeypatch)
    for _ in range(3):
        hub.resolve("https://h/m")
    assert len(read) == len(archives.MODULE)


def test_what_tensorflow_hub_cached_is_compared(
    lock: pathlib.Path, cache_dir: pathlib.Path
) -> None:
    write(lock, "https://h/m")
    directory = write_as_tensorflow_hub(cache_dir, "https://h/m")
    (directory / "tfhub_module.pb").write_bytes(b"\x08\x04")
    with pytest.raises(LockError, match="has the content"):
        hub.resolve("https://h/m")


def test_a_local_archive(lock: pathlib.Path, tmp_path: pathlib.Path) -> None:
    archive = tmp_path / "m.tar.gz"
    archive.write_bytes(BODY)
    write(lock, str(archive))
    hub.resolve(str(archive))
    archive.write_bytes(OTHER)
    with pytest.raises(LockError, match=f"{archive} in {archive} has the content"):
        hub.resolve(str(archive))


def test_a_local_directory_is_not_locked(lock: pathlib.Path, tmp_path: pathlib.Path) -> None:
    write(lock, "https://h/m")
    assert hub.resolve(str(tmp_path)) == str(tmp_path)


@pytest.mark.parametrize("uncompressed", [False, True])
def test_what_is_read_in_place_over_the_network_cannot_be_checked(
    uncompressed: bool, lock: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = "https://h/m" if uncompressed else "gs://b/m"
    write(lock, handle)
    monkeypatch.setenv("TFHUB_MODEL_LOAD_FORMAT", "UNCOMPRESSED")
    with pytest.raises(LockError) as caught:
        hub.resolve(handle)
    assert str(caught.value) == (
        f"{handle} would be read in place, where HUBMODULE_LOCK cannot check it. Use the handle of "
        "an archive, which is fetched into the cache, or unset HUBMODULE_LOCK."
    )


@pytest.mark.parametrize("handle", ["https://me:secret@h/m", "https://h/m?sig=secret"])
def test_a_handle_with_a_secret_is_not_locked(handle: str, lock: pathlib.Path) -> None:
    write(lock, "https://h/m")
    with pytest.raises(LockError, match=r"^https://h/m has a password or a query") as caught:
        hub.resolve(handle)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "handle",
    ["https://h/m", "https://h/m?tf-hub-format=compressed", f"https://h/m#sha256={'ab' * 32}",
     f"https://h/m?tf-hub-format=compressed#sha256={'ab' * 32}", "/local/m.tar.gz"],
)  # fmt: skip
def test_a_handle_that_can_be_locked(handle: str) -> None:
    lock_file.check_handle(handle)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
