r"""Reads the binary form of word2vec.

b"3000000 300\n"     how many rows there are, and the dimension D of their vectors
b"</s> ......"       a row: a token, a space, and D float32 numbers, least byte first
b"\nin ......"       some writers put a line feed after each row
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from examples.text_embeddings.opening import EmbeddingFileError, Stream
from examples.text_embeddings.rows import (
    MOST_ROW_BYTES,
    Embeddings,
    Source,
    check_finite,
    find_token_problem,
    quote_bytes,
)

_HEADER = re.compile(rb"(\d+) +([1-9]\d*) *\r?\n")
_MOST_HEADER_BYTES = 64
# A longer token means that the vectors are not where they are expected.
_MOST_TOKEN_BYTES = 4096
# The first bytes of a fastText model, which are the number 793712314.
_FASTTEXT_MODEL = (793712314).to_bytes(4, "little")


def read_word2vec(stream: Stream, path: str, chunk_bytes: int) -> Source:
    """Reads a binary file of word2vec.

    Args:
        stream: The content of the file.
        path: The path of the file, for messages.
        chunk_bytes: About how many bytes to read at a time; at least a row is read.

    Raises:
        EmbeddingFileError: If the file is of another kind, is cut off, or has a wrong row.
            Also raised while the rows are read.
    """
    start = stream.read(_MOST_HEADER_BYTES)
    header = _HEADER.match(start)
    if header is None or 4 * int(header[2]) > MOST_ROW_BYTES:
        raise EmbeddingFileError(f"{path} {_describe_start(start)}")
    count, dimension = int(header[1]), int(header[2])
    blocks = _read_blocks(stream, start[header.end() :], path, count, dimension, chunk_bytes)
    return Source(path, dimension, blocks, announced=count)


def _describe_start(start: bytes) -> str:
    if start.startswith(_FASTTEXT_MODEL):
        return "is a fastText model; give the text file of its vectors, which ends with .vec."
    return (
        f"starts with {quote_bytes(start[:20])}, where a binary file of word2vec says how many "
        "rows it has and their dimension; if it is text, rename it so that it does not end "
        "with .bin."
    )


def _read_blocks(
    stream: Stream, rest: bytes, path: str, count: int, dimension: int, chunk_bytes: int
) -> Iterator[Embeddings]:
    done = 0
    while done < count:
        # At least one row, however long.
        chunk = stream.read(max(chunk_bytes, 4 * dimension + _MOST_TOKEN_BYTES))
        tokens, vectors, end = _split_rows(rest + chunk, count - done, 4 * dimension)
        rest = (rest + chunk)[end:]
        if not tokens:
            raise _make_truncation_error(path, rest, done, count)
        block = Embeddings(
            [_decode_token(token, path, done + i) for i, token in enumerate(tokens, 1)],
            np.frombuffer(b"".join(vectors), "<f4").reshape([len(tokens), dimension]),
        )
        check_finite(block, path, done)
        yield block
        done += len(tokens)
    if (rest + stream.read(16)).strip():
        raise EmbeddingFileError(
            f"{path} goes on after the {count} rows that its header announces; mend its first line."
        )


def _split_rows(
    buffer: bytes, most: int, vector_bytes: int
) -> tuple[list[bytes], list[bytes], int]:
    """Splits off whole rows, up to `most`: returns tokens, vectors, and where the rest starts."""
    tokens: list[bytes] = []
    vectors: list[bytes] = []
    position = 0
    while len(tokens) < most:
        space = buffer.find(b" ", position, position + _MOST_TOKEN_BYTES)
        end = space + 1 + vector_bytes
        if space < 0 or end > len(buffer):
            break
        tokens.append(buffer[position:space].lstrip(b"\n"))
        vectors.append(buffer[space + 1 : end])
        position = end
    return tokens, vectors, position


def _make_truncation_error(path: str, rest: bytes, done: int, count: int) -> EmbeddingFileError:
    if len(rest) > _MOST_TOKEN_BYTES:
        problem = f"row {done + 1} has no token, or one of more than {_MOST_TOKEN_BYTES} bytes"
    else:
        problem = f"it ends after {done} of the {count} rows that its header announces"
    return EmbeddingFileError(f"{path} is damaged: {problem}; fetch it again.")


def _decode_token(token: bytes, path: str, row: int) -> str:
    if problem := find_token_problem(token):
        raise EmbeddingFileError(f"{path}, row {row}, token {quote_bytes(token)}: {problem}.")
    return token.decode()
