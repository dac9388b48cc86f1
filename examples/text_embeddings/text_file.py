"""Reads text files of word embeddings, as GloVe, fastText and word2vec write them.

A row is a token and D numbers, separated by spaces. The first line may be a header,
which is two whole numbers: how many rows there are, and D.

    the 0.418 0.24968 -0.41242
    New York -0.1 .5 1e-3          a token may contain spaces: the last D fields are its vector
    nan 0.1 0.2 0.3                a token may look like anything

Blocks of whole lines go through the CSV parser of polars. Only a block that it
refuses is taken apart line by line, to find tokens with spaces or to say which
line is wrong.
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
    counted,
    first_not_finite,
    problem_of_token,
    shown,
)

_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LAST_NUMBERS = re.compile(rb"(?:[ \t]+%b)+\Z" % _NUMBER.pattern)
_SPACES = re.compile(rb"( +)")
_HEADER = re.compile(rb"(\d{1,18}) +([1-9]\d{0,17})")
_OTHER_SEPARATORS = {b",": "commas", b"\t": "tabs", b";": "semicolons"}
# So many rows are tried in the search for one that shows the dimension of the vectors.
_ROWS_TO_TRY = 1000


def read_text(stream: Stream, path: str, chunk_bytes: int) -> Source:
    """Reads a text file.

    Args:
        stream: its content.
        path: of the file, for messages.
        chunk_bytes: how much text is parsed at a time.

    Raises:
        EmbeddingFileError: a row is wrong; the message names its line and its token.
            Also raised while the rows are taken.
    """
    blocks = _blocks(stream, path, chunk_bytes)
    first = _with_plain_line_ends(next(blocks, b"").removeprefix(BYTE_ORDER_MARK))
    layout = _layout(first, path)
    if layout.header_rows is not None:
        first = first.partition(b"\n")[2]
    return Source(
        path,
        layout.dimension,
        _rows(itertools.chain([first], blocks), layout),
        unit="line",
        first=layout.first_row_line,
        announced=layout.header_rows,
    )


def _rows(blocks: Iterator[bytes], layout: _Layout) -> Iterator[Embeddings]:
    line = layout.first_row_line
    for block in filter(None, blocks):
        rows = _parsed(block, layout, line)
        line += len(rows.tokens)
        yield rows


# --- from the stream to blocks of lines ---


def _blocks(stream: Stream, path: str, chunk_bytes: int) -> Iterator[bytes]:
    """Yields the lines of a stream in blocks, but for blank lines at its end."""
    rest = b""
    while len(text := b"".join([rest, *stream.pieces(chunk_bytes)])) > len(rest):
        rest = text
        if len(rest) < chunk_bytes:
            continue
        # The last row that is not blank has to wait: it may go on in the next chunk,
        # and blank lines after it are wrong only if another row follows them.
        end = rest.rstrip(b" \r\n").rfind(b"\n")
        if end >= 0:
            yield rest[:end]
            rest = rest[end + 1 :]
        elif len(rest) > MOST_ROW_BYTES:
            raise EmbeddingFileError(
                f"{path} has a line of more than {MOST_ROW_BYTES} bytes, so it is no text file "
                "of embeddings; give one with a token and its vector in each line."
            )
    if last := rest.rstrip(b" \r\n"):
        yield last


def _with_plain_line_ends(block: bytes) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    block = block.rstrip(b" \r")
    while b" \n" in block:
        block = block.replace(b" \n", b"\n")
    return block


# --- what the rows of this file look like ---


@dataclasses.dataclass(frozen=True)
class _Layout:
    """How the rows of one file are to be read."""

    path: str
    dimension: int
    told_by: str  # what the dimension is taken from, for messages
    header_rows: int | None = None  # the number of rows that a header announces

    @property
    def first_row_line(self) -> int:
        return 1 if self.header_rows is None else 2

    def split(self, line: bytes) -> tuple[bytes, list[bytes]]:
        """The token of a row and the fields of its vector, which are too few if it is short."""
        pieces = _SPACES.split(line)  # field, spaces, field, spaces, ..., field
        spaces_and_fields = min(2 * self.dimension, len(pieces) - 1)
        first = len(pieces) - spaces_and_fields
        return b"".join(pieces[:first]), pieces[first + 1 :: 2]

    def row_error(self, line_number: int, token: bytes, problem: str) -> EmbeddingFileError:
        token = _LAST_NUMBERS.sub(b"", token)  # they are rather of the vector
        return EmbeddingFileError(
            f"{self.path}, line {line_number}, token {shown(token)}: {problem}. "
            f"By {self.told_by} a row is a token and {counted(self.dimension)}, with spaces "
            "between them; mend this line or take it out."
        )


def _layout(block: bytes, path: str) -> _Layout:
    """Tells from the first lines of a file what its rows look like."""
    lines = block.split(b"\n", _ROWS_TO_TRY)[:_ROWS_TO_TRY]
    header = _HEADER.fullmatch(lines[0])
    # A first line of two whole numbers could also be a row of one dimension.
    if header and (len(lines) == 1 or len(_later_fields(lines[1])) != 1 or header[2] == b"1"):
        layout = _Layout(path, int(header[2]), "the header", int(header[1]))
        # Before anything of that size is made: the line may be no header at all.
        if len(lines) > 1 and len(_later_fields(lines[1])) < layout.dimension:
            _check_separators(lines[1:2], 2, path)
            _checked_row(lines[1], layout, 2)
        return layout
    for number, line in enumerate(lines, 1):
        fields = _later_fields(line)
        if fields and all(map(_NUMBER.fullmatch, fields)):
            return _Layout(path, len(fields), f"line {number}")
    _check_separators(lines, 1, path)
    return _Layout(path, max(1, _count_last_numbers(lines[0])), "the end of line 1")


def _check_separators(lines: list[bytes], line_number: int, path: str) -> None:
    """Checks that no line is a row of comma-separated values, or of tabs or semicolons.

    Args:
        lines: the lines to check.
        line_number: the number of the first.
        path: of the file, for messages.

    Raises:
        EmbeddingFileError: a line is; the message names the separator.
    """
    for number, line in enumerate(lines, line_number):
        for separator, name in _OTHER_SEPARATORS.items():
            if _row_with(separator).fullmatch(line):
                raise EmbeddingFileError(
                    f"{path}, line {number}: {name} ({separator.decode()!r}) separate the fields "
                    "of this line, but a file of embeddings has spaces between them. Write it "
                    "with spaces, and without a line of column names."
                )


@functools.cache
def _row_with(separator: bytes) -> re.Pattern[bytes]:
    """Returns a pattern of a token and two or more numbers, which may be in quotes."""
    number = rb'[ "]*%b[ "]*' % _NUMBER.pattern
    return re.compile(rb"[^%b]*(?:%b%b){2,}\r?" % (separator, separator, number))


# --- from lines to tokens and vectors ---


def _parsed(block: bytes, layout: _Layout, line_number: int) -> Embeddings:
    """Returns the rows of one block, the first line of which has `line_number`."""
    if rows := _parsed_at_once(block, layout.dimension):
        return rows
    plain = _with_plain_line_ends(block)
    if plain != block and (rows := _parsed_at_once(plain, layout.dimension)):
        return rows
    tokens, without_tokens = _taken_apart(plain, layout, line_number)
    vectors = _numbers(_parsed_by_polars(without_tokens, layout.dimension))
    _check_finite(vectors, plain, layout, line_number)
    return Embeddings(tokens, vectors)


def _parsed_at_once(block: bytes, dimension: int) -> Embeddings | None:
    """Returns the rows of a block if nothing about them is special, else None."""
    # Polars drops a byte order mark, which here would be part of a token, and lets tokens
    # have tabs and carriage returns, which have to be looked at.
    if block.startswith(BYTE_ORDER_MARK) or b"\r" in block or b"\t" in block:
        return None
    try:
        frame = _parsed_by_polars(block, dimension)
    except pl.exceptions.PolarsError:
        return None
    rows = Embeddings(frame["token"].to_list(), _numbers(frame))
    # What is missing in a line has become None, or a number that is none.
    ordinary = None not in rows.tokens and np.isfinite(rows.vectors).all()
    return rows if ordinary and len(rows.tokens) == _count_lines(block) else None


def _count_lines(block: bytes) -> int:
    # In a fifth of the time that bytes.count takes.
    return np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1


def _numbers(frame: pl.DataFrame) -> np.ndarray:
    return frame[:, 1:].to_numpy(order="c")


def _parsed_by_polars(block: bytes, dimension: int) -> pl.DataFrame:
    numbers = {f"number {i}": pl.Float32 for i in range(dimension)}
    return pl.read_csv(
        block,
        schema={"token": pl.String, **numbers},
        has_header=False,
        separator=" ",
        quote_char=None,
    )


def _taken_apart(block: bytes, layout: _Layout, line_number: int) -> tuple[list[str], bytes]:
    """Returns the tokens of the lines, and the lines with a plain word for each token.

    Raises:
      EmbeddingFileError: a line is no row; it is the first such line.
    """
    tokens, rows = [], []
    for number, line in enumerate(block.split(b"\n"), line_number):
        token, fields = _checked_row(line, layout, number)
        tokens.append(token)
        rows.append(b" ".join([b"_", *fields]))
    return tokens, b"\n".join(rows)


def _checked_row(line: bytes, layout: _Layout, line_number: int) -> tuple[str, list[bytes]]:
    token, fields = layout.split(line)
    if problem := _problem_of_vector(fields, line, layout) or _problem_of_token(token, line):
        raise layout.row_error(line_number, token, problem)
    return token.decode(), fields


def _problem_of_vector(fields: list[bytes], line: bytes, layout: _Layout) -> str | None:
    if not line:
        return "the line is empty"
    if len(fields) < layout.dimension:
        return f"it has {counted(len(fields))}"
    for field in itertools.filterfalse(_NUMBER.fullmatch, fields):
        return f"{shown(field)} is not a number"
    return None


def _problem_of_token(token: bytes, line: bytes) -> str | None:
    # Rather a row that is too long, or has tabs for spaces, than a number in a token.
    if any(map(_NUMBER.fullmatch, re.split(rb"[ \t]", token)[1:])):
        return f"it has {counted(_count_last_numbers(line))}, or a number within its token"
    return problem_of_token(token)


def _check_finite(vectors: np.ndarray, block: bytes, layout: _Layout, line_number: int) -> None:
    if place := first_not_finite(vectors):
        row, column = place
        token, fields = layout.split(block.split(b"\n")[row])
        problem = f"{shown(fields[column])} is not a finite float32"
        raise layout.row_error(line_number + row, token, problem)


def _later_fields(line: bytes) -> list[bytes]:
    return _SPACES.split(line)[2::2]


def _count_last_numbers(line: bytes) -> int:
    fields = reversed(_later_fields(line))
    return sum(1 for _ in itertools.takewhile(_NUMBER.fullmatch, fields))
