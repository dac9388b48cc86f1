"""Archives from servers and files, whole and otherwise."""

from __future__ import annotations

import gzip
import hashlib
import pathlib
import sys
import threading

import pytest

from hubmodule import settings
from hubmodule._plain_errors import (
    ArchiveDamagedError,
    ArchiveRefusedError,
    DownloadError,
    HandleNotFoundError,
)
from hubmodule.cache.manifest import FileRecord
from hubmodule.file_systems import LocalFileSystem
from hubmodule.handles import ArchiveHandle, WebHandle, parse
from hubmodule.resolver.archive import NotAnArchiveError
from hubmodule.resolver.fetch import fetch
from tests.resolver import archives, servers

BODY = archives.tar_gz()


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "module").mkdir()
    return tmp_path / "module"


def fetched(text: str, folder: pathlib.Path) -> list[FileRecord]:
    handle = parse(text)
    assert isinstance(handle, (WebHandle, ArchiveHandle))
    return list(fetch(handle, settings.read(), LocalFileSystem(), str(folder)).files)


def content(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_from_a_server(folder: pathlib.Path) -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        records = fetched(f"{server.url}/m", folder)
    assert content(folder) == archives.MODULE
    assert {record.path: record.sha256 for record in records} == {
        path: hashlib.sha256(data).hexdigest() for path, data in archives.MODULE.items()
    }


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tgz"])
def test_from_a_file(folder: pathlib.Path, tmp_path: pathlib.Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_bytes(archives.tar() if suffix == ".tar" else BODY)
    fetched(str(path), folder)
    assert content(folder) == archives.MODULE


def test_from_another_file_system(folder: pathlib.Path) -> None:
    import tensorflow as tf

    with tf.io.gfile.GFile("ram://test_fetch/m.tar.gz", "wb") as file:
        file.write(BODY)
    fetched("ram://test_fetch/m.tar.gz", folder)
    assert content(folder) == archives.MODULE


def test_unpacks_while_bytes_come(folder: pathlib.Path) -> None:
    big = archives.tar({"first": b"1" * 1024, "rest": bytes(4 << 20)})
    gate = servers.Gate(big, 1 << 20)
    with servers.serving({"/m": gate}) as server:
        thread = threading.Thread(target=fetched, args=(f"{server.url}/m", folder))
        thread.start()
        gate.reached.wait(10)
        while not (folder / "rest").exists():
            assert thread.is_alive()
        assert (folder / "first").read_bytes() == b"1" * 1024
        gate.open.set()
        thread.join()
    assert (folder / "rest").stat().st_size == 4 << 20


def test_starts_again_in_an_empty_folder(folder: pathlib.Path, pauses: list[float]) -> None:
    old = archives.tar({"old": b"1" * 5000, "other": b"2" * 5000})
    answers = [servers.cut(old, 8000), servers.whole(old), servers.whole(BODY)]
    with servers.serving({"/m": answers}) as server:
        fetched(f"{server.url}/m", folder)
        assert len(server.requests) == 3
    assert content(folder) == archives.MODULE
    assert pauses == [0.5]


def test_the_folder_stays_the_same_one(folder: pathlib.Path, pauses: list[float]) -> None:
    # It is marked as used, and another process would sweep a new one.
    inode = folder.stat().st_ino
    with servers.serving({"/m": [servers.cut(BODY, 300), servers.whole(BODY)] * 2}) as server:
        fetched(f"{server.url}/m", folder)
    assert folder.stat().st_ino == inode


def test_what_is_known_of_the_archive(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    with servers.serving({"/m": servers.whole(BODY, ETag='"1"')}) as server:
        web = WebHandle("https://h/m?key=secret", f"{server.url}/m?key=secret")
        found = fetch(web, settings.read(), LocalFileSystem(), str(folder))
        assert found.address == f"{server.url}/m"
    assert (found.handle, found.archive_sha256, found.etag) == ("https://h/m", digest, '"1"')
    path = tmp_path / "m.tgz"
    path.write_bytes(BODY)
    local = ArchiveHandle(str(path), str(path))
    found = fetch(local, settings.read(), LocalFileSystem(), str(folder))
    assert (found.address, found.archive_sha256, found.etag) == (str(path), digest, "")


def test_resumes(folder: pathlib.Path, pauses: list[float]) -> None:
    with servers.serving({"/m": [servers.cut(BODY, 300), servers.rest(BODY)]}) as server:
        fetched(f"{server.url}/m", folder)
    assert content(folder) == archives.MODULE
    assert pauses == [0.5]


def test_the_pinned_archive(folder: pathlib.Path) -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        fetched(f"{server.url}/m#sha256={hashlib.sha256(BODY).hexdigest()}", folder)
    assert content(folder) == archives.MODULE


def test_the_pinned_archive_after_a_cut(folder: pathlib.Path, pauses: list[float]) -> None:
    pin = hashlib.sha256(BODY).hexdigest()
    answers = [servers.cut(BODY, 300), servers.whole(BODY), servers.whole(BODY)]
    with servers.serving({"/m": answers}) as server:
        fetched(f"{server.url}/m#sha256={pin}", folder)
    assert content(folder) == archives.MODULE


def test_another_archive_than_the_pinned(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "m.tgz").write_bytes(BODY)
    with pytest.raises(ArchiveDamagedError) as caught:
        fetched(f"{tmp_path}/m.tgz#sha256={'0' * 64}", folder)
    assert str(caught.value) == (
        f"Cannot unpack {tmp_path}/m.tgz: The archive has the sha256 "
        f"{hashlib.sha256(BODY).hexdigest()}, but the handle pins {'0' * 64}. It was changed or "
        "damaged: do not use it, or pin the new one if you trust it."
    )


def test_a_gzip_whose_checksum_is_wrong(folder: pathlib.Path) -> None:
    body = bytearray(BODY)
    body[-6] ^= 1
    with (
        servers.serving({"/m": servers.whole(bytes(body), Content_Type="a/b")}) as server,
        pytest.raises(ArchiveDamagedError) as caught,
    ):
        fetched(f"{server.url}/m", folder)
    assert str(caught.value).startswith(
        f"Cannot unpack {server.url}/m, where {server.url}/m answered 200 OK with a/b: The archive "
        "is damaged: its gzip data are corrupt ("
    )


@pytest.mark.parametrize("missing", [1, 8, 100])
def test_a_gzip_that_is_cut_off(folder: pathlib.Path, missing: int) -> None:
    # The server says that this is all.
    with (
        servers.serving({"/m": servers.whole(BODY[:-missing])}) as server,
        pytest.raises(ArchiveDamagedError, match=r"gzip data end before their checksum\.$"),
    ):
        fetched(f"{server.url}/m", folder)


def test_a_tar_that_is_cut_off_where_nobody_says_how_long_it_is(folder: pathlib.Path) -> None:
    data = archives.tar()
    with (
        servers.serving({"/m": servers.cut(data, 2048, announced=None)}) as server,
        pytest.raises(ArchiveDamagedError, match=r"its tar ends in the middle\.$"),
    ):
        fetched(f"{server.url}/m", folder)


def test_a_gzipped_tar_without_the_mark_of_its_end(folder: pathlib.Path) -> None:
    data = gzip.compress(archives.tar({"a": b"1"})[:1024])
    with servers.serving({"/m": servers.whole(data)}) as server:
        fetched(f"{server.url}/m", folder)
    assert content(folder) == {"a": b"1"}


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html>...",
        b"\n <HTML><p>",
        b"<?xml version='1'?>",
        b"\xef\xbb\xbf<html>",
        b"<!-- a comment --><html>",
    ],
)
def test_a_web_page(folder: pathlib.Path, page: bytes) -> None:
    answer = servers.whole(page, Content_Type="text/html")
    with servers.serving({"/m": answer}) as server, pytest.raises(DownloadError) as caught:
        fetched(f"{server.url}/m", folder)
    assert str(caught.value) == (
        f"Cannot fetch {server.url}/m: {server.url}/m answered 200 OK with text/html, a web page "
        "instead of an archive. The model may be gone, need a login, or not offer this format: "
        "open the address in a browser, and use the address of a .tar.gz."
    )
    assert isinstance(caught.value, OSError)


def test_something_else_than_an_archive(folder: pathlib.Path) -> None:
    answer = servers.whole(b'{"error": 1}', Content_Type="application/json")
    with servers.serving({"/m": answer}) as server, pytest.raises(NotAnArchiveError) as caught:
        fetched(f"{server.url}/m", folder)
    assert str(caught.value) == (
        f"Cannot unpack {server.url}/m, where {server.url}/m answered 200 OK with "
        "application/json: Not an archive: it begins with b'{\"error\": 1}', not like a tar, "
        "gzip, bz2 or xz."
    )


def test_what_is_refused(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "m.tar").write_bytes(archives.tar_of("../escaped", b"1"))
    with pytest.raises(ArchiveRefusedError) as caught:
        fetched(f"{tmp_path}/m.tar", folder)
    assert str(caught.value).startswith(
        f"Cannot unpack {tmp_path}/m.tar: The archive is refused: its entry '../escaped' has a '..'"
    )
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("HUBMODULE_MAX_ARCHIVE_ENTRIES", "4", "more than 4 entries"),
        ("HUBMODULE_MAX_ARCHIVE_BYTES", "5000", "more than 5000 bytes"),
    ],
)
def test_the_limits_are_settings(
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    what: str,
) -> None:
    monkeypatch.setenv(variable, value)
    (tmp_path / "m.tgz").write_bytes(BODY)
    with pytest.raises(ArchiveRefusedError, match=what):
        fetched(f"{tmp_path}/m.tgz", folder)


def test_a_file_that_is_not_there(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(HandleNotFoundError) as caught:
        fetched(f"{tmp_path}/m.tar", folder)
    assert str(caught.value) == (
        f"{tmp_path}/m.tar does not exist. Check the path; a module on the web needs its whole "
        "address, https://…"
    )


def test_a_file_that_cannot_be_read(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "m.tar").mkdir()
    with pytest.raises(HandleNotFoundError) as caught:
        fetched(f"{tmp_path}/m.tar", folder)
    assert str(caught.value) == (
        f"{tmp_path}/m.tar cannot be read: Is a directory. Check its permissions."
    )


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
