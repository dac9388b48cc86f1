"""Publishes a file of word embeddings as a module.

    python export.py --embedding_file=glove.6B.50d.txt.gz --export_path=/modules/glove

A program then uses it with

    embed = hub.Module("/modules/glove")
    vectors = embed(["a cat on a mat", "the dog"])  # float32 of shape [2, 50]
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))
    # TensorFlow reads these when it is imported. It speaks of oneDNN even when told to be quiet.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf
from absl import app, flags, logging

import hubmodule as hub
from examples.text_embeddings.embedding_file import Embeddings, read_blocks
from examples.text_embeddings.projector import check_directory, projector_written
from examples.text_embeddings.store import Stored, store

tf1 = tf.compat.v1

DTYPES = ("float32", "float16")
_MOST_OOV_BUCKETS = 2**31 - 1
_STOPPED = 130  # the status of programs that a user stops
_DISK_FULL = "The disk is full; TMPDIR may name a directory on a larger one"


def export_module_from_file(
    embedding_file: str,
    export_path: str,
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    l2_regularization: float = 0.0,
    vocabulary_file: str | None = None,
    max_rows: int | None = None,
    dtype: str = "float32",
    projector: str | None = None,
) -> None:
    """Publishes the embeddings in a file as a module, or raises and writes nothing.

    The vectors pass through a temporary file, not through memory.

    Args:
      embedding_file: text with a token and its vector in each line, or a binary file of
        word2vec (.bin) or NumPy (.npy), plain or packed by gzip, bzip2 or xz; see
        `embedding_file.read_blocks`.
      export_path: the directory that becomes the module.
      num_oov_buckets: how many further vectors, which start as zeros, words that are
        not in the file share; a word's bucket is told by its hash.
      preprocess_text: True: the module takes sentences; False: it takes tokens.
        See `make_module_fn`.
      l2_regularization: if not 0, the module has a regularisation loss, which is
        `l2_regularization * sum(embeddings ** 2) / 2`.
      vocabulary_file: the tokens of a NumPy array, each in a line.
      max_rows: how many rows to publish, from the first; None: all.
      dtype: what the module keeps the vectors as, "float32" or "float16". What it gives
        is float32.
      projector: a directory in which to write what TensorBoard's projector shows.

    Raises:
      EmbeddingFileError: the file is damaged, or a row is wrong; also a ValueError.
      ValueError: another argument is wrong.
      FileNotFoundError: there is no such file.
      FileExistsError: something is at `export_path` already, or in `projector` what would
        have to be replaced.
    """
    _check_options(export_path, num_oov_buckets, l2_regularization, max_rows, dtype)
    if projector is not None:
        check_directory(projector, export_path)
    blocks = read_blocks(embedding_file, vocabulary_file=vocabulary_file, max_rows=max_rows)
    with _stored(blocks, dtype, num_oov_buckets) as stored, contextlib.ExitStack() as further:
        if projector is not None:
            further.enter_context(projector_written(stored, projector))
        _write_module(stored, export_path, preprocess_text, l2_regularization)


def export_module(
    embeddings: Embeddings,
    export_path: str,
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    l2_regularization: float = 0.0,
    dtype: str = "float32",
) -> None:
    """Publishes embeddings as a module; see `export_module_from_file`."""
    _check_options(export_path, num_oov_buckets, l2_regularization, None, dtype)
    with _stored([embeddings], dtype, num_oov_buckets) as stored:
        _write_module(stored, export_path, preprocess_text, l2_regularization)


@contextlib.contextmanager
def _stored(blocks: Iterable[Embeddings], dtype: str, num_oov_buckets: int) -> Iterator[Stored]:
    with tempfile.TemporaryDirectory() as directory:
        try:
            stored = store(blocks, directory, np.dtype(dtype), num_oov_buckets)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                error.filename, error.strerror = directory, _DISK_FULL
            raise
        yield stored


def _write_module(
    stored: Stored, export_path: str, preprocess_text: bool, l2_regularization: float
) -> None:
    spec = hub.create_module_spec(
        make_module_fn(
            stored.vocabulary_file,
            (stored.words, stored.dimension),
            stored.rows - stored.words,
            preprocess_text,
            l2_regularization,
            stored.dtype.name,
        )
    )
    # No variable is made, which would hold all vectors: they go from file to file.
    spec.export_values(export_path, {"embeddings": stored.vectors()})
    _check_common_signature(export_path)


def _check_common_signature(path: str) -> None:
    """Warns if a module is not a text feature vector, which its callers take it for."""
    for common in hub.inspect(path).common_signatures:
        for missing in common.missing:
            logging.warning("The module in %s is not a %s: %s", path, common.name, missing)


def make_module_fn(
    vocabulary_file: str,
    vectors_shape: tuple[int, int],
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    l2_regularization: float = 0.0,
    dtype: str = "float32",
) -> Callable[[], None]:
    """Returns a `module_fn` for `hub.create_module_spec`.

    Its variable `embeddings` is of shape [words + num_oov_buckets, dimension] and
    trainable. Its one signature has the output `default`, float32 of shape
    [batch, dimension], and one input, string of shape [batch]:

    * `sentences`, if `preprocess_text`. Punctuation (Unicode's categories P*) is taken
      out of a sentence, and the rest split at spaces. The sentence's embedding is the
      sum of its words' vectors divided by the square root of their number. A sentence
      without words has the embedding of the word "".
    * `tokens`, if not. Each token as it is has one embedding.

    Args:
      vocabulary_file: a text file with one word in each line.
      vectors_shape: how many words there are, and the dimension of their vectors.
      num_oov_buckets: as in `export_module_from_file`.
      preprocess_text: as in `export_module_from_file`.
      l2_regularization: as in `export_module_from_file`.
      dtype: of the variable, as in `export_module_from_file`.
    """
    words, dimension = vectors_shape

    def module_fn() -> None:
        embeddings = tf1.get_variable(
            "embeddings",
            shape=[words + num_oov_buckets, dimension],
            dtype=dtype,
            initializer=tf1.zeros_initializer(),
            regularizer=_l2_regularizer(l2_regularization) if l2_regularization else None,
        )
        table = _vocabulary_table(vocabulary_file, num_oov_buckets)
        name = "sentences" if preprocess_text else "tokens"
        text = tf1.placeholder(tf.string, shape=[None], name=name)
        if preprocess_text:
            output = _embed_sentences(text, table, embeddings)
        else:
            output = _vectors(embeddings, table.lookup(text))
        hub.add_signature(inputs={name: text}, outputs={"default": output})

    return module_fn


def _embed_sentences(
    sentences: tf.Tensor, table: tf.lookup.StaticVocabularyTable, embeddings: tf.Variable
) -> tf.Tensor:
    without_punctuation = tf.strings.regex_replace(sentences, r"\pP", "")
    words = tf1.string_split(without_punctuation, sep=" ")
    words, _ = tf.sparse.fill_empty_rows(words, "")
    vectors = _vectors(embeddings, table.lookup(words.values))
    # tf.nn.embedding_lookup_sparse of today writes ops that TensorFlow 1 does not know.
    sentence_of_word = tf.cast(words.indices[:, 0], tf.int32)
    sums = tf.math.segment_sum(vectors, sentence_of_word)
    counts = tf.math.segment_sum(tf.ones_like(sentence_of_word, tf.float32), sentence_of_word)
    return sums / tf.sqrt(counts)[:, tf.newaxis]


def _vectors(embeddings: tf.Variable, rows: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.gather(embeddings, rows), tf.float32)


def _vocabulary_table(path: str, num_oov_buckets: int) -> tf.lookup.StaticVocabularyTable:
    initializer = tf.lookup.TextFileInitializer(
        # Of a plain string the table would make its name, and publish a path of this machine.
        filename=tf.constant(path, name="vocabulary_file"),
        key_dtype=tf.string,
        key_index=tf.lookup.TextFileIndex.WHOLE_LINE,
        value_dtype=tf.int64,
        value_index=tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    return tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets)


def _l2_regularizer(scale: float) -> Callable[[tf.Tensor], tf.Tensor]:
    return lambda weights: scale * tf.nn.l2_loss(tf.cast(weights, tf.float32))


def _check_options(
    export_path: str,
    num_oov_buckets: int,
    l2_regularization: float,
    max_rows: int | None,
    dtype: str,
) -> None:
    if not 1 <= num_oov_buckets <= _MOST_OOV_BUCKETS:
        raise ValueError(
            f"num_oov_buckets is {num_oov_buckets}; words that are not in the file need at least "
            f"1, and can have {_MOST_OOV_BUCKETS}."
        )
    if not 0 <= l2_regularization < math.inf:
        raise ValueError(f"l2_regularization is {l2_regularization}; give 0 or more.")
    if max_rows is not None and max_rows < 1:
        raise ValueError(f"max_rows is {max_rows}; give 1 or more, or None for all rows.")
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype!r}; give one of {', '.join(DTYPES)}.")
    # Said before the work rather than after it.
    if tf.io.gfile.exists(export_path) and not _is_empty_directory(export_path):
        raise FileExistsError(f"{export_path} exists already; delete it, or give another path.")


def _is_empty_directory(path: str) -> bool:
    return tf.io.gfile.isdir(path) and not tf.io.gfile.listdir(path)


def define_flags(values: flags.FlagValues = flags.FLAGS) -> None:
    """Defines the flags of the program."""
    here = {"flag_values": values}
    flags.DEFINE_string("embedding_file", None, "Text, word2vec (.bin) or NumPy (.npy).", **here)
    flags.DEFINE_string("export_path", None, "The directory that becomes the module.", **here)
    flags.DEFINE_bool("preprocess_text", True, "Take sentences rather than tokens.", **here)
    flags.DEFINE_integer(
        "num_oov_buckets", 1, "Vectors that missing words share.", lower_bound=1, **here
    )
    flags.DEFINE_float("l2_regularization", 0.0, "Scale of an L2 loss.", lower_bound=0.0, **here)
    flags.DEFINE_string("vocabulary_file", None, "Tokens of a NumPy array, by line.", **here)
    flags.DEFINE_integer("max_rows", None, "Publish so many rows.", lower_bound=1, **here)
    flags.DEFINE_enum("dtype", "float32", DTYPES, "What to keep the vectors as.", **here)
    flags.DEFINE_string("projector", None, "A directory for TensorBoard's projector.", **here)
    flags.mark_flags_as_required(["embedding_file", "export_path"], **here)


def main(arguments: Sequence[str]) -> None:
    """Publishes what the flags say, and ends the program with a message if it cannot."""
    if len(arguments) > 1:
        sys.exit(f"{arguments[1]!r} is no flag; run with --help to see them.")
    options = flags.FLAGS
    # To be stopped by a scheduler is to be stopped by a user: temporary files are removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        export_module_from_file(
            options.embedding_file,
            options.export_path,
            options.num_oov_buckets,
            options.preprocess_text,
            options.l2_regularization,
            options.vocabulary_file,
            options.max_rows,
            options.dtype,
            options.projector,
        )
    except (ValueError, hub.HubModuleError, OSError, tf.errors.OpError) as error:
        sys.exit(f"Nothing was published: {_told(error)}")
    except KeyboardInterrupt:
        print("Stopped", file=sys.stderr)
        sys.exit(_STOPPED)
    print(f"The module is in {options.export_path}")
    if options.projector:
        print(f"See its vectors with: tensorboard --logdir={options.projector}")


def _told(error: Exception) -> str:
    """What an error says; of a file that an op in a graph cannot write, only that."""
    of_file = re.search(r"^/.*; .*$", str(error), re.MULTILINE)
    return of_file[0] if of_file and isinstance(error, tf.errors.OpError) else str(error)


if __name__ == "__main__":
    define_flags()
    app.run(main)
