"""What TensorBoard's projector is given to show."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from examples.text_embeddings import export, projector

CONFIG = """\
embeddings {
  tensor_name: "embeddings"
  tensor_path: "vectors.bytes"
  tensor_shape: 2
  tensor_shape: 3
  metadata_path: "tokens.tsv"
}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "embeddings.txt"
    path.write_bytes("the 1 2 3\na\tb 4 5 6\n日本 7 8 9\n".encode())
    return path


def shown(file: Path, **options: object) -> Path:
    directory = file.with_name("projector")
    export.export_module_from_file(
        str(file), str(file.with_name("module")), projector=str(directory), **options
    )
    return directory


def test_config(file):
    content = shown(file, max_rows=2).joinpath("projector_config.pbtxt").read_text()
    assert content == CONFIG


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_vectors_without_those_of_missing_words(file, dtype):
    content = shown(file, dtype=dtype).joinpath("vectors.bytes").read_bytes()
    assert np.frombuffer(content, "<f4").tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_tokens_are_one_column(file):
    content = shown(file).joinpath("tokens.tsv").read_bytes()
    assert content.decode().split("\n") == ["the", "a b", "日本", ""]


def test_only_as_much_as_can_be_shown(file, monkeypatch):
    monkeypatch.setattr(projector, "_MOST_ROWS", 1)
    directory = shown(file)
    assert (directory / "tokens.tsv").read_bytes() == b"the\n"
    assert (directory / "vectors.bytes").stat().st_size == 3 * 4


@pytest.mark.parametrize("name", ["projector_config.pbtxt", "vectors.bytes", "tokens.tsv"])
def test_what_is_there_already_stays(file, name):
    path = file.with_name("projector") / name
    path.parent.mkdir()
    path.write_text("keep me")
    with pytest.raises(FileExistsError, match="exists already"):
        shown(file)
    assert path.read_text() == "keep me"
    assert sorted(os.listdir(file.parent)) == ["embeddings.txt", "projector"]


def test_overwrite_replaces_the_files(file):
    shown(file)
    file.write_bytes(b"dog 1 2\n")
    directory = shown(file, overwrite=True)
    assert (directory / "tokens.tsv").read_bytes() == b"dog\n"
    assert (directory / "vectors.bytes").stat().st_size == 2 * 4
    assert len(os.listdir(directory)) == 3


def test_a_failure_of_overwrite_keeps_the_files(file, monkeypatch):
    def fail(*arguments: object, **options: object) -> None:
        raise OSError("no space left on device")

    directory = shown(file)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    file.write_bytes(b"dog 1 2\n")
    monkeypatch.setattr(hub.ModuleSpec, "write", fail)
    with pytest.raises(OSError, match="no space left"):
        shown(file, overwrite=True)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


@pytest.mark.parametrize("directory", ["module", "module/", "module/projector", "x/../module", ""])
def test_a_directory_in_that_of_the_module(file, directory, monkeypatch):
    monkeypatch.chdir(file.parent)
    with pytest.raises(ValueError, match="empty or in that of the module"):
        export.export_module_from_file(str(file), "module", projector=directory)
    assert os.listdir(file.parent) == ["embeddings.txt"]


def test_of_a_directory_that_cannot_be_made_nothing_is_published(file):
    file.with_name("projector").write_text("in the way")
    with pytest.raises(tf.errors.OpError, match="projector is not a directory"):
        shown(file)
    assert sorted(os.listdir(file.parent)) == ["embeddings.txt", "projector"]


@pytest.mark.parametrize("present", [[], ["note"]])
def test_of_a_module_that_cannot_be_written_nothing_is_shown(file, monkeypatch, present):
    def fail(*arguments: object, **options: object) -> None:
        raise OSError("no space left on device")

    directory = file.with_name("projector")
    if present:
        directory.mkdir()
        directory.joinpath("note").write_text("keep me")
    monkeypatch.setattr(hub.ModuleSpec, "write", fail)
    with pytest.raises(OSError, match="no space left"):
        shown(file)
    assert [path.name for path in directory.glob("*")] == present
    assert directory.exists() == bool(present)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
