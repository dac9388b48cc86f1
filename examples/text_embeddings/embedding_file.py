"""Reads a file of word embeddings, of any of these kinds.

    glove.txt, wiki.vec, ...    a token and its vector in each line; see text_file
    vectors.bin                 the binary form of word2vec; see word2vec_file
    vectors.npy                 an array of NumPy, with its tokens in a file beside it; see
                                numpy_file

The end of the name tells the kind. Each may be packed by gzip, bzip2 or xz, with or
without a further `.gz`, `.bz2` or `.xz` at the end.
"""

from __future__ import annotations

import itertools
import logging
import re
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from examples.text_embeddings.ahead import ahead
from examples.text_embeddings.numpy_file import read_numpy
from examples.text_embeddings.opening import EmbeddingFileError, Stream, opened
from examples.text_embeddings.rows import Embeddings, Source, shown
from examples.text_embeddings.word2vec_file import read_word2vec

__all__ = ["EmbeddingFileError", "Embeddings", "read_blocks", "read_embeddings"]

_KIND = re.compile(r"(\.[^./]*?)(?:\.(?:gz|bz2|xz))?\Z")

_log = logging.getLogger(__name__)


def read_embeddings(
    path: str,
    chunk_bytes: int = 4 << 20,
    vocabulary_file: str | None = None,
    max_rows: int | None = None,
    progress: bool | None = None,
) -> Embeddings:
    """Reads the embeddings in a file into memory; see `read_blocks`."""
    tokens: list[str] = []
    vectors: np.ndarray = np.empty([0, 0], np.float32)
    for block in read_blocks(path, chunk_bytes, vocabulary_file, max_rows, progress):
        count, dimension = len(tokens) + len(block.tokens), block.vectors.shape[1]
        if count > len(vectors):
            # In place: concatenating a list of arrays would need the memory twice.
            vectors.resize([max(count, len(vectors) * 5 // 4), dimension], refcheck=False)
        vectors[len(tokens) : count] = block.vectors
        tokens += block.tokens
    vectors.resize([len(tokens), vectors.shape[1]], refcheck=False)
    return Embeddings(tokens, vectors)


def read_blocks(
    path: str,
    chunk_bytes: int = 4 << 20,
    vocabulary_file: str | None = None,
    max_rows: int | None = None,
    progress: bool | None = None,
) -> Iterator[Embeddings]:
    """Reads the embeddings in a file, a block of rows at a time.

    Text becomes the float32 numbers that are nearest to it. Of several rows with the
    same token the first counts, which in files ordered by frequency is the one that
    matters; the others are left out, with a warning at the end.

    Args:
        path: a file on any file system of TensorFlow.
        chunk_bytes: about how much of the file is in memory at a time.
        vocabulary_file: for a NumPy array, and only for that: a text file with the
            token of each row in a line.
        max_rows: how many rows to take, from the first; None: all.
        progress: whether to show on standard error how much of the file has been read;
            None shows it on a terminal.

    Yields:
        At least one row in all.

    Raises:
        FileNotFoundError: nothing is at `path`.
        EmbeddingFileError: the file is empty or damaged, or a row is wrong, in which
            case the message names it and its token; or there is a vocabulary file where
            none belongs, or none where one does.
        ImportError: the file is text, and polars, which parses it, is not installed.
    """
    kind = _kind(path)
    if (kind == ".npy") != (vocabulary_file is not None):
        raise EmbeddingFileError(
            f"{path}: an array of NumPy (.npy), and nothing else, needs a vocabulary file, which "
            "has the token of each row in a line."
        )
    with opened(path, progress) as stream:
        if kind == ".npy":
            with opened(vocabulary_file, progress=False) as vocabulary:
                source = read_numpy(stream, path, vocabulary, vocabulary_file, chunk_bytes)
                yield from _distinct(source, max_rows)
        else:
            read = read_word2vec if kind == ".bin" else _import_read_text()
            yield from _distinct(read(stream, path, chunk_bytes), max_rows)


def _import_read_text() -> Callable[[Stream, str, int], Source]:
    """Imports the reader of text, which alone needs polars."""
    try:
        from examples.text_embeddings.text_file import read_text
    except ModuleNotFoundError as error:
        if error.name != "polars":
            raise
        raise ImportError(
            "Text files of embeddings are parsed by polars, which is not installed; install it "
            "with: pip install polars",
            name="polars",
        ) from error
    return read_text


def _kind(path: str) -> str:
    kind = _KIND.search(path)
    return kind[1].lower() if kind else ""


def _distinct(source: Source, max_rows: int | None) -> Iterator[Embeddings]:
    """Yields the rows whose token no row before has, up to `max_rows` of them."""
    seen = _Seen(source)
    for block in ahead(source.blocks):
        if len(new := seen.add(block.tokens)) < len(block.tokens):
            block = Embeddings([block.tokens[i] for i in new], block.vectors[new])
        excess = len(seen.rows) - (max_rows or sys.maxsize)
        if excess >= 0:
            size = len(block.tokens) - excess
            yield Embeddings(block.tokens[:size], block.vectors[:size])
            break
        yield block
    else:
        _check_count(source, seen.count)
    seen.warn_of_repetitions()


def _check_count(source: Source, count: int) -> None:
    if not count:
        raise EmbeddingFileError(
            f"{source.path} has no rows; give a file with a token and its vector in each."
        )
    if source.announced not in (None, count):
        message = "%s: its header announces %d rows, but it has %d."
        _log.warning(message, source.path, source.announced, count)


class _Seen:
    """The tokens of the rows so far.

    Attributes:
        rows: the first row of each token, counted from 0.
        count: of all rows.
    """

    def __init__(self, source: Source):
        self.rows: dict[str, int] = {}
        self.count = 0
        self._source = source
        self._first_repeated: tuple[str, int] | None = None

    def add(self, tokens: list[str]) -> Sequence[int]:
        """Adds the tokens of the next rows, and returns which of these are new, from 0."""
        known = len(self.rows)
        first_rows = list(map(self.rows.setdefault, tokens, itertools.count(self.count)))
        new: Sequence[int] = range(len(tokens))
        if len(self.rows) < known + len(tokens):
            new = [i for i in new if first_rows[i] == self.count + i]
            self._note_repeated(tokens, new)
        self.count += len(tokens)
        return new

    def _note_repeated(self, tokens: list[str], new: Sequence[int]) -> None:
        if self._first_repeated is None:
            first = min(set(range(len(tokens))).difference(new))
            self._first_repeated = tokens[first], self.count + first

    def warn_of_repetitions(self) -> None:
        """Says how many rows are left out, and what is the first of them."""
        if self._first_repeated is None:
            return
        token, row = self._first_repeated
        _log.warning(
            "%s: left out %d of %d rows, because a row before has the same token: the first is "
            "%s, token %s, which is in %s already.",
            self._source.path,
            self.count - len(self.rows),
            self.count,
            self._source.name(row),
            shown(token.encode()),
            self._source.name(self.rows[token]),
        )
