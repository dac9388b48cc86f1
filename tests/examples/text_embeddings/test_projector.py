"""What TensorBoard's projector is given to show."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

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


def test_what_is_there_already_stays(file):
    config = file.with_name("projector") / "projector_config.pbtxt"
    config.parent.mkdir()
    config.write_text("keep me")
    with pytest.raises(FileExistsError, match="exists already"):
        shown(file)
    assert config.read_text() == "keep me"
    assert sorted(os.listdir(file.parent)) == ["embeddings.txt", "projector"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
