"""Arrays of NumPy with their tokens: what is read, and every fault that is named."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from examples.text_embeddings.numpy_file import read_numpy
from examples.text_embeddings.opening import EmbeddingFileError, Stream


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


def read(
    content: bytes, words: bytes, chunk_bytes: int = 1 << 20
) -> tuple[list[str], list[list[float]]]:
    streams = [Stream(io.BytesIO(content), "v.npy"), Stream(io.BytesIO(words), "words")]
    source = read_numpy(streams[0], "v.npy", streams[1], "words", chunk_bytes)
    tokens, vectors = [], []
    for block in source.blocks:
        assert block.vectors.dtype == np.float32
        tokens += block.tokens
        vectors += block.vectors.tolist()
    return tokens, vectors


class TestForms:
    @pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", "<f8", "<i8", "|u1"])
    def test_dtypes(self, dtype):
        content = saved(np.array([[1, 2], [3, 4]], dtype))
        assert read(content, b"a\nb\n") == (["a", "b"], [[1, 2], [3, 4]])

    @pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
    def test_versions(self, version):
        assert read(saved(np.eye(1), version), b"a") == (["a"], [[1]])

    def test_a_byte_order_mark_is_no_part_of_the_first_token(self):
        assert read(saved(np.eye(2)), "\ufeffa\n\ufeffb".encode())[0] == ["a", "\ufeffb"]

    @pytest.mark.parametrize("words", [b"a\nb", b"a\nb\n", b"a\r\nb\r\n"])
    def test_ends_of_lines(self, words):
        assert read(saved(np.eye(2)), words)[0] == ["a", "b"]

    def test_tokens_may_contain_spaces(self):
        assert read(saved(np.ones([1, 1])), b" New York ")[0] == [" New York "]


FAULTS = [
    (b"", b"a", "is not a readable NumPy array"),
    (b"a 1 2\n" * 9, b"a", "is not a readable NumPy array"),
    (saved(np.ones([2])), b"a", r"of float64 of shape \[2\]"),
    (saved(np.ones([0, 2])), b"", r"of shape \[0, 2\]"),
    (saved(np.ones([1, 1])).replace(b"(1, 1), ", b"(-1, 1),"), b"a", r"of shape \[-1, 1\]"),
    (saved(np.ones([2, 3]).T), b"a", "stored by columns"),
    (saved(np.array([["a"]])), b"a", "an array of <U1"),
    (saved(np.array([[None]])), b"a", "an array of object"),
    (saved(np.ones([2, 2]))[:-1], b"a\nb", "ends after 1 of 2 rows"),
    (saved(np.ones([2, 2])) + b"x", b"a\nb", "v.npy goes on after the 2 rows"),
    (saved(np.float32([[1], [np.nan]])), b"a\nb", "row 2, token 'b': number 1 .* is nan"),
    (saved(np.array([[1e39]])), b"a", "row 1, token 'a': number 1 .* is inf"),
    (saved(np.ones([2, 2])), b"a\n", "words has 1 lines, but v.npy has 2 rows"),
    (saved(np.ones([2, 2])), b"a\nb\nc\n", "words has more lines than v.npy has rows, which is 2"),
    (saved(np.ones([2, 2])), b"a\n\n", "words, line 2, token '': its token is empty"),
    (saved(np.ones([2, 2])), b"a\n\xff\n", "words, line 2, .* not valid UTF-8"),
]


@pytest.mark.parametrize(("content", "words", "problem"), FAULTS)
def test_faults(content, words, problem):
    with pytest.raises(EmbeddingFileError, match=problem):
        read(content, words)


def test_how_numpy_treats_errors_stays_as_it_is_while_rows_are_taken():
    content = saved(np.ones([2, 2]))
    streams = [Stream(io.BytesIO(content), "v.npy"), Stream(io.BytesIO(b"a\nb"), "words")]
    before = np.geterr()
    blocks = read_numpy(streams[0], "v.npy", streams[1], "words", 1).blocks
    next(blocks)
    assert np.geterr() == before


def test_a_row_beyond_all_reason():
    header = saved(np.ones([1, 1]))[:128].replace(b"(1, 1), }      ", b"(1, 99999999), ")
    with pytest.raises(EmbeddingFileError, match=r"shape \[1, 99999999\], which is not a table"):
        read(header.replace(b"99999999),  ", b"99999999), }"), b"a")


@settings(derandomize=True, deadline=None)
@given(header=st.binary(max_size=40), rest=st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(header, rest):
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + rest
    with pytest.raises(EmbeddingFileError):
        read(content, b"a\n")


TOKENS = st.text(
    st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1, max_size=9
)


@settings(derandomize=True, deadline=None)
@given(data=st.data(), chunk_bytes=st.integers(1, 300))
def test_what_is_written_is_read(data, chunk_bytes):
    shape = data.draw(st.tuples(st.integers(1, 20), st.integers(1, 5)))
    dtype = data.draw(st_numpy.floating_dtypes(sizes=(16, 32)))
    elements = {"allow_nan": False, "allow_infinity": False}
    array = data.draw(st_numpy.arrays(dtype, shape, elements=elements))
    tokens = data.draw(st.lists(TOKENS, min_size=shape[0], max_size=shape[0]))
    words = "\n".join(tokens).encode()
    assert read(saved(array), words, chunk_bytes) == (tokens, array.astype(np.float32).tolist())


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
