"""Tests of hubmodule.tar_writer."""

from __future__ import annotations

import io
import sys
import tarfile

import pytest

from hubmodule.tar_writer import TarWriter

FILES = {"a": b"", "b/c/first": b"x" * 512, "b/c/wörter": b"text", "long" * 60: b"y" * 100_000}


def write_tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    tar = TarWriter(out.write)
    for name, content in files.items():
        assert tar.add(name, len(content), [content[:3], content[3:]]) == len(content)
    tar.end()
    return out.getvalue()


def test_files_and_the_folders_above_them() -> None:
    content = write_tar(FILES)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = tar.getmembers()
        found = {m.name: tar.extractfile(m).read() for m in members if m.isfile()}
    assert found == FILES
    names = [member.name for member in members]
    assert names == ["a", "b", "b/c", "b/c/first", "b/c/wörter", "long" * 60]
    assert {(m.mode, m.uname, m.gname, m.uid, m.gid) for m in members if m.isfile()} == {
        (0o644, "", "", 0, 0)
    }
    assert {m.mode for m in members if m.isdir()} == {0o755}
    assert {m.mtime for m in members} == {315532800}
    assert len(content) % tarfile.RECORDSIZE == 0


def test_a_size_that_is_not_the_stated_one() -> None:
    tar = TarWriter(lambda piece: None)
    assert tar.add("a", 5, [b"text"]) == 4


def test_a_tar_without_files() -> None:
    assert write_tar({}) == bytes(tarfile.RECORDSIZE)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
