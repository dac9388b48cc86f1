"""The contract that every file system keeps, and where the two differ."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest
import tensorflow as tf

from hubmodule._plain_errors import TensorFlowUnavailableError
from hubmodule.file_systems import (
    FileSystem,
    LocalFileSystem,
    TensorFlowFileSystem,
    find_file_system,
    list_schemes,
)


@pytest.fixture(params=["local", "ram"])
def place(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> tuple[FileSystem, str]:
    """A file system, and an empty folder in it."""
    if request.param == "local":
        return find_file_system(str(tmp_path))
    folder = f"ram://{request.node.name}"
    tf.io.gfile.makedirs(folder)
    return find_file_system(folder)


def fill(file_system: FileSystem, folder: str) -> None:
    for path, content in {"a": b"1", "b/c": b"22", "b/d/e": b""}.items():
        with file_system.open_new(f"{folder}/{path}") as file:
            file.write(content)


def test_which_file_system(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    local, path = find_file_system("m")
    assert isinstance(local, LocalFileSystem)
    assert path == str(tmp_path / "m")
    assert find_file_system(f"file://{tmp_path}/m")[1] == path
    remote, path = find_file_system("ram://m/")
    assert isinstance(remote, TensorFlowFileSystem)
    assert path == "ram://m"


def test_a_file_system_that_needs_tensorflow_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert isinstance(find_file_system("/m")[0], LocalFileSystem)
    for use in (find_file_system, list_schemes):
        with pytest.raises(TensorFlowUnavailableError) as caught:
            use("gs://bucket/m")
        assert str(caught.value) == (
            "gs://bucket/m is on a file system that needs TensorFlow, which is not installed: "
            "pip install 'tensorflow>=2.15', or use a local path."
        )


def test_a_file_is_written_and_read(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    file_system.write(f"{folder}/a", b"1")
    file_system.write(f"{folder}/a", b"22")
    assert file_system.read(f"{folder}/a") == b"22"
    assert file_system.get_size(f"{folder}/a") == 2
    assert b"".join(file_system.read_pieces(f"{folder}/a")) == b"22"
    assert file_system.get_mtime(f"{folder}/a") >= 0


def test_a_big_file_comes_in_pieces(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    file_system.write(f"{folder}/a", bytes(range(256)) * 10_000)
    pieces = list(file_system.read_pieces(f"{folder}/a"))
    assert b"".join(pieces) == bytes(range(256)) * 10_000
    assert max(len(piece) for piece in pieces) == 1 << 20


def test_a_file_takes_the_place_of_another(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    file_system.write(f"{folder}/a", b"old")
    file_system.write(f"{folder}/b", b"new")
    file_system.replace_file(f"{folder}/b", f"{folder}/a")
    assert (file_system.list_names(folder), file_system.read(f"{folder}/a")) == (["a"], b"new")


def test_files_are_created_with_their_folders(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    fill(file_system, folder)
    assert file_system.list_sizes(folder) == {"a": 1, "b/c": 2, "b/d/e": 0}
    assert file_system.list_names(folder) == ["a", "b"]
    assert file_system.list_names(f"{folder}/b") == ["c", "d"]


def test_no_file_is_created_twice(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    fill(file_system, folder)
    with pytest.raises(FileExistsError):
        file_system.open_new(f"{folder}/b/c")


@pytest.mark.parametrize("method", ["read", "get_mtime"])
def test_what_is_missing(place: tuple[FileSystem, str], method: str) -> None:
    file_system, folder = place
    with pytest.raises(FileNotFoundError):
        getattr(file_system, method)(f"{folder}/missing")


def test_what_is_missing_has_no_chunks(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    with pytest.raises(FileNotFoundError):
        list(file_system.read_pieces(f"{folder}/missing"))


def test_what_is_missing_has_no_size_and_no_names(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    assert file_system.get_size(f"{folder}/missing") is None
    assert file_system.list_names(f"{folder}/missing") == []
    assert file_system.list_sizes(f"{folder}/missing") == {}
    assert not file_system.exists(f"{folder}/missing")
    assert not file_system.is_directory(f"{folder}/missing")
    file_system.remove(f"{folder}/missing")


def test_a_folder_is_no_file(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    file_system.make_directory(f"{folder}/a/b")
    file_system.make_directory(f"{folder}/a/b")
    assert file_system.exists(f"{folder}/a/b")
    assert file_system.is_directory(f"{folder}/a/b")
    assert file_system.get_size(f"{folder}/a/b") is None


def test_a_folder_moves(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    fill(file_system, f"{folder}/x")
    assert file_system.move_directory(f"{folder}/x", f"{folder}/y", ("a",))
    assert file_system.list_sizes(f"{folder}/y") == {"a": 1, "b/c": 2, "b/d/e": 0}
    assert file_system.list_names(folder) == ["y"]


def test_a_folder_moves_to_an_empty_one(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    fill(file_system, f"{folder}/x")
    file_system.make_directory(f"{folder}/y")
    assert file_system.move_directory(f"{folder}/x", f"{folder}/y", ("a",))
    assert file_system.list_names(folder) == ["y"]


def test_a_folder_does_not_move_onto_another(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    fill(file_system, f"{folder}/x")
    file_system.write(f"{folder}/z", b"")
    with file_system.open_new(f"{folder}/y/kept") as file:
        file.write(b"1")
    assert not file_system.move_directory(f"{folder}/x", f"{folder}/y", ("a",))
    assert file_system.list_sizes(f"{folder}/y") == {"kept": 1}
    assert file_system.list_sizes(f"{folder}/x") == {"a": 1, "b/c": 2, "b/d/e": 0}


def test_all_is_removed(place: tuple[FileSystem, str]) -> None:
    file_system, folder = place
    fill(file_system, folder)
    file_system.remove(f"{folder}/b")
    file_system.remove(f"{folder}/a")
    assert file_system.list_sizes(folder) == {}


def test_a_local_folder_that_cannot_move(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        LocalFileSystem().move_directory(str(tmp_path / "x"), str(tmp_path / "y"), ("a",))


@pytest.mark.parametrize(
    ("raised", "translated"),
    [
        (tf.errors.NotFoundError, FileNotFoundError),
        (tf.errors.AlreadyExistsError, FileExistsError),
        (tf.errors.PermissionDeniedError, PermissionError),
        (tf.errors.ResourceExhaustedError, OSError),
        (tf.errors.UnavailableError, OSError),
    ],
)
def test_errors_are_translated(raised: type[Exception], translated: type[OSError]) -> None:
    file_system = TensorFlowFileSystem()
    with (
        pytest.raises(translated, match=r"^ram://x") as caught,
        file_system.translate_errors("ram://x"),
    ):
        raise raised(None, None, "why")
    assert type(caught.value) is translated


def test_a_folder_that_shrinks_while_it_is_listed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()
    monkeypatch.setattr(os, "walk", lambda folder: [(folder, [], ["a", "gone"])])
    assert LocalFileSystem().list_sizes(str(tmp_path)) == {"a": 0}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
