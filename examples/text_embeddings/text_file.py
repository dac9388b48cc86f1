"""Reads text files of word embeddings, as GloVe, fastText and word2vec write them.

A row is a token and D numbers, separated by spaces. The first line may be a header of two
whole numbers: the number of rows, and D.

    the 0.418 0.24968 -0.41242
    New York -0.1 .5 1e-3          a token may contain spaces: the last D fields are its vector
    nan 0.1 0.2 0.3                a token may look like anything

The CSV parser of polars parses blocks of whole lines. Only a block that it refuses is parsed
line by line, to find tokens with spaces, or the line that is wrong.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterator

import numpy as np
import polars as pl

from examples.text_embeddings.opening import EmbeddingFileError, Stream
from examples.text_embeddings.rows import (
    BYTE_ORDER_MARK,
    MOST_ROW_BYTES,
    Embeddings,
    Source,
    find_not_finite,
    find_token_problem,
    format_count,
    quote_bytes,
)

_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LAST_NUMBERS = re.compile(rb"(?:[ \t]+%b)+\Z" % _NUMBER.pattern)
_SPACES = re.compile(rb"( +)")
_HEADER = re.compile(rb"(\d{1,18}) +([1-9]\d{0,17})")
_OTHER_SEPARATORS = {b",": "commas", b"\t": "tabs", b";": "semicolons"}
# The number of rows to search for one that shows the dimension of the vectors.
_ROWS_TO_TRY = 1000


def read_text(stream: Stream, path: str, chunk_bytes: int) -> Source:
    """Reads a text file.

    Args:
        stream: The content of the file.
        path: The path of the file, for messages.
        chunk_bytes: About how many bytes of text to parse at a time.

    Raises:
        EmbeddingFileError: If a row is wrong; the message names its line and its token.
            Also raised while the rows are read.
    """
    blocks = _split_into_blocks(stream, path, chunk_bytes)
    first = _normalize_line_ends(next(blocks, b"").removeprefix(BYTE_ORDER_MARK))
    layout = _find_layout(first, path)
    if layout.header_rows is not None:
        first = first.partition(b"\n")[2]
    return Source(
        path,
        layout.dimension,
        _parse_blocks(itertools.chain([first], blocks), layout),
        unit="line",
        first=layout.first_row_line,
        announced=layout.header_rows,
    )


def _parse_blocks(blocks: Iterator[bytes], layout: _Layout) -> Iterator[Embeddings]:
    line = layout.first_row_line
    for block in filter(None, blocks):
        rows = _parse_block(block, layout, line)
        line += len(rows.tokens)
        yield rows


# --- from the stream to blocks of lines ---


def _split_into_blocks(stream: Stream, path: str, chunk_bytes: int) -> Iterator[bytes]:
    """Yields the lines of a stream in blocks, without blank lines at its end."""
    rest = b""
    while len(text := b"".join([rest, *stream.read_pieces(chunk_bytes)])) > len(rest):
        rest = text
        if len(rest) < chunk_bytes:
            continue
        # The last row that is not blank waits for the next chunk: it may continue there, and
        # blank lines after it are wrong only if another row follows them.
        end = rest.rstrip(b" \r\n").rfind(b"\n")
        if end >= 0:
            yield rest[:end]
            rest = rest[end + 1 :]
        elif len(rest) > MOST_ROW_BYTES:
            raise EmbeddingFileError(
                f"{path} has a line of more than {MOST_ROW_BYTES} bytes, so it is not a text file "
                "of embeddings; give one with a token and its vector in each line."
            )
    if last := rest.rstrip(b" \r\n"):
        yield last


def _normalize_line_ends(block: bytes) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    block = block.rstrip(b" \r")
    while b" \n" in block:
        block = block.replace(b" \n", b"\n")
    return block


# --- what the rows of this file look like ---


@dataclasses.dataclass(frozen=True)
class _Layout:
    """The layout of the rows of one file.

    Attributes:
        path: The path of the file, for messages.
        dimension: The number of elements of each vector.
        source_of_dimension: Where the dimension is from, for messages: "the header".
        header_rows: The number of rows that the header states; None without a header.
    """

    path: str
    dimension: int
    source_of_dimension: str
    header_rows: int | None = None

    @property
    def first_row_line(self) -> int:
        return 1 if self.header_rows is None else 2

    def split_row(self, line: bytes) -> tuple[bytes, list[bytes]]:
        """Splits a row into its token and the fields of its vector; a short row has too few."""
        pieces = _SPACES.split(line)  # field, spaces, field, spaces, ..., field
        spaces_and_fields = min(2 * self.dimension, len(pieces) - 1)
        first = len(pieces) - spaces_and_fields
        return b"".join(pieces[:first]), pieces[first + 1 :: 2]

    def make_row_error(self, line_number: int, token: bytes, problem: str) -> EmbeddingFileError:
        token = _LAST_NUMBERS.sub(b"", token)  # more likely a part of the vector
        return EmbeddingFileError(
            f"{self.path}, line {line_number}, token {quote_bytes(token)}: {problem}. "
            f"By {self.source_of_dimension} a row is a token and {format_count(self.dimension)}, "
            "with spaces between them; mend this line or take it out."
        )


def _find_layout(block: bytes, path: str) -> _Layout:
    """Finds the layout of the rows of a file from its first block of lines."""
    lines = block.split(b"\n", _ROWS_TO_TRY)[:_ROWS_TO_TRY]
    header = _HEADER.fullmatch(lines[0])
    # A first line of two whole numbers could also be a row of one dimension.
    if header and (len(lines) == 1 or len(_get_later_fields(lines[1])) != 1 or header[2] == b"1"):
        layout = _Layout(path, int(header[2]), "the header", int(header[1]))
        # Before allocating anything of that size, as the line may not be a header at all.
        if len(lines) > 1 and len(_get_later_fields(lines[1])) < layout.dimension:
            _check_separators(lines[1:2], 2, path)
            _parse_row(lines[1], layout, 2)
        return layout
    for number, line in enumerate(lines, 1):
        fields = _get_later_fields(line)
        if fields and all(map(_NUMBER.fullmatch, fields)):
            return _Layout(path, len(fields), f"line {number}")
    _check_separators(lines, 1, path)
    return _Layout(path, max(1, _count_last_numbers(lines[0])), "the end of line 1")


def _check_separators(lines: list[bytes], line_number: int, path: str) -> None:
    """Checks that no line is a row of comma-separated values, or of tabs or semicolons.

    Args:
        lines: The lines to check.
        line_number: The number of the first line.
        path: The path of the file, for messages.

    Raises:
        EmbeddingFileError: If a line is; the message names the separator.
    """
    for number, line in enumerate(lines, line_number):
        for separator, name in _OTHER_SEPARATORS.items():
            if _make_row_pattern(separator).fullmatch(line):
                raise EmbeddingFileError(
                    f"{path}, line {number}: {name} ({separator.decode()!r}) separate the fields "
                    "of this line, but a file of embeddings has spaces between them. Write it "
                    "with spaces, and without a line of column names."
                )


@functools.cache
def _make_row_pattern(separator: bytes) -> re.Pattern[bytes]:
    """Returns a pattern of a token and two or more numbers, which may be in quotes."""
    number = rb'[ "]*%b[ "]*' % _NUMBER.pattern
    return re.compile(rb"[^%b]*(?:%b%b){2,}\r?" % (separator, separator, number))


# --- from lines to tokens and vectors ---


def _parse_block(block: bytes, layout: _Layout, line_number: int) -> Embeddings:
    """Parses one block of lines, of which `line_number` is the number of the first."""
    if rows := _parse_plain_block(block, layout.dimension):
        return rows
    plain = _normalize_line_ends(block)
    if plain != block and (rows := _parse_plain_block(plain, layout.dimension)):
        return rows
    tokens, without_tokens = _separate_tokens(plain, layout, line_number)
    vectors = _get_vectors(_parse_with_polars(without_tokens, layout.dimension))
    _check_finite(vectors, plain, layout, line_number)
    return Embeddings(tokens, vectors)


def _parse_plain_block(block: bytes, dimension: int) -> Embeddings | None:
    """Parses a block by polars; returns None if any of its lines needs a closer look."""
    # Polars drops a byte order mark, which here would be part of a token, and accepts tabs and
    # carriage returns in tokens, which need a check.
    if block.startswith(BYTE_ORDER_MARK) or b"\r" in block or b"\t" in block:
        return None
    try:
        frame = _parse_with_polars(block, dimension)
    except pl.exceptions.PolarsError:
        return None
    rows = Embeddings(frame["token"].to_list(), _get_vectors(frame))
    # Polars fills missing fields of a line with None or NaN.
    ordinary = None not in rows.tokens and np.isfinite(rows.vectors).all()
    return rows if ordinary and len(rows.tokens) == _count_lines(block) else None


def _count_lines(block: bytes) -> int:
    # Takes a fifth of the time of bytes.count.
    return np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1


def _get_vectors(frame: pl.DataFrame) -> np.ndarray:
    return frame[:, 1:].to_numpy(order="c")


def _parse_with_polars(block: bytes, dimension: int) -> pl.DataFrame:
    numbers = {f"number {i}": pl.Float32 for i in range(dimension)}
    return pl.read_csv(
        block,
        schema={"token": pl.String, **numbers},
        has_header=False,
        separator=" ",
        quote_char=None,
    )


def _separate_tokens(block: bytes, layout: _Layout, line_number: int) -> tuple[list[str], bytes]:
    """Separates tokens from vectors.

    Returns:
      The tokens of the lines, and the lines with "_" in place of each token.

    Raises:
      EmbeddingFileError: If a line is not a row; the message names the first such line.
    """
    tokens, rows = [], []
    for number, line in enumerate(block.split(b"\n"), line_number):
        token, fields = _parse_row(line, layout, number)
        tokens.append(token)
        rows.append(b" ".join([b"_", *fields]))
    return tokens, b"\n".join(rows)


def _parse_row(line: bytes, layout: _Layout, line_number: int) -> tuple[str, list[bytes]]:
    token, fields = layout.split_row(line)
    if problem := _find_vector_problem(fields, line, layout) or _find_token_problem(token, line):
        raise layout.make_row_error(line_number, token, problem)
    return token.decode(), fields


def _find_vector_problem(fields: list[bytes], line: bytes, layout: _Layout) -> str | None:
    if not line:
        return "the line is empty"
    if len(fields) < layout.dimension:
        return f"it has {format_count(len(fields))}"
    for field in itertools.filterfalse(_NUMBER.fullmatch, fields):
        return f"{quote_bytes(field)} is not a number"
    return None


def _find_token_problem(token: bytes, line: bytes) -> str | None:
    # More likely a row that is too long, or has tabs for spaces, than a number in a token.
    if any(map(_NUMBER.fullmatch, re.split(rb"[ \t]", token)[1:])):
        return f"it has {format_count(_count_last_numbers(line))}, or a number within its token"
    return find_token_problem(token)


def _check_finite(vectors: np.ndarray, block: bytes, layout: _Layout, line_number: int) -> None:
    if place := find_not_finite(vectors):
        row, column = place
        token, fields = layout.split_row(block.split(b"\n")[row])
        problem = f"{quote_bytes(fields[column])} is not a finite float32"
        raise layout.make_row_error(line_number + row, token, problem)


def _get_later_fields(line: bytes) -> list[bytes]:
    return _SPACES.split(line)[2::2]


def _count_last_numbers(line: bytes) -> int:
    fields = reversed(_get_later_fields(line))
    return sum(1 for _ in itertools.takewhile(_NUMBER.fullmatch, fields))
