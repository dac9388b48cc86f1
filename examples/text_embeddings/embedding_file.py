"""Reads a file of word embeddings; the end of its name states which of these kinds it is.

    glove.txt, wiki.vec, ...    a token and its vector in each line; see text_file
    vectors.bin                 the binary form of word2vec; see word2vec_file
    vectors.npy                 a NumPy array, with its tokens in another file; see numpy_file

Each may be packed by gzip, bzip2 or xz, with or without `.gz`, `.bz2` or `.xz` after these ends.
"""

from __future__ import annotations

import itertools
import logging
import re
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from examples.text_embeddings.numpy_file import read_numpy
from examples.text_embeddings.opening import EmbeddingFileError, Stream, open_file
from examples.text_embeddings.prefetch import prefetch
from examples.text_embeddings.rows import Embeddings, Source, quote_bytes
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
            # In place, since concatenating a list of arrays would need the memory twice.
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

    Each number in text becomes the nearest float32. Of several rows with the same token only
    the first counts, since files are ordered by frequency; a warning at the end says how many
    rows were left out.

    Args:
        path: The path of a file on any file system of TensorFlow.
        chunk_bytes: About how many bytes of the file to have in memory at a time.
        vocabulary_file: The path of a text file with one token per line, for the rows of a
            NumPy array; None for files of other kinds.
        max_rows: The number of rows to read, from the first; None reads all.
        progress: Whether to show on standard error how much of the file has been read; None
            shows it on a terminal.

    Yields:
        Blocks of rows, with at least one row in all.

    Raises:
        FileNotFoundError: If nothing is at `path`.
        EmbeddingFileError: If the file is empty or damaged; if a row is wrong, and then the
            message names the row and its token; if `vocabulary_file` is missing for a NumPy
            array, or given for another file.
        ImportError: If the file is text, and polars, which parses it, is not installed.
    """
    kind = _find_kind(path)
    if (kind == ".npy") != (vocabulary_file is not None):
        raise EmbeddingFileError(
            f"{path}: an array of NumPy (.npy), and nothing else, needs a vocabulary file, which "
            "has the token of each row in a line."
        )
    with open_file(path, progress) as stream:
        if vocabulary_file is not None:
            with open_file(vocabulary_file, progress=False) as vocabulary:
                source = read_numpy(stream, path, vocabulary, vocabulary_file, chunk_bytes)
                yield from _drop_repetitions(source, max_rows)
        else:
            read = read_word2vec if kind == ".bin" else _import_read_text()
            yield from _drop_repetitions(read(stream, path, chunk_bytes), max_rows)


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


def _find_kind(path: str) -> str:
    kind = _KIND.search(path)
    return kind[1].lower() if kind else ""


def _drop_repetitions(source: Source, max_rows: int | None) -> Iterator[Embeddings]:
    """Yields the rows whose token no earlier row has, up to `max_rows` of them."""
    seen = _TokenIndex(source)
    for block in prefetch(source.blocks):
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


class _TokenIndex:
    """The tokens of the rows so far.

    Attributes:
        rows: The number of the first row of each token, counted from 0.
        count: The number of all rows.
    """

    def __init__(self, source: Source):
        self.rows: dict[str, int] = {}
        self.count = 0
        self._source = source
        self._first_repeated: tuple[str, int] | None = None

    def add(self, tokens: list[str]) -> Sequence[int]:
        """Adds the tokens of the next rows, and returns the indices of the new ones."""
        known = len(self.rows)
        first_rows = list(map(self.rows.setdefault, tokens, itertools.count(self.count)))
        new: Sequence[int] = range(len(tokens))
        if len(self.rows) < known + len(tokens):
            new = [i for i in new if first_rows[i] == self.count + i]
            self._note_repetition(tokens, new)
        self.count += len(tokens)
        return new

    def _note_repetition(self, tokens: list[str], new: Sequence[int]) -> None:
        if self._first_repeated is None:
            first = min(set(range(len(tokens))).difference(new))
            self._first_repeated = tokens[first], self.count + first

    def warn_of_repetitions(self) -> None:
        """Logs how many rows are left out, and the first of them."""
        if self._first_repeated is None:
            return
        token, row = self._first_repeated
        _log.warning(
            "%s: left out %d of %d rows, because a row before has the same token: the first is "
            "%s, token %s, which is in %s already.",
            self._source.path,
            self.count - len(self.rows),
            self.count,
            self._source.name_row(row),
            quote_bytes(token.encode()),
            self._source.name_row(self.rows[token]),
        )
