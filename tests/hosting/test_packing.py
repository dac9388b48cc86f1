"""Tests of hubmodule.hosting.packing."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import os
import pathlib
import sys
import tarfile

import pytest

from hubmodule._plain_errors import PublishError
from hubmodule.file_systems import find_file_system
from hubmodule.hosting.packing import Archive, list_module_files, pack
from hubmodule.resolver import archive as archives

FILES = {
    "saved_model.pb": b"graph",
    "tfhub_module.pb": b"\x08\x03",
    "assets/wörter.txt": b"",
    "variables/variables.data-00000-of-00001": bytes(range(256)) * 5000,
    "assets/" + "long" * 40 + ".txt": b"x" * 512,
}


def write_files(directory: str, files: dict[str, bytes] = FILES) -> str:
    file_system, directory = find_file_system(directory)
    for name, content in files.items():
        path = f"{directory}/{name}"
        file_system.make_directory(os.path.dirname(path))
        file_system.write(path, content)
    return directory


def pack_directory(directory: str) -> tuple[Archive, bytes]:
    file_system, directory = find_file_system(directory)
    out = io.BytesIO()
    archive = pack(file_system, directory, list_module_files(file_system, directory), out)
    return archive, out.getvalue()


def test_the_content(tmp_path: pathlib.Path) -> None:
    archive, content = pack_directory(write_files(str(tmp_path)))
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        folders = [member for member in tar.getmembers() if member.isdir()]
        members = [member for member in tar.getmembers() if not member.isdir()]
        found = {member.name: tar.extractfile(member).read() for member in members}
    assert found == FILES
    assert [member.name for member in members] == sorted(FILES)
    assert {(m.mode, m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {
        (0o644, 0, 0, "", "", 315532800)
    }
    # tensorflow_hub makes only the folders that an archive names.
    assert [(m.name, m.mode, m.mtime) for m in folders] == [
        ("assets", 0o755, 315532800),
        ("variables", 0o755, 315532800),
    ]
    assert archive.bytes == len(content)
    assert archive.sha256 == hashlib.sha256(content).hexdigest()
    tar_content = gzip.decompress(content)
    assert archive.tar_sha256 == hashlib.sha256(tar_content).hexdigest()
    assert len(tar_content) % tarfile.RECORDSIZE == 0


def test_the_resolver_unpacks_it(tmp_path: pathlib.Path) -> None:
    _, content = pack_directory(write_files(str(tmp_path / "m")))
    file_system, target = find_file_system(str(tmp_path / "target"))
    archives.unpack([content], file_system, target, 100, 1 << 30)
    assert file_system.list_sizes(target) == {name: len(text) for name, text in FILES.items()}


def test_the_same_module_gives_the_same_bytes(tmp_path: pathlib.Path) -> None:
    first = pack_directory(write_files(str(tmp_path / "first")))
    second = tmp_path / "other" / "second"
    write_files(str(second), dict(reversed(FILES.items())))
    (second / "saved_model.pb").chmod(0o700)
    os.utime(second / "saved_model.pb", (1, 1))
    assert pack_directory(str(second)) == first
    assert pack_directory(write_files(f"ram://{tmp_path.name}-m")) == first


# Whichever Python, TensorFlow and machine packs it; only the compression depends on zlib.
def test_the_digest_stays(tmp_path: pathlib.Path) -> None:
    archive, _ = pack_directory(write_files(str(tmp_path)))
    assert archive.tar_sha256 == "24e79ce0a3fa81866e18c3804952975600cb9e307d658a6e536e18ebb22d45ef"


def test_large_files_are_packed_in_pieces(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(20 << 20)
    file_system, directory = find_file_system(str(tmp_path))
    seen = []
    pack(
        file_system,
        directory,
        list_module_files(file_system, directory),
        io.BytesIO(),
        lambda packed, total: seen.append((packed, total)),
    )
    packed = [number for number, _ in seen]
    assert packed == sorted(packed)
    assert seen[-1] == (20 << 20, 20 << 20)
    assert max(after - before for before, after in itertools.pairwise(packed)) <= 1 << 20


@pytest.mark.parametrize("change", [b"longer than it was", b"", None])
def test_a_file_that_changes_while_it_is_packed(
    tmp_path: pathlib.Path, change: bytes | None
) -> None:
    directory = write_files(str(tmp_path))
    file_system, _ = find_file_system(directory)
    sizes = list_module_files(file_system, directory)
    if change is None:
        (tmp_path / "saved_model.pb").unlink()
    else:
        (tmp_path / "saved_model.pb").write_bytes(change)
    with pytest.raises(PublishError, match=r"saved_model\.pb (changes while|cannot be read: No)"):
        pack(file_system, directory, sizes, io.BytesIO())


def test_links_to_files_are_followed_and_links_to_directories_refused(
    tmp_path: pathlib.Path,
) -> None:
    module = tmp_path / "m"
    write_files(str(module))
    (tmp_path / "elsewhere").write_bytes(b"words")
    (module / "assets" / "linked.txt").symlink_to(tmp_path / "elsewhere")
    file_system, directory = find_file_system(str(module))
    assert list_module_files(file_system, directory)["assets/linked.txt"] == 5
    (module / "more").symlink_to(module / "assets")
    with pytest.raises(PublishError, match=f"{module}/more is a symbolic link to a directory"):
        list_module_files(file_system, directory)


def test_what_is_neither_a_file_nor_a_directory(tmp_path: pathlib.Path) -> None:
    file_system, directory = find_file_system(write_files(str(tmp_path)))
    (tmp_path / "lost").symlink_to("nothing")
    with pytest.raises(PublishError, match=f"^{tmp_path}/lost is a symbolic link to nothing"):
        list_module_files(file_system, directory)
    (tmp_path / "lost").unlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PublishError, match=f"^{tmp_path}/pipe is not a file. Remove it"):
        list_module_files(file_system, directory)


@pytest.mark.parametrize("name", ["a\\b", "a\nb", b"a\xffb".decode("utf-8", "surrogateescape")])
def test_names_that_other_file_systems_do_not_have(tmp_path: pathlib.Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    file_system, directory = find_file_system(str(tmp_path))
    with pytest.raises(PublishError, match="whose name not every file system can hold"):
        list_module_files(file_system, directory)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
