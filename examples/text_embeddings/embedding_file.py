"""Reads a text file of word embeddings, as GloVe, fastText and word2vec write it.

A row is a token and D numbers, separated by spaces. The file may be plain, or
packed by gzip, bzip2 or xz; its first line may be a fastText header, which is
two whole numbers: how many rows there are, and D.

    the 0.418 0.24968 -0.41242
    New York -0.1 .5 1e-3          a token may contain spaces: the last D fields are its vector
    nan 0.1 0.2 0.3                a token may look like anything

Blocks of whole lines go through the CSV parser of polars. Only a block that it
refuses is taken apart line by line, to find tokens with spaces or to say which
line is wrong.
"""

from __future__ import annotations

import bz2
import contextlib
import dataclasses
import gzip
import itertools
import logging
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
import tensorflow as tf
from tqdm import tqdm

# A longer line is no row of a text file, and all of it would have to be held in memory.
_MAX_LINE_BYTES = 64 << 20
# How a packed file starts. "BZh" alone could be a token.
_OPENERS: dict[re.Pattern[bytes], Callable[[Any], Any]] = {
    re.compile(rb"\x1f\x8b"): gzip.open,
    re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"): bz2.open,
    re.compile(rb"\xfd7zXZ\x00"): lzma.open,
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LAST_NUMBERS = re.compile(rb"(?:[ \t]+%b)+\Z" % _NUMBER.pattern)
_SPACES = re.compile(rb"( +)")
_HEADER = re.compile(rb"(\d+) +([1-9]\d*)")
# So many rows are tried in the search for one that shows the dimension of the vectors.
_ROWS_TO_TRY = 1000

_log = logging.getLogger(__name__)


class EmbeddingFileError(ValueError):
    """A file cannot be read as embeddings."""


@dataclasses.dataclass(frozen=True)
class Embeddings:
    """Words and their vectors.

    Attributes:
      tokens: the words, each once, in the order of the file.
      vectors: float32 of shape [len(tokens), dimension].
    """

    tokens: list[str]
    vectors: np.ndarray


def read_embeddings(path: str, chunk_bytes: int = 16 << 20) -> Embeddings:
    """Reads the embeddings in a file.

    Each number becomes the float32 that is nearest to its decimal text. Of several
    rows with the same token the first counts, which in files ordered by frequency
    is the one that matters; the others are left out with a warning.

    Args:
      path: a file on any file system of TensorFlow. What it is packed with is told
        from its content, not from its name.
      chunk_bytes: how much text is parsed at a time.

    Raises:
      FileNotFoundError: nothing is at `path`.
      EmbeddingFileError: the file is empty or damaged, or a row is wrong, in which
        case the message names its line and its token.
    """
    with _opened(path) as stream:
        blocks = _blocks(stream, path, chunk_bytes)
        first = next(blocks, b"").removeprefix(_BYTE_ORDER_MARK)
        layout = _layout(first, path)
        if layout.header_rows is not None:
            first = first.partition(b"\n")[2]
        embeddings = _read_rows(itertools.chain([first], blocks), layout)
    return _without_repetitions(embeddings, layout)


# --- from the file to blocks of lines ---


@contextlib.contextmanager
def _opened(path: str) -> Iterator[Any]:
    """Yields the unpacked bytes of a file, and shows on a terminal how much has been read."""
    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(f"{path} does not exist; give the path of a file of embeddings.")
    if tf.io.gfile.isdir(path):
        raise EmbeddingFileError(f"{path} is a directory; give the path of a file in it.")
    with tf.io.gfile.GFile(path, "rb") as file:
        start = file.read(16)
        file.seek(0)
        with tqdm.wrapattr(
            file,
            "read",
            total=file.size(),
            desc=f"Reading {path}",
            delay=2,
            disable=not sys.stderr.isatty(),
        ) as stream:
            yield next(
                (unpacked(stream) for magic, unpacked in _OPENERS.items() if magic.match(start)),
                stream,
            )


def _blocks(stream: Any, path: str, chunk_bytes: int) -> Iterator[bytes]:
    """Yields the lines of a stream in blocks, joined by newlines.

    Spaces and carriage returns at the ends of lines are gone, as are blank lines
    at the end of the stream.
    """
    rest = b""
    while chunk := _unpacked(stream, path, chunk_bytes):
        rest += chunk
        if len(rest) < chunk_bytes:
            continue
        # The last row that is not blank has to wait: it may go on in the next chunk,
        # and blank lines after it are wrong only if another row follows them.
        end = rest.rstrip(b" \r\n").rfind(b"\n")
        if end >= 0:
            yield _with_plain_line_ends(rest[:end])
            rest = rest[end + 1 :]
        elif len(rest) > _MAX_LINE_BYTES:
            raise EmbeddingFileError(
                f"{path} has a line of more than {_MAX_LINE_BYTES} bytes, so it is no text file "
                "of embeddings; give one with a token and its vector in each line."
            )
    if last := rest.rstrip(b" \r\n"):
        yield _with_plain_line_ends(last)


def _unpacked(stream: Any, path: str, size: int) -> bytes:
    try:
        return stream.read(size)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise EmbeddingFileError(
            f"{path} is damaged or cut off and cannot be unpacked ({error}); fetch it again."
        ) from error


def _with_plain_line_ends(block: bytes) -> bytes:
    block = block.replace(b"\r\n", b"\n").rstrip(b" \r")
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
            f"{self.path}, line {line_number}, token {_shown(token)}: {problem}. "
            f"By {self.told_by} a row is a token and {_count(self.dimension)}, with spaces between "
            "them; mend this line or take it out."
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
            _checked_row(lines[1], layout, 2)
        return layout
    for number, line in enumerate(lines, 1):
        fields = _later_fields(line)
        if fields and all(map(_NUMBER.fullmatch, fields)):
            return _Layout(path, len(fields), f"line {number}")
    return _Layout(path, max(1, _count_last_numbers(lines[0])), "the end of line 1")


# --- from lines to tokens and vectors ---


def _read_rows(blocks: Iterator[bytes], layout: _Layout) -> Embeddings:
    tokens: list[str] = []
    vectors: np.ndarray = np.empty([0, layout.dimension], np.float32)
    for block in filter(None, blocks):
        parsed = _parsed(block, layout, layout.first_row_line + len(tokens))
        end = len(tokens) + len(parsed.tokens)
        if end > len(vectors):
            # In place: concatenating a list of arrays would need the memory twice.
            vectors.resize([max(end, len(vectors) * 5 // 4), layout.dimension], refcheck=False)
        vectors[len(tokens) : end] = parsed.vectors
        tokens += parsed.tokens
    if not tokens:
        raise EmbeddingFileError(
            f"{layout.path} has no rows; give a file with a token and its vector in each line."
        )
    if layout.header_rows not in (None, len(tokens)):
        message = "%s: its header announces %d rows, but it has %d."
        _log.warning(message, layout.path, layout.header_rows, len(tokens))
    vectors.resize([len(tokens), layout.dimension], refcheck=False)
    return Embeddings(tokens, vectors)


def _parsed(block: bytes, layout: _Layout, line_number: int) -> Embeddings:
    """Returns the rows of one block, the first line of which has `line_number`."""
    frame = None
    # Polars drops a byte order mark, which here would be part of a token, and lets tokens
    # have tabs and carriage returns, which have to be looked at.
    if not (block.startswith(_BYTE_ORDER_MARK) or b"\r" in block or b"\t" in block):
        with contextlib.suppress(pl.exceptions.PolarsError):
            frame = _parsed_by_polars(block, layout.dimension)
    if frame is None or frame.height != block.count(b"\n") + 1 or any(frame.null_count().row(0)):
        tokens, rows = _taken_apart(block, layout, line_number)
        frame = _parsed_by_polars(rows, layout.dimension)
    else:
        tokens = frame["token"].to_list()
    vectors = frame.drop("token").to_numpy(order="c")
    _check_finite(vectors, block, layout, line_number)
    return Embeddings(tokens, vectors)


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
        return f"it has {_count(len(fields))}"
    for field in itertools.filterfalse(_NUMBER.fullmatch, fields):
        return f"{_shown(field)} is not a number"
    return None


def _problem_of_token(token: bytes, line: bytes) -> str | None:
    if not token:
        return "its token is empty, and the vocabulary of a module cannot hold that"
    if b"\r" in token:
        return "its token has a carriage return, and the vocabulary of a module cannot hold that"
    # Rather a row that is too long, or has tabs for spaces, than a number in a token.
    if any(map(_NUMBER.fullmatch, re.split(rb"[ \t]", token)[1:])):
        return f"it has {_count(_count_last_numbers(line))}, or a number within its token"
    try:
        token.decode()
    except UnicodeDecodeError as error:
        return f"its token is not valid UTF-8 ({error.reason} at byte {error.start})"
    return None


def _check_finite(vectors: np.ndarray, block: bytes, layout: _Layout, line_number: int) -> None:
    rows, columns = np.nonzero(~np.isfinite(vectors))
    if rows.size:
        token, fields = layout.split(block.split(b"\n")[rows[0]])
        problem = f"{_shown(fields[columns[0]])} is not a finite float32"
        raise layout.row_error(line_number + int(rows[0]), token, problem)


def _without_repetitions(embeddings: Embeddings, layout: _Layout) -> Embeddings:
    first_rows: dict[str, int] = {}
    for row, token in enumerate(embeddings.tokens):
        first_rows.setdefault(token, row)
    repeated = len(embeddings.tokens) - len(first_rows)
    if not repeated:
        return embeddings
    row, token = next(
        (row, token) for row, token in enumerate(embeddings.tokens) if first_rows[token] != row
    )
    _log.warning(
        "%s: left out %d of %d rows, because a row before has the same token: the first is "
        "line %d, token %r, which is in line %d already.",
        layout.path,
        repeated,
        len(embeddings.tokens),
        layout.first_row_line + row,
        token,
        layout.first_row_line + first_rows[token],
    )
    return Embeddings(list(first_rows), embeddings.vectors[list(first_rows.values())])


def _later_fields(line: bytes) -> list[bytes]:
    return _SPACES.split(line)[2::2]


def _count_last_numbers(line: bytes) -> int:
    fields = reversed(_later_fields(line))
    return sum(1 for _ in itertools.takewhile(_NUMBER.fullmatch, fields))


def _count(numbers: int) -> str:
    return "1 number" if numbers == 1 else f"{numbers} numbers"


def _shown(text: bytes) -> str:
    return repr(text.decode("utf-8", "backslashreplace"))
