"""Keeps embeddings in temporary files until they are published, because they may be large.

The number of rows of a variable has to be known before its first row is written to a checkpoint,
so the rows have to wait until the whole file has been read.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable

import numpy as np

from examples.text_embeddings.opening import EmbeddingFileError
from examples.text_embeddings.rows import Embeddings, find_not_finite, quote_bytes


@dataclasses.dataclass(frozen=True)
class StoredEmbeddings:
    """Embeddings in files.

    Attributes:
      vocabulary_file: The path of a text file with one token per line.
      vectors_file: The path of a file with the vectors, row by row, as plain numbers.
      words: The number of tokens.
      rows: The number of vectors: one per token, and further ones of zeros.
      dimension: The number of elements of each vector.
      dtype: The type of the elements of the vectors.
    """

    vocabulary_file: str
    vectors_file: str
    words: int
    rows: int
    dimension: int
    dtype: np.dtype

    def map_vectors(self) -> np.ndarray:
        """Maps the vectors from the file, as an array of shape [rows, dimension].

        TensorFlow writes a mapped array without a copy, and the system takes its memory back
        when other programs need it.
        """
        return np.memmap(self.vectors_file, self.dtype, "r", shape=(self.rows, self.dimension))


def store_embeddings(
    blocks: Iterable[Embeddings], directory: str, dtype: np.dtype, further_rows: int
) -> StoredEmbeddings:
    """Writes embeddings to files.

    Args:
      blocks: Blocks of rows of the same dimension; each is requested when it is written.
      directory: The directory for the files.
      dtype: The type of the numbers in the file of the vectors.
      further_rows: The number of rows of zeros that follow the vectors.

    Raises:
      EmbeddingFileError: If a number is too large for `dtype`.
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
            # NumPy's tofile does not say why it cannot write a file.
            vectors.write(_convert(block, dtype).data)
            words += len(block.tokens)
            dimension = block.vectors.shape[1]
        # Truncating to a longer size appends zeros.
        vectors.truncate((words + further_rows) * dimension * np.dtype(dtype).itemsize)
    return StoredEmbeddings(
        vocabulary_file, vectors_file, words, words + further_rows, dimension, np.dtype(dtype)
    )


def _convert(block: Embeddings, dtype: np.dtype) -> np.ndarray:
    with np.errstate(over="ignore"):  # gives infinity, which the check below finds
        vectors = np.ascontiguousarray(block.vectors, dtype)
    if place := find_not_finite(vectors):
        row, column = place
        raise EmbeddingFileError(
            f"Token {quote_bytes(block.tokens[row].encode())}: number {column + 1} of its vector "
            f"is {block.vectors[row, column]}, which is too large for {np.dtype(dtype).name}; "
            "choose float32."
        )
    return vectors
