"""Publishes a file of word embeddings as a module.

    python export.py --embedding_file=glove.6B.50d.txt.gz --export_path=/modules/glove

A program then uses it with

    embed = hub.Module("/modules/glove")
    vectors = embed(["a cat on a mat", "the dog"])  # float32 of shape [2, 50]
"""

from __future__ import annotations

import contextlib
import dataclasses
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
    # TensorFlow reads these at import. It logs a line about oneDNN at every log level.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf
from absl import app, flags, logging

import hubmodule as hub
from examples.text_embeddings.embedding_file import Embeddings, read_blocks
from examples.text_embeddings.progress import show_writing
from examples.text_embeddings.projector import (
    check_directory,
    is_empty_directory,
    write_projector,
)
from examples.text_embeddings.store import StoredEmbeddings, store_embeddings

tf1 = tf.compat.v1

DTYPES = ("float32", "float16")
_MOST_OOV_BUCKETS = 2**31 - 1
_STOPPED = 130  # the exit status of a program that its user stops
_DISK_FULL = "The disk is full; TMPDIR may name a directory on a larger one"


@dataclasses.dataclass(frozen=True)
class PublishedModule:
    """What was published.

    Attributes:
      path: The directory of the module.
      vocabulary_size: The number of words that have a vector of their own.
      rows: The number of vectors: one per word, and one per bucket of missing words.
      dimension: The number of elements of a vector.
      size: The size of the module on disk in bytes.
    """

    path: str
    vocabulary_size: int
    rows: int
    dimension: int
    size: int

    def __str__(self) -> str:
        return (
            f"{self.rows:,} rows of dimension {self.dimension:,}, of which {self.vocabulary_size:,}"
            f" are the vocabulary; {self.size:,} bytes"
        )


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
    overwrite: bool = False,
    progress: bool | None = None,
) -> PublishedModule:
    """Publishes the embeddings in a file as a module, or raises and writes nothing.

    The vectors pass through a temporary file, not through memory.

    Args:
      embedding_file: The path of a text file with a token and its vector in each line, or of a
        binary file of word2vec (.bin) or NumPy (.npy), plain or packed by gzip, bzip2 or xz;
        see `embedding_file.read_blocks`.
      export_path: The directory that becomes the module.
      num_oov_buckets: The number of further vectors, which start as zeros, that words outside
        of the file share; the hash of a word chooses its bucket.
      preprocess_text: Whether the module takes sentences (True) or tokens (False); see
        `make_module_fn`.
      l2_regularization: If not 0, the module has the regularisation loss
        `l2_regularization * sum(embeddings ** 2) / 2`.
      vocabulary_file: The path of a text file with one token per line, for a NumPy array.
      max_rows: The number of rows to publish, from the first; None publishes all.
      dtype: The type in which the module stores the vectors, "float32" or "float16". Its
        outputs are float32.
      projector: A directory for the files of TensorBoard's projector; None writes none.
      overwrite: Whether to replace a module at `export_path`, and files of an earlier call
        in `projector`. Until the new module is complete, the old one stays.
      progress: Whether to show on standard error how much has been read; None shows it on a
        terminal.

    Raises:
      EmbeddingFileError: If the file is damaged, or a row is wrong; also a ValueError.
      ValueError: If another argument is wrong.
      FileNotFoundError: If the file does not exist.
      FileExistsError: If `overwrite` is False, and something is at `export_path`, or files of
        an earlier call are in `projector`; or if `export_path` is a file.
      ImportError: If the file is text, and polars, which parses it, is not installed.
    """
    _check_options(num_oov_buckets, l2_regularization, max_rows, dtype)
    _check_export_path(export_path, overwrite)
    if projector is not None:
        check_directory(projector, export_path, overwrite)
    blocks = read_blocks(
        embedding_file, vocabulary_file=vocabulary_file, max_rows=max_rows, progress=progress
    )
    with (
        _store_in_files(blocks, dtype, num_oov_buckets) as stored,
        contextlib.ExitStack() as further,
    ):
        if projector is not None:
            further.enter_context(write_projector(stored, projector))
        show_writing(export_path, stored.map_vectors().nbytes, progress)
        return _write_module(stored, export_path, preprocess_text, l2_regularization, overwrite)


def export_module(
    embeddings: Embeddings,
    export_path: str,
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    l2_regularization: float = 0.0,
    dtype: str = "float32",
    overwrite: bool = False,
) -> PublishedModule:
    """Publishes embeddings as a module; see `export_module_from_file`."""
    _check_options(num_oov_buckets, l2_regularization, None, dtype)
    _check_export_path(export_path, overwrite)
    with _store_in_files([embeddings], dtype, num_oov_buckets) as stored:
        return _write_module(stored, export_path, preprocess_text, l2_regularization, overwrite)


@contextlib.contextmanager
def _store_in_files(
    blocks: Iterable[Embeddings], dtype: str, num_oov_buckets: int
) -> Iterator[StoredEmbeddings]:
    with tempfile.TemporaryDirectory() as directory:
        try:
            stored = store_embeddings(blocks, directory, np.dtype(dtype), num_oov_buckets)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                error.filename, error.strerror = directory, _DISK_FULL
            raise
        yield stored


def _write_module(
    stored: StoredEmbeddings,
    export_path: str,
    preprocess_text: bool,
    l2_regularization: float,
    overwrite: bool,
) -> PublishedModule:
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
    _check_common_signature(spec, stored.dimension)
    # Without a variable, which would hold all vectors in memory: they go from file to file.
    spec.export_values(export_path, {"embeddings": stored.map_vectors()}, overwrite=overwrite)
    return PublishedModule(
        export_path, stored.words, stored.rows, stored.dimension, _measure_directory(export_path)
    )


def _measure_directory(path: str) -> int:
    """Returns the size of all files of a directory in bytes."""
    return sum(
        tf.io.gfile.stat(os.path.join(directory, name)).length
        for directory, _, names in tf.io.gfile.walk(path)
        for name in names
    )


def _check_common_signature(spec: hub.ModuleSpec, dimension: int) -> None:
    """Warns if a module is not a text feature vector, which programs that use it expect."""
    inputs, outputs = spec.get_input_info_dict(), spec.get_output_info_dict()
    types = [info.type_spec for info in inputs.values()]
    features = tf.TensorSpec([None, dimension], tf.float32)
    is_text_input = types == [tf.TensorSpec([None], tf.string)]
    if not is_text_input or "default" not in outputs or outputs["default"].type_spec != features:
        logging.warning(
            "The module is not a text feature vector, which takes one input, strings of shape "
            "[batch], and has an output 'default', float32 of shape [batch, %d]. It has the "
            "inputs %s and the outputs %s.",
            dimension,
            inputs,
            outputs,
        )


def make_module_fn(
    vocabulary_file: str,
    vectors_shape: tuple[int, int],
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    l2_regularization: float = 0.0,
    dtype: str = "float32",
) -> Callable[[], None]:
    """Returns a `module_fn` for `hub.create_module_spec`.

    Its variable `embeddings` has the shape [words + num_oov_buckets, dimension] and is
    trainable. Its one signature has the output `default`, float32 of shape
    [batch, dimension], and one input, string of shape [batch]:

    * `sentences`, if `preprocess_text`. The module removes punctuation (Unicode's categories
      P*) from a sentence, and splits the rest at spaces. The sentence's embedding is the sum
      of its words' vectors divided by the square root of their number. A sentence without
      words has the embedding of the word "".
    * `tokens`, if not. Each token is looked up as it is.

    Args:
      vocabulary_file: The path of a text file with one word per line.
      vectors_shape: The number of words, and the dimension of their vectors.
      num_oov_buckets: As in `export_module_from_file`.
      preprocess_text: As in `export_module_from_file`.
      l2_regularization: As in `export_module_from_file`.
      dtype: The type of the variable, as in `export_module_from_file`.
    """
    words, dimension = vectors_shape

    def module_fn() -> None:
        embeddings = tf1.get_variable(
            "embeddings",
            shape=[words + num_oov_buckets, dimension],
            dtype=dtype,
            initializer=tf1.zeros_initializer(),
            regularizer=_make_l2_regularizer(l2_regularization) if l2_regularization else None,
        )
        table = _make_vocabulary_table(vocabulary_file, num_oov_buckets)
        name = "sentences" if preprocess_text else "tokens"
        text = tf1.placeholder(tf.string, shape=[None], name=name)
        if preprocess_text:
            output = _embed_sentences(text, table, embeddings)
        else:
            output = _look_up(embeddings, table.lookup(text))
        hub.add_signature(inputs={name: text}, outputs={"default": output})

    return module_fn


def _embed_sentences(
    sentences: tf.Tensor, table: tf.lookup.StaticVocabularyTable, embeddings: tf.Variable
) -> tf.Tensor:
    without_punctuation = tf.strings.regex_replace(sentences, r"\pP", "")
    words = tf1.string_split(without_punctuation, sep=" ")
    words, _ = tf.sparse.fill_empty_rows(words, "")
    vectors = _look_up(embeddings, table.lookup(words.values))
    # TensorFlow 1 lacks the ops that tf.nn.embedding_lookup_sparse now writes.
    sentence_of_word = tf.cast(words.indices[:, 0], tf.int32)
    sums = tf.math.segment_sum(vectors, sentence_of_word)
    counts = tf.math.segment_sum(tf.ones_like(sentence_of_word, tf.float32), sentence_of_word)
    return sums / tf.sqrt(counts)[:, tf.newaxis]


def _look_up(embeddings: tf.Variable, rows: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.gather(embeddings, rows), tf.float32)


def _make_vocabulary_table(path: str, num_oov_buckets: int) -> tf.lookup.StaticVocabularyTable:
    initializer = tf.lookup.TextFileInitializer(
        # From a plain string the table would make its name, and publish a path of this machine.
        filename=tf.constant(path, name="vocabulary_file"),
        key_dtype=tf.string,
        key_index=tf.lookup.TextFileIndex.WHOLE_LINE,
        value_dtype=tf.int64,
        value_index=tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    return tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets)


def _make_l2_regularizer(scale: float) -> Callable[[tf.Tensor], tf.Tensor]:
    return lambda weights: scale * tf.nn.l2_loss(tf.cast(weights, tf.float32))


def _check_options(
    num_oov_buckets: int,
    l2_regularization: float,
    max_rows: int | None,
    dtype: str,
) -> None:
    if not 1 <= num_oov_buckets <= _MOST_OOV_BUCKETS:
        raise ValueError(
            f"num_oov_buckets is {num_oov_buckets}; words that are not in the file need at least "
            f"1, and at most {_MOST_OOV_BUCKETS}."
        )
    if not 0 <= l2_regularization < math.inf:
        raise ValueError(f"l2_regularization is {l2_regularization}; give 0 or more.")
    if max_rows is not None and max_rows < 1:
        raise ValueError(f"max_rows is {max_rows}; give 1 or more, or None for all rows.")
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype!r}; give one of {', '.join(DTYPES)}.")


def _check_export_path(path: str, overwrite: bool) -> None:
    """Checks, before the work is done, that a module can be written to a path."""
    if not tf.io.gfile.exists(path) or is_empty_directory(path):
        return
    if not tf.io.gfile.isdir(path):
        raise FileExistsError(f"{path} is a file; give the path of a directory.")
    if not overwrite:
        raise FileExistsError(
            f"{path} exists already; give another path, or --overwrite (in Python overwrite=True) "
            "to replace the module there."
        )


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
    flags.DEFINE_bool("overwrite", False, "Replace a module at --export_path.", **here)
    flags.DEFINE_bool(
        "progress", None, "Show progress on standard error; default: on a terminal.", **here
    )
    flags.mark_flags_as_required(["embedding_file", "export_path"], **here)


def join_boolean_values(
    arguments: Sequence[str], values: flags.FlagValues = flags.FLAGS
) -> list[str]:
    """Returns the arguments with `--flag=True` for each `--flag True` of a boolean flag.

    absl takes a boolean flag's value after "=" only, and programs with argparse, which this one
    replaces, took it after a space.

    Args:
      arguments: The command line, which starts with the name of the program.
      values: The flags of the program.
    """
    joined: list[str] = []
    for argument in arguments:
        if joined and not argument.startswith("-") and _is_boolean(joined[-1], values):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _is_boolean(argument: str, values: flags.FlagValues) -> bool:
    """Whether an argument is a boolean flag without a value."""
    name = re.fullmatch("--?([a-z_0-9]+)", argument)
    return name is not None and name[1] in values and bool(values[name[1]].boolean)


def main(arguments: Sequence[str]) -> None:
    """Publishes a file as the flags say, or ends the program with a message."""
    if len(arguments) > 1:
        sys.exit(f"{arguments[1]!r} is not a flag; run with --help to see the flags.")
    options = flags.FLAGS
    # A scheduler's SIGTERM removes temporary files as a user's Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        published = export_module_from_file(
            options.embedding_file,
            options.export_path,
            options.num_oov_buckets,
            options.preprocess_text,
            options.l2_regularization,
            options.vocabulary_file,
            options.max_rows,
            options.dtype,
            options.projector,
            options.overwrite,
            options.progress,
        )
    except (ValueError, hub.HubModuleError, ImportError, OSError, tf.errors.OpError) as error:
        sys.exit(f"Nothing was published: {_describe_error(error)}")
    except KeyboardInterrupt:
        print("Stopped", file=sys.stderr)
        sys.exit(_STOPPED)
    print(f"The module is in {published.path}")
    print(published)
    if options.projector:
        print(f"See its vectors with: tensorboard --logdir={options.projector}")


def _describe_error(error: Exception) -> str:
    """Describes an error: of an op that cannot write a file, only that part of the message."""
    of_file = re.search(r"^/.*; .*$", str(error), re.MULTILINE)
    return of_file[0] if of_file and isinstance(error, tf.errors.OpError) else str(error)


if __name__ == "__main__":
    define_flags()
    app.run(main, join_boolean_values(sys.argv))
