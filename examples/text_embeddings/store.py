"""Keeps embeddings in files until they are published, as memory might not hold them.

They have to wait somewhere: a checkpoint wants to know how many rows a variable has
before it takes the first.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable

import numpy as np

from examples.text_embeddings.opening import EmbeddingFileError
from examples.text_embeddings.rows import Embeddings, first_not_finite, shown


@dataclasses.dataclass(frozen=True)
class Stored:
    """Embeddings in files.

    Attributes:
      vocabulary_file: has the tokens, each in a line.
      vectors_file: has the vectors, row by row, as plain numbers.
      words: how many tokens there are.
      rows: how many vectors there are.
      dimension: of the vectors.
      dtype: of their numbers.
    """

    vocabulary_file: str
    vectors_file: str
    words: int
    rows: int
    dimension: int
    dtype: np.dtype

    def vectors(self) -> np.ndarray:
        """The vectors, of shape [rows, dimension], mapped from the file.

        TensorFlow writes a mapped array without a copy, and its memory is no burden: the
        system takes it back when it needs it.
        """
        return np.memmap(self.vectors_file, self.dtype, "r", shape=(self.rows, self.dimension))


def store(
    blocks: Iterable[Embeddings], directory: str, dtype: np.dtype, further_rows: int
) -> Stored:
    """Writes embeddings into files.

    Args:
      blocks: rows, all of one dimension; each block is taken when it is written.
      directory: where the files go.
      dtype: of the numbers in the file of the vectors.
      further_rows: how many rows of zeros follow the vectors.

    Raises:
      EmbeddingFileError: a number is too large for `dtype`.
    """
    vocabulary_file = os.path.join(directory, "tokens.txt")
    vectors_file = os.path.join(directory, "vectors")
    words = dimension = 0
    # Only "\n" ends a line of the vocabulary; tokens may hold other line separators.
    with (
        open(vocabulary_file, "w", encoding="utf-8", newline="\n") as tokens,
        open(vectors_file, "wb") as vectors,
    ):
        for block in blocks:
            tokens.write("\n".join(block.tokens) + "\n")
            # NumPy's tofile would not say what is wrong with a file that cannot be written.
            vectors.write(_converted(block, dtype).data)
            words += len(block.tokens)
            dimension = block.vectors.shape[1]
        # What a file is made longer by is zeros.
        vectors.truncate((words + further_rows) * dimension * np.dtype(dtype).itemsize)
    return Stored(
        vocabulary_file, vectors_file, words, words + further_rows, dimension, np.dtype(dtype)
    )


def _converted(block: Embeddings, dtype: np.dtype) -> np.ndarray:
    with np.errstate(over="ignore"):  # becomes infinite, which is looked for
        vectors = np.ascontiguousarray(block.vectors, dtype)
    if place := first_not_finite(vectors):
        row, column = place
        raise EmbeddingFileError(
            f"Token {shown(block.tokens[row].encode())}: number {column + 1} of its vector is "
            f"{block.vectors[row, column]}, which is too large for {np.dtype(dtype).name}; choose "
            "float32."
        )
    return vectors
