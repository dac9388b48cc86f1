"""Reads a corpus in parts: files of text lines, TSV or Parquet."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

FORMATS = ("lines", "tsv", "parquet")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Where the rows of a corpus are, and what of them to read.

    Attributes:
        files: The paths of the files, on any file system of Beam.
        format: One of FORMATS.
        text_column: The column of the text: its number from 0 in TSV, its name in Parquet.
        id_column: The column of the id, likewise; None makes the id the number of the row in
            the corpus, from 0.
    """

    files: tuple[str, ...]
    format: str
    text_column: str | None = None
    id_column: str | None = None


@dataclasses.dataclass(frozen=True)
class Part:
    """Successive rows of a file, which are read and written together.

    Attributes:
        number: The number of the part in the corpus, from 0.
        file: The path of the file.
        start: Where the part starts: a byte in text, a row group in Parquet.
        first_row: The number of the first row in the corpus, from 0.
        rows: The number of rows.
    """

    number: int
    file: str
    start: int
    first_row: int
    rows: int


@dataclasses.dataclass(frozen=True)
class Rows:
    """Some rows of a part.

    Attributes:
        ids: Their ids: texts, or integers.
        texts: Their texts: UTF-8, or any other bytes of text files.
    """

    ids: Sequence[Any]
    texts: Sequence[bytes]


def find_corpus(
    pattern: str, format: str | None, text_column: str | None, id_column: str | None
) -> Corpus:
    """Finds the files of a corpus.

    Args:
        pattern: The path of a file, or a pattern with `*`, on any file system of Beam.
        format: One of FORMATS; None takes it from the names of the files.
        text_column: As in `Corpus`.
        id_column: As in `Corpus`.

    Raises:
        FileNotFoundError: If no file matches.
        ValueError: If the columns do not fit the format.
    """
    (match,) = FileSystems.match([pattern])
    files = tuple(sorted(found.path for found in match.metadata_list))
    if not files:
        raise FileNotFoundError(f"No file matches {pattern}; give a path, or a pattern with *.")
    if format is None:
        kinds = {kind for kind in ("tsv", "parquet") if f".{kind}" in files[0].rpartition("/")[2]}
        format = kinds.pop() if kinds else "lines"
    if format == "lines" and (text_column or id_column):
        raise ValueError("Text lines have no columns; give --format=tsv or --format=parquet.")
    if format != "lines" and text_column is None:
        raise ValueError(f"Give --text_column, the column of the text in {format} files.")
    if format == "tsv" and not all((c or "0").isdecimal() for c in (text_column, id_column)):
        raise ValueError("Columns of TSV files are numbers, from 0.")
    return Corpus(files, format, text_column, id_column)


def list_parts(corpus: Corpus, rows_per_part: int) -> list[Part]:
    """Splits a corpus into parts, always in the same way.

    Text files are read through to count their rows. A packed text file is one part, and so is
    each row group of a Parquet file.

    Args:
        corpus: The corpus.
        rows_per_part: The most rows of a part of a text file.
    """
    split = _split_parquet if corpus.format == "parquet" else _split_text
    parts: list[Part] = []
    first_row = 0
    for file in corpus.files:
        for start, rows in split(file, rows_per_part):
            if rows:
                parts.append(Part(len(parts), file, start, first_row, rows))
                first_row += rows
    return parts


def _split_parquet(path: str, rows_per_part: int) -> Iterator[tuple[int, int]]:
    del rows_per_part
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        metadata = pq.ParquetFile(file).metadata
        for group in range(metadata.num_row_groups):
            yield group, metadata.row_group(group).num_rows


def _split_text(path: str, rows_per_part: int) -> Iterator[tuple[int, int]]:
    is_packed = CompressionTypes.detect_compression_type(path) != CompressionTypes.UNCOMPRESSED
    start = offset = rows = 0
    with FileSystems.open(path) as file:
        for line in _read_lines(file):
            if rows == rows_per_part and not is_packed:
                yield start, rows
                start, rows = offset, 0
            offset += len(line)
            rows += 1
    yield start, rows


def _read_lines(file: Any) -> Iterator[bytes]:
    # Beam's packed files cannot be iterated.
    return iter(file) if hasattr(file, "__iter__") else iter(file.readline, b"")


def read_part(corpus: Corpus, part: Part, size: int) -> Iterator[Rows]:
    """Reads the rows of a part, `size` at a time.

    Raises:
        ValueError: If a row lacks a column, or the file has fewer rows than when it was split.
    """
    read = _read_parquet if corpus.format == "parquet" else _read_text
    done = 0
    for rows in read(corpus, part, size):
        done += len(rows.texts)
        yield rows
    if done != part.rows:
        raise ValueError(
            f"{part.file} changed while it was read: a part has {done} rows, and had {part.rows}. "
            "Write to another directory to start again."
        )


def _read_parquet(corpus: Corpus, part: Part, size: int) -> Iterator[Rows]:
    with FileSystems.open(part.file, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        columns = [name for name in (corpus.text_column, corpus.id_column) if name is not None]
        source = pq.ParquetFile(file)
        missing = sorted(set(columns) - set(source.schema_arrow.names))
        if missing:
            names = source.schema_arrow.names
            raise ValueError(f"{part.file} has no columns {missing}; it has {names}.")
        row = part.first_row
        for batch in source.iter_batches(size, row_groups=[part.start], columns=columns):
            texts = batch.column(corpus.text_column).cast(pa.binary()).fill_null(b"").to_pylist()
            ids = batch.column(corpus.id_column).to_pylist() if corpus.id_column else None
            yield Rows(ids if ids is not None else range(row, row + len(texts)), texts)
            row += len(texts)


def _read_text(corpus: Corpus, part: Part, size: int) -> Iterator[Rows]:
    with FileSystems.open(part.file) as file:
        if part.start:
            file.seek(part.start)
        source = _read_lines(file)
        for first in range(part.first_row, part.first_row + part.rows, size):
            count = min(size, part.first_row + part.rows - first)
            lines = [line.rstrip(b"\r\n") for line in itertools.islice(source, count)]
            numbers = range(first, first + len(lines))
            if corpus.format == "lines":
                yield Rows(numbers, lines)
                continue
            fields = [line.split(b"\t") for line in lines]
            texts = _pick_column(corpus.text_column or "0", fields, part, numbers)
            if corpus.id_column is None:
                yield Rows(numbers, texts)
            else:
                ids = _pick_column(corpus.id_column, fields, part, numbers)
                yield Rows([field.decode(errors="replace") for field in ids], texts)


def _pick_column(
    column: str, rows: Sequence[Sequence[bytes]], part: Part, numbers: Sequence[int]
) -> list[bytes]:
    index = int(column)
    for number, row in zip(numbers, rows, strict=True):
        if len(row) <= index:
            raise ValueError(
                f"Row {number} of the corpus, in {part.file}, has {len(row)} columns, and column "
                f"{index} is wanted. Columns are counted from 0."
            )
    return [row[index] for row in rows]
