"""Parts of a corpus."""

from __future__ import annotations

import gzip
import sys

import pytest

from tests.skipping import skip_without

skip_without("apache_beam", __name__)

import pyarrow as pa
import pyarrow.parquet as pq

from examples.text_embeddings.corpus import Corpus, Part, find_corpus, list_parts, read_part


def read(corpus, part, size=2):
    """The ids and texts of a part."""
    return [
        (id, text)
        for rows in read_part(corpus, part, size)
        for id, text in zip(rows.ids, rows.texts, strict=True)
    ]


def read_all(corpus, rows_per_part):
    return [read(corpus, part) for part in list_parts(corpus, rows_per_part)]


@pytest.fixture
def lines(tmp_path):
    (tmp_path / "a.txt").write_bytes("zero\none\r\ntwö\n\nfour".encode())
    (tmp_path / "b.txt").write_bytes(b"five\n")
    (tmp_path / "c.txt").write_bytes(b"")
    return find_corpus(str(tmp_path / "*.txt"), None, None, None)


def test_parts_of_lines(lines):
    assert read_all(lines, 2) == [
        [(0, b"zero"), (1, b"one")],
        [(2, "twö".encode()), (3, b"")],
        [(4, b"four")],
        [(5, b"five")],
    ]


@pytest.mark.parametrize("rows_per_part", [1, 2, 3, 5, 100])
def test_the_size_of_parts_does_not_change_the_rows(lines, rows_per_part):
    rows = [row for part in read_all(lines, rows_per_part) for row in part]
    assert [id for id, _ in rows] == list(range(6))
    assert rows == [row for part in read_all(lines, 2) for row in part]


def test_a_packed_file_is_one_part(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"zero\none\ntwo\n"))
    corpus = find_corpus(str(tmp_path / "a.txt.gz"), None, None, None)
    assert read_all(corpus, 1) == [[(0, b"zero"), (1, b"one"), (2, b"two")]]


def test_columns_of_tsv(tmp_path):
    (tmp_path / "a.tsv").write_bytes(b"x\tzero\ty\nz\tone\tw\n")
    path = str(tmp_path / "a.tsv")
    assert read_all(find_corpus(path, None, "1", "2"), 1) == [[("y", b"zero")], [("w", b"one")]]
    assert read_all(find_corpus(path, None, "1", None), 9) == [[(0, b"zero"), (1, b"one")]]


def test_a_row_that_lacks_a_column(tmp_path):
    (tmp_path / "a.tsv").write_bytes(b"x\tzero\ny\n")
    corpus = find_corpus(str(tmp_path / "a.tsv"), None, "1", None)
    with pytest.raises(ValueError, match=r"Row 1 of the corpus, in .*a.tsv, has 1 columns"):
        read_all(corpus, 9)


def test_row_groups_of_parquet(tmp_path):
    table = pa.table({"key": ["a", "b", "c"], "text": ["zero", None, "twö"]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    path = str(tmp_path / "a.parquet")
    assert read_all(find_corpus(path, None, "text", "key"), 1) == [
        [("a", b"zero"), ("b", b"")],
        [("c", "twö".encode())],
    ]
    assert read_all(find_corpus(path, None, "text", None), 1)[1] == [(2, "twö".encode())]


def test_a_column_that_a_parquet_file_lacks(tmp_path):
    pq.write_table(pa.table({"x": ["a"]}), tmp_path / "a.parquet")
    corpus = find_corpus(str(tmp_path / "a.parquet"), None, "text", None)
    with pytest.raises(ValueError, match=r"has no columns \['text'\]; it has \['x'\]"):
        read_all(corpus, 1)


def test_a_file_that_became_shorter(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"zero\n")
    corpus = Corpus((str(tmp_path / "a.txt"),), "lines")
    with pytest.raises(ValueError, match="changed while it was read: a part has 1 rows, and had 2"):
        read(corpus, Part(0, corpus.files[0], 0, 0, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lines", "0", None), "Text lines have no columns"),
        (("tsv", None, None), "Give --text_column"),
        (("tsv", "text", None), "Columns of TSV files are numbers"),
    ],
)
def test_columns_that_do_not_fit_the_format(tmp_path, arguments, message):
    (tmp_path / "a").touch()
    with pytest.raises(ValueError, match=message):
        find_corpus(str(tmp_path / "a"), *arguments)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="No file matches"):
        find_corpus(str(tmp_path / "*.txt"), None, None, None)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
