"""The contract that every file system keeps, and where the two differ."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest
import tensorflow as tf

from hubmodule.resolver.storage import LocalStorage, Storage, TensorFlowStorage, storage_for


@pytest.fixture(params=["local", "ram"])
def place(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> tuple[Storage, str]:
    """A file system, and an empty folder in it."""
    if request.param == "local":
        return storage_for(str(tmp_path))
    folder = f"ram://{request.node.name}"
    tf.io.gfile.makedirs(folder)
    return storage_for(folder)


def fill(storage: Storage, folder: str) -> None:
    for path, content in {"a": b"1", "b/c": b"22", "b/d/e": b""}.items():
        with storage.create(f"{folder}/{path}") as file:
            file.write(memoryview(content))


def test_which_file_system(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    local, path = storage_for("m")
    assert isinstance(local, LocalStorage)
    assert path == str(tmp_path / "m")
    assert storage_for(f"file://{tmp_path}/m")[1] == path
    remote, path = storage_for("ram://m/")
    assert isinstance(remote, TensorFlowStorage)
    assert path == "ram://m"


def test_a_file_is_written_and_read(place: tuple[Storage, str]) -> None:
    storage, folder = place
    storage.write(f"{folder}/a", b"1")
    storage.write(f"{folder}/a", b"22")
    assert storage.read(f"{folder}/a") == b"22"
    assert storage.size(f"{folder}/a") == 2
    assert b"".join(storage.chunks(f"{folder}/a")) == b"22"
    assert storage.modified(f"{folder}/a") >= 0


def test_a_big_file_comes_in_pieces(place: tuple[Storage, str]) -> None:
    storage, folder = place
    storage.write(f"{folder}/a", bytes(range(256)) * 10_000)
    pieces = list(storage.chunks(f"{folder}/a"))
    assert b"".join(pieces) == bytes(range(256)) * 10_000
    assert max(len(piece) for piece in pieces) == 1 << 20


def test_a_file_takes_the_place_of_another(place: tuple[Storage, str]) -> None:
    storage, folder = place
    storage.write(f"{folder}/a", b"old")
    storage.write(f"{folder}/b", b"new")
    storage.replace(f"{folder}/b", f"{folder}/a")
    assert (storage.names(folder), storage.read(f"{folder}/a")) == (["a"], b"new")


def test_files_are_created_with_their_folders(place: tuple[Storage, str]) -> None:
    storage, folder = place
    fill(storage, folder)
    assert storage.files(folder) == {"a": 1, "b/c": 2, "b/d/e": 0}
    assert storage.names(folder) == ["a", "b"]
    assert storage.names(f"{folder}/b") == ["c", "d"]


def test_no_file_is_created_twice(place: tuple[Storage, str]) -> None:
    storage, folder = place
    fill(storage, folder)
    with pytest.raises(FileExistsError):
        storage.create(f"{folder}/b/c")


@pytest.mark.parametrize("method", ["read", "modified"])
def test_what_is_missing(place: tuple[Storage, str], method: str) -> None:
    storage, folder = place
    with pytest.raises(FileNotFoundError):
        getattr(storage, method)(f"{folder}/missing")


def test_what_is_missing_has_no_chunks(place: tuple[Storage, str]) -> None:
    storage, folder = place
    with pytest.raises(FileNotFoundError):
        list(storage.chunks(f"{folder}/missing"))


def test_what_is_missing_has_no_size_and_no_names(place: tuple[Storage, str]) -> None:
    storage, folder = place
    assert storage.size(f"{folder}/missing") is None
    assert storage.names(f"{folder}/missing") == []
    assert storage.files(f"{folder}/missing") == {}
    assert not storage.exists(f"{folder}/missing")
    assert not storage.is_folder(f"{folder}/missing")
    storage.remove(f"{folder}/missing")


def test_a_folder_is_no_file(place: tuple[Storage, str]) -> None:
    storage, folder = place
    storage.make_folder(f"{folder}/a/b")
    storage.make_folder(f"{folder}/a/b")
    assert storage.exists(f"{folder}/a/b")
    assert storage.is_folder(f"{folder}/a/b")
    assert storage.size(f"{folder}/a/b") is None


def test_a_folder_moves(place: tuple[Storage, str]) -> None:
    storage, folder = place
    fill(storage, f"{folder}/x")
    assert storage.move_folder(f"{folder}/x", f"{folder}/y")
    assert storage.files(f"{folder}/y") == {"a": 1, "b/c": 2, "b/d/e": 0}
    assert storage.names(folder) == ["y"]


def test_a_folder_moves_to_an_empty_one(place: tuple[Storage, str]) -> None:
    storage, folder = place
    fill(storage, f"{folder}/x")
    storage.make_folder(f"{folder}/y")
    assert storage.move_folder(f"{folder}/x", f"{folder}/y")
    assert storage.names(folder) == ["y"]


def test_a_folder_does_not_move_onto_another(place: tuple[Storage, str]) -> None:
    storage, folder = place
    fill(storage, f"{folder}/x")
    storage.write(f"{folder}/z", b"")
    with storage.create(f"{folder}/y/kept") as file:
        file.write(memoryview(b"1"))
    assert not storage.move_folder(f"{folder}/x", f"{folder}/y")
    assert storage.files(f"{folder}/y") == {"kept": 1}
    assert storage.files(f"{folder}/x") == {"a": 1, "b/c": 2, "b/d/e": 0}


def test_all_is_removed(place: tuple[Storage, str]) -> None:
    storage, folder = place
    fill(storage, folder)
    storage.remove(f"{folder}/b")
    storage.remove(f"{folder}/a")
    assert storage.files(folder) == {}


def test_a_local_folder_that_cannot_move(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        LocalStorage().move_folder(str(tmp_path / "x"), str(tmp_path / "y"))


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
    storage = TensorFlowStorage()
    with pytest.raises(translated, match=r"^ram://x") as caught, storage.translated("ram://x"):
        raise raised(None, None, "why")
    assert type(caught.value) is translated


def test_a_folder_that_shrinks_while_it_is_listed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()
    monkeypatch.setattr(os, "walk", lambda folder: [(folder, [], ["a", "gone"])])
    assert LocalStorage().files(str(tmp_path)) == {"a": 0}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
