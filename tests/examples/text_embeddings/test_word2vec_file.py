"""The binary form of word2vec: what is read, and every fault that is named."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.text_embeddings.opening import EmbeddingFileError, Stream
from examples.text_embeddings.word2vec_file import read_word2vec


def read(content: bytes, chunk_bytes: int = 1 << 20) -> dict[str, list[float]]:
    source = read_word2vec(Stream(io.BytesIO(content), "v.bin"), "v.bin", chunk_bytes)
    table = {}
    for block in source.blocks:
        table.update(zip(block.tokens, block.vectors.tolist(), strict=True))
    return table


def written(table: Mapping[bytes, Sequence[float]], end: bytes = b"") -> bytes:
    (dimension,) = {len(vector) for vector in table.values()}
    rows = [token + b" " + np.array(v, "<f4").tobytes() + end for token, v in table.items()]
    return b"%d %d\n" % (len(table), dimension) + b"".join(rows)


class TestForms:
    @pytest.mark.parametrize("end", [b"", b"\n"], ids=["packed", "a_line_feed_after_each_row"])
    def test_rows(self, end):
        content = written({b"</s>": [1, 2], "日本".encode(): [3, 4]}, end)
        assert read(content) == {"</s>": [1, 2], "日本": [3, 4]}

    def test_numbers_may_contain_any_byte(self):
        vectors = np.frombuffer(b"  \n \n\n  ", "<f4").tolist()
        assert read(written({b"a": vectors, b"b": vectors})) == {"a": vectors, "b": vectors}

    def test_announces_its_rows(self):
        content = written({b"a": [1, 2]})
        source = read_word2vec(Stream(io.BytesIO(content), "v.bin"), "v.bin", 100)
        assert (source.dimension, source.announced, source.name_row(0)) == (2, 1, "row 1")


FAULTS = [
    (b"", "starts with '', where a binary file of word2vec says"),
    (b"the 0.1 0.2\n", "if it is text, rename it"),
    (b"\xba\x16\x4f\x2f....", r"is a fastText model; .* \.vec"),
    (b"1 99999999999\na " + bytes(8), "starts with '1 99999999999"),
    (b"2 2\na " + bytes(8), "ends after 1 of the 2 rows"),
    (b"2 2\na " + bytes(8) + b"b " + bytes(7), "ends after 1 of the 2 rows"),
    (b"1 2\n", "ends after 0 of the 1 rows"),
    (b"1 2\na" + bytes(9000), "row 1 has no token, or one of more than 4096 bytes"),
    (b"1 2\na " + bytes(8) + b"b " + bytes(8), "goes on after the 1 rows"),
    (b"1 1\n " + bytes(4), "row 1, token '': its token is empty"),
    (b"1 1\n\xff " + bytes(4), r"row 1, token '\\\\xff': its token is not valid UTF-8"),
    (b"1 1\na\nb " + bytes(4), r"row 1, token 'a\\nb': its token has a line feed"),
    (b"1 1\na\rb " + bytes(4), "its token has a carriage return"),
    (
        b"2 2\na " + bytes(8) + b"b " + np.array([0, np.inf], "<f4").tobytes(),
        "row 2, token 'b': number 2 of its vector is inf, which is not",
    ),
]


@pytest.mark.parametrize(("content", "problem"), FAULTS)
def test_faults(content, problem):
    with pytest.raises(EmbeddingFileError, match=rf"v\.bin.* {problem}|v\.bin {problem}"):
        read(content)


TOKENS = st.text(
    st.characters(exclude_characters=" \n\r", exclude_categories=["Cs"]), min_size=1, max_size=20
)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(derandomize=True, deadline=None)
@given(
    table=st.integers(1, 4).flatmap(
        lambda d: st.dictionaries(TOKENS, st.lists(NUMBERS, min_size=d, max_size=d), min_size=1)
    ),
    end=st.sampled_from([b"", b"\n"]),
    chunk_bytes=st.integers(1, 9000),
)
def test_what_is_written_is_read(table, end, chunk_bytes):
    content = written({token.encode(): vector for token, vector in table.items()}, end)
    assert read(content, chunk_bytes) == table


@settings(derandomize=True, deadline=None)
@given(rest=st.binary(max_size=60), header=st.sampled_from([b"", b"1 1\n", b"3 2\n"]))
def test_any_bytes_are_read_or_refused(rest, header):
    with contextlib.suppress(EmbeddingFileError):
        assert all(len(vector) in (1, 2) for vector in read(header + rest).values())


@settings(derandomize=True, deadline=None)
@given(cut=st.integers(0, 8000))
def test_what_is_cut_off_is_refused(cut):
    content = written({b"word%d" % i: [i, 0, 1] for i in range(500)})
    with pytest.raises(EmbeddingFileError):
        read(content[: min(cut, len(content) - 1)], 64)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
