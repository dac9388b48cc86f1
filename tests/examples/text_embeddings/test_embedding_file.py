"""Files of embeddings: every form that is read, and every fault that is named."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from examples.text_embeddings.embedding_file import (
    EmbeddingFileError,
    Embeddings,
    read_embeddings,
)

REAL_FILE = (
    Path(__file__).parents[3].joinpath("examples/text_embeddings/data/glove.6B.50d.top10000.txt.gz")
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "embeddings.txt"


def read(file: Path, content: bytes, **options: int) -> Embeddings:
    file.write_bytes(content)
    return read_embeddings(str(file), **options)


def rows(embeddings: Embeddings) -> dict[str, list[float]]:
    return dict(zip(embeddings.tokens, embeddings.vectors.tolist(), strict=True))


class TestForms:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"a 1 2\nb 3 4\n", {"a": [1, 2], "b": [3, 4]}),
            (b"a 1 2\nb 3 4", {"a": [1, 2], "b": [3, 4]}),
            (b"a 1 2\r\nb 3 4\r\n", {"a": [1, 2], "b": [3, 4]}),
            (b"a 1 2 \nb 3 4  \n", {"a": [1, 2], "b": [3, 4]}),
            (b"a 1 2 \r\nb 3 4 ", {"a": [1, 2], "b": [3, 4]}),
            (b"a  1   2\nb 3 4\n", {"a": [1, 2], "b": [3, 4]}),
            (b"a 1 2\nb 3 4\n\n \r\n\n", {"a": [1, 2], "b": [3, 4]}),
            (b"\xef\xbb\xbfa 1 2\n", {"a": [1, 2]}),
            (b"a +1 -.5\nb 5. 1E-2\n", {"a": [1, -0.5], "b": [5, np.float32(0.01)]}),
            (b"a 1\nb 2\n", {"a": [1], "b": [2]}),
        ],
        ids=[
            "plain",
            "no_newline_at_end",
            "crlf",
            "trailing_spaces",
            "trailing_spaces_and_crlf",
            "runs_of_spaces",
            "blank_lines_at_end",
            "byte_order_mark",
            "forms_of_numbers",
            "one_dimension",
        ],
    )
    def test_rows(self, file, content, expected):
        assert rows(read(file, content)) == expected

    def test_vectors_are_float32(self, file):
        assert read(file, b"a 1 2\n").vectors.dtype == np.float32

    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
    def test_packing_is_told_from_the_content(self, file, pack):
        assert rows(read(file, pack(b"a 1 2\nb 3 4\n"))) == {"a": [1, 2], "b": [3, 4]}

    @pytest.mark.parametrize("padding", [b"", bytes(8), bytes(1 << 17)])
    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
    def test_of_several_packed_streams(self, file, pack, padding):
        content = pack(b"a 1 2\nb 3") + padding + pack(b" 4\n") + padding
        assert rows(read(file, content)) == {"a": [1, 2], "b": [3, 4]}

    def test_the_magic_of_bzip2_may_be_a_token(self, file):
        assert rows(read(file, b"BZh 1 2\n")) == {"BZh": [1, 2]}

    def test_a_real_file(self):
        embeddings = read_embeddings(str(REAL_FILE))
        with gzip.open(REAL_FILE, "rt", encoding="utf-8", newline="\n") as lines:
            expected = [line.rstrip("\n").split(" ") for line in lines]
        assert embeddings.tokens == [row[0] for row in expected]
        np.testing.assert_array_equal(
            embeddings.vectors, np.array([row[1:] for row in expected], np.float32)
        )


class TestHeader:
    def test_is_no_row(self, file):
        assert rows(read(file, b"2 3\na 1 2 3\nb 4 5 6\n")) == {"a": [1, 2, 3], "b": [4, 5, 6]}

    def test_sets_the_dimension(self, file):
        assert rows(read(file, b"1 2\nNew York 1 2\n")) == {"New York": [1, 2]}

    def test_of_more_rows_than_there_are_warns(self, file, caplog):
        assert rows(read(file, b"3 2\na 1 2\n")) == {"a": [1, 2]}
        assert "announces 3 rows, but it has 1" in caplog.text

    def test_is_not_a_row_of_one_dimension(self, file):
        assert rows(read(file, b"5 3\n6 4\n")) == {"5": [3], "6": [4]}

    def test_of_a_dimension_beyond_all_reason_is_an_error(self, file):
        with pytest.raises(EmbeddingFileError, match="line 2, token 'a': it has 2 numbers"):
            read(file, b"1 99999999999999\na 1 2\n")

    @pytest.mark.parametrize(
        "content", [b"9" * 5000 + b" 3\na 1 2 3", b"3 %b\na 1" % (b"9" * 5000)]
    )
    def test_of_numbers_beyond_all_reason_is_none(self, file, content):
        with pytest.raises(EmbeddingFileError, match=r"line [12], token"):
            read(file, content)

    def test_counts_as_a_line(self, file):
        with pytest.raises(EmbeddingFileError, match="line 3, token 'b'"):
            read(file, b"2 2\na 1 2\nb 1\n")


class TestTokens:
    @pytest.mark.parametrize(
        "token",
        [
            *["nan", "NaN", "NA", "null", "None", "inf", '"', '""', '"a', "'", "#", "1.5", "-1e5"],
            *[
                ",",
                "\\",
                "\u00a0",
                "\u2028",
                "\x85",
                "\x0b",
                "\x0c",
                "\x00",
                "\ufeff",
                "日本",
                "a\tb",
            ],
        ],
    )
    def test_may_look_like_anything(self, file, token):
        content = f"the 1 2\n{token} 3 4\n".encode()
        assert rows(read(file, content)) == {"the": [1, 2], token: [3, 4]}

    @pytest.mark.parametrize(
        "token", ["New York", ". . .", "at name@domain.com", "a  b", " a", "nan NA inf", "\u00a0 b"]
    )
    def test_may_contain_spaces(self, file, token):
        content = f"the 1 2\n{token} 3 4\n".encode()
        assert rows(read(file, content)) == {"the": [1, 2], token: [3, 4]}

    def test_with_spaces_may_come_first(self, file):
        assert rows(read(file, b"New York 1 2\nthe 3 4\n")) == {"New York": [1, 2], "the": [3, 4]}

    def test_that_are_numbers_do_not_count_as_vectors(self, file):
        assert rows(read(file, b"1 2 3\n4 5 6\n")) == {"1": [2, 3], "4": [5, 6]}

    def test_repeated_keep_the_first_row_and_warn(self, file, caplog):
        content = b"2 1\na 1\nb 2\na 3\nb 4\n"
        assert rows(read(file, content)) == {"a": [1], "b": [2]}
        assert "left out 2 of 4 rows" in caplog.text
        assert "the first is line 4, token 'a', which is in line 2 already" in caplog.text


class TestNumbers:
    def test_are_rounded_once(self, file):
        # A little more than half way from 1 to the next float32: as a float64 it is half way,
        # and from there it would be rounded down.
        embeddings = read(file, b"a 1.00000005960464477540\n")
        assert embeddings.vectors[0, 0] == np.nextafter(np.float32(1), np.float32(2))

    @pytest.mark.parametrize("token", ["a", "New York"])
    def test_of_many_digits(self, file, token):
        content = f"{token} 0.{'3' * 3000} 1e-99999 -0\n".encode()
        assert read(file, content).vectors.tobytes() == np.float32([1 / 3, 0, -0.0]).tobytes()


FAULTS = [
    (b"a 1 2\nb 3\n", 2, "b", "it has 1 number."),
    (b"a 1 2\nb\n", 2, "b", "it has 0 numbers."),
    (b"a 1 2\nb 3 4 5\n", 2, "b", "it has 3 numbers"),
    (b"a 1 2\nb c 3 4 5\n", 2, "b c", "it has 3 numbers"),
    (b"2 2\na 1 2\nb 3 4 5\n", 3, "b", "it has 3 numbers"),
    (b"a 1 2\n\nb 3 4\n", 2, "", "the line is empty"),
    (b"a 1 2\nb x 4\n", 2, "b", "'x' is not a number"),
    (b"a 1 2\nb 3 1,5\n", 2, "b", "'1,5' is not a number"),
    (b"a 1 2\nb 3 0x10\n", 2, "b", "'0x10' is not a number"),
    (b"a 1 2\nb 3 1_0\n", 2, "b", "'1_0' is not a number"),
    ("a 1 2\nb 3 ٣\n".encode(), 2, "b", "'٣' is not a number"),
    (b"a 1 2\nb 3 \xff\n", 2, "b", r"'\\xff' is not a number"),
    (b"a 1 2\nb nan 4\n", 2, "b", "'nan' is not a"),
    (b"a 1 2\nb 3 -inf\n", 2, "b", "'-inf' is not a"),
    (b"a 1 2\nb 3 1e39\n", 2, "b", "'1e39' is not a finite float32"),
    (b"a 1 2\nNew York 3 1e39\n", 2, "New York", "'1e39' is not a finite float32"),
    (b"a 1 2\n\xffb 3 4\n", 2, r"\\xffb", "not valid UTF-8"),
    (b"a 1 2\n\xed\xa0\x80 3 4\n", 2, r"\\xed\\xa0\\x80", "not valid UTF-8"),
    (b"a 1 2\n 3 4\n", 2, "", "its token is empty"),
    (b"a 1 2\nb\rc 3 4\n", 2, r"b\rc", "carriage return"),
    (b"a\t1 2 3\n", 1, "a", "a number within its token"),
    (b"a,1\n", 1, "a,1", "it has 0 numbers. By the end of line 1 a row is a token and 1 number,"),
    (b"a x\n", 1, "a", "'x' is not a number"),
]


class TestFaults:
    @pytest.mark.parametrize(("content", "line", "token", "problem"), FAULTS)
    def test_names_line_and_token(self, file, content, line, token, problem):
        with pytest.raises(EmbeddingFileError) as error:
            read(file, content)
        message = str(error.value)
        assert message.startswith(f"{file}, line {line}, token '{token}': ")
        assert problem in message
        assert message.endswith("mend this line or take it out.")

    def test_names_the_first_wrong_line(self, file):
        with pytest.raises(EmbeddingFileError, match="line 3, token 'c'"):
            read(file, b"a 1 2\nNew York 3 4\nc x 6\nd 7\n\xff 8 9\n")

    @pytest.mark.parametrize("content", [b"", b"\n \r\n\n", b"5 3\n", b"\xef\xbb\xbf"])
    def test_a_file_without_rows(self, file, content):
        with pytest.raises(EmbeddingFileError, match="has no rows"):
            read(file, content)

    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
    def test_a_packed_file_that_is_cut_off(self, file, pack):
        with pytest.raises(EmbeddingFileError, match=r"damaged or cut off .* fetch it again"):
            read(file, pack(b"a 1 2\nb 3 4\n" * 99)[:-7])

    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
    def test_a_packed_file_of_which_a_later_stream_is_damaged(self, file, pack):
        damaged = bytearray(pack(b"b 3 4\n"))
        damaged[1] ^= 1
        with pytest.raises(EmbeddingFileError, match=r"damaged or cut off .* fetch it again"):
            read(file, pack(b"a 1 2\n") + damaged)

    @pytest.mark.parametrize(
        ("content", "line", "separator"),
        [
            (b"cat,1,2\ndog,3,4\n", 1, "commas (',')"),
            (b"cat, 1, 2\r\ndog, 3, 4\r\n", 1, "commas (',')"),
            (b'"cat","1","2"\n', 1, "commas (',')"),
            (b"word,d0,d1\ncat,1,2\n", 2, "commas (',')"),
            (b"2 3\ncat,1,2,3\ndog,4,5,6\n", 2, "commas (',')"),
            (b"New York,-.5,1e-3\n", 1, "commas (',')"),
            (b"cat\t1\t2\n", 1, r"tabs ('\t')"),
            (b"cat;1;2\n", 1, "semicolons (';')"),
        ],
    )
    def test_names_another_separator(self, file, content, line, separator):
        with pytest.raises(EmbeddingFileError) as error:
            read(file, content)
        assert str(error.value) == (
            f"{file}, line {line}: {separator} separate the fields of this line, but a file of "
            "embeddings has spaces between them. Write it with spaces, and without a line of "
            "column names."
        )

    def test_without_polars_says_what_to_install(self, file, monkeypatch):
        monkeypatch.delitem(sys.modules, "examples.text_embeddings.text_file", raising=False)
        monkeypatch.setitem(sys.modules, "polars", None)
        with pytest.raises(ImportError, match="pip install polars"):
            read(file, b"a 1 2\n")

    def test_a_zip_archive(self, file):
        with pytest.raises(EmbeddingFileError, match="is a zip archive; unpack it"):
            read(file, b"PK\x03\x04" + bytes(99))

    def test_shows_the_start_of_a_token_that_is_no_word(self, file):
        with pytest.raises(EmbeddingFileError, match=r"token 'x{200}'\.\.\.: it has 1 number\."):
            read(file, b"a 1 2\n%b 3\n" % (b"x" * 9999))

    def test_a_missing_file(self, file):
        with pytest.raises(FileNotFoundError, match=r"embeddings\.txt does not exist"):
            read_embeddings(str(file))

    def test_a_directory(self, tmp_path):
        with pytest.raises(EmbeddingFileError, match="is a directory"):
            read_embeddings(str(tmp_path))

    def test_is_a_value_error(self):
        assert issubclass(EmbeddingFileError, ValueError)


class TestKinds:
    """The end of the name tells the kind."""

    @pytest.mark.parametrize("name", ["v", "v.txt", "v.vec", "v.bin.txt", "v.TXT", "v.txt.gz"])
    def test_text(self, tmp_path, name):
        assert rows(read(tmp_path / name, b"a 1 2\n")) == {"a": [1, 2]}

    @pytest.mark.parametrize("name", ["v.bin", "v.BIN", "v.bin.gz", "v.bin.xz"])
    def test_word2vec(self, tmp_path, name):
        content = b"1 2\na " + np.float32([1, 2]).tobytes()
        assert rows(read(tmp_path / name, content)) == {"a": [1, 2]}

    def test_word2vec_needs_no_polars(self, tmp_path, monkeypatch):
        monkeypatch.delitem(sys.modules, "examples.text_embeddings.text_file", raising=False)
        monkeypatch.setitem(sys.modules, "polars", None)
        self.test_word2vec(tmp_path, "v.bin")

    def test_numpy(self, tmp_path):
        np.save(tmp_path / "v.npy", np.float32([[1, 2]]))
        (tmp_path / "words").write_bytes(b"a\n")
        embeddings = read_embeddings(
            str(tmp_path / "v.npy"), vocabulary_file=str(tmp_path / "words")
        )
        assert rows(embeddings) == {"a": [1, 2]}

    def test_numpy_without_a_vocabulary(self, tmp_path):
        with pytest.raises(EmbeddingFileError, match="needs a vocabulary file"):
            read_embeddings(str(tmp_path / "v.npy"))

    def test_a_vocabulary_without_numpy(self, file):
        with pytest.raises(EmbeddingFileError, match="and nothing else, needs a vocabulary file"):
            read_embeddings(str(file), vocabulary_file="words")


class TestMaxRows:
    @pytest.mark.parametrize("chunk_bytes", [1, 1000])
    @pytest.mark.parametrize("max_rows", [1, 2, 3, 4])
    def test_takes_the_first(self, file, max_rows, chunk_bytes):
        embeddings = read(file, b"a 1\nb 2\nc 3\nd 4\n", max_rows=max_rows, chunk_bytes=chunk_bytes)
        assert rows(embeddings) == dict(
            list({"a": [1], "b": [2], "c": [3], "d": [4]}.items())[:max_rows]
        )

    def test_counts_no_repetitions(self, file):
        assert rows(read(file, b"a 1\na 2\nb 3\nc 4\n", max_rows=2)) == {"a": [1], "b": [3]}

    def test_beyond_the_end_takes_all(self, file):
        assert rows(read(file, b"a 1\nb 2\n", max_rows=9)) == {"a": [1], "b": [2]}

    def test_does_not_read_what_follows(self, file):
        content = b"a 1 2\nb 3 4\nc x\n"
        assert rows(read(file, content, max_rows=2, chunk_bytes=8)) == {"a": [1, 2], "b": [3, 4]}

    def test_fewer_than_the_header_says_is_no_fault(self, file, caplog):
        assert rows(read(file, b"3 2\na 1 2\nb 3 4\nc 5 6\n", max_rows=1)) == {"a": [1, 2]}
        assert caplog.text == ""


class TestChunks:
    @pytest.mark.parametrize("chunk_bytes", range(1, 40))
    def test_do_not_show(self, file, chunk_bytes):
        content = "\ufeff2 2\r\nNew York 1 2 \r\n\ufeffb 3 4\r\n日 5 6\r\n\r\n".encode()
        expected = {"New York": [1, 2], "\ufeffb": [3, 4], "日": [5, 6]}
        assert rows(read(file, content, chunk_bytes=chunk_bytes)) == expected

    @pytest.mark.parametrize("chunk_bytes", range(1, 30))
    def test_keep_the_numbers_of_lines(self, file, chunk_bytes):
        with pytest.raises(EmbeddingFileError, match="line 4, token '': the line is empty"):
            read(file, b"a 1 2\nb 3 4\nc 5 6\n\n\nd 5 6\n", chunk_bytes=chunk_bytes)


NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
TOKENS = st.text(
    st.characters(exclude_characters="\n\r\t", exclude_categories=["Cs"]), min_size=1
).filter(lambda token: not token.endswith(" "))


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    table=st.dictionaries(TOKENS, st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1),
    chunk_bytes=st.integers(1, 200),
)
def test_what_is_written_is_read(file, table, chunk_bytes):
    assume("the" not in table)
    assume(not any(is_number(part) for token in table for part in token.split(" ")[1:]))
    lines = [f"{token} {' '.join(map(repr, vector))}" for token, vector in table.items()]
    content = "\n".join(["the 0 0 0", *lines]).encode()
    embeddings = read(file, content, chunk_bytes=chunk_bytes)
    assert embeddings.tokens == ["the", *table]
    expected = np.array([(0, 0, 0), *table.values()], np.float32)
    assert embeddings.vectors.tobytes() == expected.tobytes()


@settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.lists(
        st.sampled_from([b" ", b"\n", b"\r", b"\t", b"a", b"1", b"-2.5", b"nan", b"\xff", b"1e39"])
    ).map(b"".join),
    chunk_bytes=st.integers(1, 50),
)
def test_any_bytes_are_read_or_refused(file, content, chunk_bytes):
    with contextlib.suppress(EmbeddingFileError):
        embeddings = read(file, content, chunk_bytes=chunk_bytes)
        assert len(embeddings.tokens) == len(embeddings.vectors) > 0
        assert np.isfinite(embeddings.vectors).all()
        assert not any(set("\r\n") & set(token) or not token for token in embeddings.tokens)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
