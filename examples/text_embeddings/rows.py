"""What every reader of embeddings gives: rows, a block at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from examples.text_embeddings.opening import EmbeddingFileError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A longer row is none, and all of it would have to be held in memory.
MOST_ROW_BYTES = 64 << 20
# A longer token is rather a file of another kind than a word.
_MOST_SHOWN_BYTES = 200


@dataclasses.dataclass(frozen=True)
class Embeddings:
    """Words and their vectors.

    Attributes:
      tokens: the words, in the order of the file.
      vectors: float32 of shape [len(tokens), dimension].
    """

    tokens: list[str]
    vectors: np.ndarray


@dataclasses.dataclass(frozen=True)
class Source:
    """A file that is being read.

    Attributes:
      path: of the file.
      dimension: of its vectors.
      blocks: its rows, as they stand there; each block is read when it is taken.
      unit: what a row of the file is called in messages: a line, say.
      first: the number of the unit that the first row is.
      announced: how many rows the file says it has; None if it does not say.
    """

    path: str
    dimension: int
    blocks: Iterator[Embeddings]
    unit: str = "row"
    first: int = 1
    announced: int | None = None

    def name(self, row: int) -> str:
        """What a row, counted from 0, is called in messages."""
        return f"{self.unit} {self.first + row}"


def problem_of_token(token: bytes) -> str | None:
    """Why a token cannot be in the vocabulary of a module, which is lines of UTF-8; else None."""
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


def first_not_finite(vectors: np.ndarray) -> tuple[int, int] | None:
    """The row and the column of the first number that is not finite; None if all are."""
    if np.isfinite(vectors).all():
        return None
    row, column = np.argwhere(~np.isfinite(vectors))[0]
    return int(row), int(column)


def check_finite(block: Embeddings, path: str, done: int) -> None:
    """Checks the vectors of a binary file, of which `done` rows came before this block.

    Raises:
        EmbeddingFileError: a number is not finite; the message names its row and token.
    """
    if place := first_not_finite(block.vectors):
        row, column = place
        raise EmbeddingFileError(
            f"{path}, row {done + row + 1}, token {shown(block.tokens[row].encode())}: number "
            f"{column + 1} of its vector is {block.vectors[row, column]}, which is not a finite "
            "float32."
        )


def shown(text: bytes) -> str:
    """A text for messages, in which every byte can be seen, but for the end of a long one."""
    start = text[:_MOST_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return repr(start) + "..." * (len(text) > _MOST_SHOWN_BYTES)


def counted(numbers: int) -> str:
    """A number of numbers, in words."""
    return "1 number" if numbers == 1 else f"{numbers} numbers"
