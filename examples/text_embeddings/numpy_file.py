"""Reads a NumPy array (.npy), whose tokens are the lines of another file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from examples.text_embeddings.opening import EmbeddingFileError, Stream
from examples.text_embeddings.rows import (
    BYTE_ORDER_MARK,
    MOST_ROW_BYTES,
    Embeddings,
    Source,
    check_finite,
    find_token_problem,
    quote_bytes,
)

_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    # Version 3 differs in the names of fields only, which plain numbers do not have.
    (3, 0): np.lib.format.read_array_header_2_0,
}


def read_numpy(
    stream: Stream, path: str, vocabulary: Stream, vocabulary_file: str, chunk_bytes: int
) -> Source:
    """Reads an array, and its tokens.

    Args:
        stream: The content of the file of the array.
        path: The path of that file, for messages.
        vocabulary: The content of the file of the tokens.
        vocabulary_file: The path of that file, for messages.
        chunk_bytes: About how many bytes to read at a time; at least a row is read.

    Raises:
        EmbeddingFileError: If the file is not an array of numbers of two dimensions, is cut
            off, or has a wrong row, or if the numbers of rows and tokens differ. Also raised
            while the rows are read.
    """
    (count, dimension), dtype = _read_header(stream, path)
    vectors = _read_vectors(stream, path, count, dimension, dtype, chunk_bytes)
    tokens = _read_tokens(vocabulary, vocabulary_file, chunk_bytes)
    return Source(path, dimension, _join_blocks(vectors, tokens, path, vocabulary_file, count))


def _read_header(stream: Stream, path: str) -> tuple[tuple[int, int], np.dtype]:
    try:
        version = np.lib.format.read_magic(stream)
        shape, by_columns, dtype = _READ_HEADER[version](stream)
    except EmbeddingFileError:
        raise
    except Exception as error:  # the header is Python source, so its errors are of any type
        raise EmbeddingFileError(
            f"{path} is not a readable NumPy array ({error}); write it with numpy.save."
        ) from error
    # Numbers only, since reading pickled objects would run code from the file.
    if len(shape) != 2 or min(shape) < 1 or by_columns or dtype.kind not in "fiu":
        raise EmbeddingFileError(
            f"{path} is an array of {dtype} of shape {list(shape)}"
            f"{', stored by columns' if by_columns else ''}; write numbers of shape [rows, "
            "dimension], stored by rows, as of numpy.ascontiguousarray."
        )
    if shape[1] * dtype.itemsize > MOST_ROW_BYTES:
        raise EmbeddingFileError(
            f"{path} is an array of shape {list(shape)}, which is not a table of embeddings."
        )
    return shape, dtype


def _read_vectors(
    stream: Stream, path: str, count: int, dimension: int, dtype: np.dtype, chunk_bytes: int
) -> Iterator[np.ndarray]:
    """Yields float32 arrays of shape [rows, dimension], with `count` rows in all."""
    row_bytes = dimension * dtype.itemsize
    step = max(1, chunk_bytes // row_bytes)
    for done in range(0, count, step):
        size = min(step, count - done) * row_bytes
        data = stream.read(size)
        if len(data) < size:
            raise EmbeddingFileError(
                f"{path} is cut off: it ends after {done + len(data) // row_bytes} of {count} "
                "rows; fetch it again."
            )
        array = np.frombuffer(data, dtype).reshape([-1, dimension])
        with np.errstate(over="ignore"):  # gives infinity, which check_finite finds
            array = array.astype(np.float32)
        yield array
    if stream.read(1):
        raise EmbeddingFileError(
            f"{path} goes on after the {count} rows of its array; write one array with numpy.save."
        )


def _join_blocks(
    vectors: Iterator[np.ndarray],
    tokens: Iterator[str],
    path: str,
    vocabulary_file: str,
    count: int,
) -> Iterator[Embeddings]:
    done = 0
    for array in vectors:
        block = Embeddings(list(itertools.islice(tokens, len(array))), array)
        done += len(block.tokens)
        if len(block.tokens) < len(array):
            raise EmbeddingFileError(
                f"{vocabulary_file} has {done} lines, but {path} has {count} rows; give it a line "
                "for each row."
            )
        check_finite(block, path, done - len(array))
        yield block
    if next(tokens, None) is not None:
        raise EmbeddingFileError(
            f"{vocabulary_file} has more lines than {path} has rows, which is {count}; give it a "
            "line for each row."
        )


def _read_tokens(vocabulary: Stream, path: str, chunk_bytes: int) -> Iterator[str]:
    for number, line in enumerate(_read_lines(vocabulary, chunk_bytes), 1):
        token = line.removesuffix(b"\r")
        if number == 1:
            token = token.removeprefix(BYTE_ORDER_MARK)
        if problem := find_token_problem(token):
            raise EmbeddingFileError(
                f"{path}, line {number}, token {quote_bytes(token)}: {problem}; mend this line."
            )
        yield token.decode()


def _read_lines(stream: Stream, chunk_bytes: int) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(chunk_bytes):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest
