"""The rows of embeddings that every reader yields, a block at a time, and checks of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from examples.text_embeddings.opening import EmbeddingFileError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A longer row is a mistake, and all of it would have to be in memory.
MOST_ROW_BYTES = 64 << 20
# A longer token is more likely a file of another kind than a word.
_MOST_SHOWN_BYTES = 200


@dataclasses.dataclass(frozen=True)
class Embeddings:
    """Words and their vectors.

    Attributes:
      tokens: The words, in the order of the file.
      vectors: The vectors, float32 of shape [len(tokens), dimension].
    """

    tokens: list[str]
    vectors: np.ndarray


@dataclasses.dataclass(frozen=True)
class Source:
    """A file that is being read.

    Attributes:
      path: The path of the file.
      dimension: The number of elements of each vector.
      blocks: The rows in the order of the file; each block is read when it is requested.
      unit: The word for a row of the file in messages, e.g. "line".
      first: The number of the unit that holds the first row.
      announced: The number of rows that the header states; None without a header.
    """

    path: str
    dimension: int
    blocks: Iterator[Embeddings]
    unit: str = "row"
    first: int = 1
    announced: int | None = None

    def name_row(self, row: int) -> str:
        """Names a row, counted from 0, for messages: "line 3"."""
        return f"{self.unit} {self.first + row}"


def find_token_problem(token: bytes) -> str | None:
    """Describes why a token cannot be a line of a module's vocabulary; None if it can."""
    if not token:
        return "its token is empty, and the vocabulary of a module cannot hold that"
    for character, name in {b"\r": "carriage return", b"\n": "line feed"}.items():
        if character in token:
            return f"its token has a {name}, and the vocabulary of a module cannot hold that"
    try:
        token.decode()
    except UnicodeDecodeError as error:
        return f"its token is not valid UTF-8 ({error.reason} at byte {error.start})"
    return None


def find_not_finite(vectors: np.ndarray) -> tuple[int, int] | None:
    """Finds the row and column of the first number that is not finite; None if all are."""
    if np.isfinite(vectors).all():
        return None
    row, column = np.argwhere(~np.isfinite(vectors))[0]
    return int(row), int(column)


def check_finite(block: Embeddings, path: str, done: int) -> None:
    """Checks the vectors of a block of a binary file.

    Args:
        block: The rows to check.
        path: The path of the file, for messages.
        done: The number of rows of the file before this block.

    Raises:
        EmbeddingFileError: If a number is not finite; the message names its row and token.
    """
    if place := find_not_finite(block.vectors):
        row, column = place
        raise EmbeddingFileError(
            f"{path}, row {done + row + 1}, token {quote_bytes(block.tokens[row].encode())}: "
            f"number {column + 1} of its vector is {block.vectors[row, column]}, which is not a "
            "finite float32."
        )


def quote_bytes(text: bytes) -> str:
    """Quotes a text for messages: shows every byte, but cuts a long text."""
    start = text[:_MOST_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return repr(start) + "..." * (len(text) > _MOST_SHOWN_BYTES)


def format_count(numbers: int) -> str:
    """Formats a count of numbers: "1 number", "3 numbers"."""
    return "1 number" if numbers == 1 else f"{numbers} numbers"
