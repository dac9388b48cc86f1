"""Embeddings in files: what becomes of them in a checkpoint."""

from __future__ import annotations

import errno
import os
import sys

import numpy as np
import pytest

from examples.text_embeddings.rows import Embeddings
from examples.text_embeddings.store import store_embeddings

VECTORS = np.arange(30, dtype=np.float32).reshape([10, 3])
BLOCKS = [
    Embeddings([f"word{i}" for i in range(4)], VECTORS[:4]),
    Embeddings([f"word{i}" for i in range(4, 10)], VECTORS[4:]),
]


@pytest.fixture(params=["float32", "float16"])
def stored(tmp_path, request):
    return store_embeddings(BLOCKS, str(tmp_path), np.dtype(request.param), further_rows=2)


def test_tokens(stored):
    with open(stored.vocabulary_file, encoding="utf-8") as file:
        assert file.read().splitlines() == [f"word{i}" for i in range(10)]


def test_sizes(stored):
    assert (stored.words, stored.rows, stored.dimension) == (10, 12, 3)


def test_vectors(stored):
    np.testing.assert_array_equal(stored.map_vectors(), [*VECTORS, [0, 0, 0], [0, 0, 0]])


def test_vectors_in_any_order_of_memory(tmp_path):
    blocks = [Embeddings(["a", "b"], np.asfortranarray(VECTORS[:2]))]
    stored = store_embeddings(blocks, str(tmp_path), np.dtype("float32"), further_rows=0)
    np.testing.assert_array_equal(stored.map_vectors(), VECTORS[:2])


def test_a_full_disk_is_an_error_with_its_number(tmp_path):
    tmp_path.joinpath("vectors").symlink_to("/dev/full")
    block = Embeddings(["a"], np.zeros([1, 1 << 20], np.float32))
    with pytest.raises(OSError) as error:
        store_embeddings([block], str(tmp_path), np.dtype("float32"), further_rows=0)
    assert error.value.errno == errno.ENOSPC


def test_further_rows_take_no_memory(tmp_path):
    stored = store_embeddings(BLOCKS, str(tmp_path), np.dtype("float32"), further_rows=10**9)
    assert os.path.getsize(stored.vectors_file) == (10**9 + 10) * 3 * 4


def test_vectors_are_not_in_memory(stored):
    assert isinstance(stored.map_vectors(), np.memmap)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
