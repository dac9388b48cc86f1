"""Publishes a text file of word embeddings as a module.

    python export.py --embedding_file=glove.6B.50d.txt.gz --export_path=/modules/glove

A program then uses it with

    embed = hub.Module("/modules/glove")
    vectors = embed(["a cat on a mat", "the dog"])  # float32 of shape [2, 50]
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))
    # TensorFlow reads these when it is imported. It speaks of oneDNN even when told to be quiet.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import tensorflow as tf
from absl import app, flags

import hubmodule as hub
from examples.text_embeddings.embedding_file import (
    EmbeddingFileError,
    Embeddings,
    read_embeddings,
)

tf1 = tf.compat.v1


def export_module_from_file(
    embedding_file: str,
    export_path: str,
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    l2_regularization: float = 0.0,
) -> None:
    """Publishes the embeddings in a file as a module, or raises and writes nothing.

    Args:
      embedding_file: a text file with a token and its vector in each line, plain or
        packed by gzip, bzip2 or xz; see `embedding_file.read_embeddings`.
      export_path: the directory that becomes the module.
      num_oov_buckets: how many further vectors, which start as zeros, words that are
        not in the file share; a word's bucket is told by its hash.
      preprocess_text: True: the module takes sentences; False: it takes tokens.
        See `make_module_fn`.
      l2_regularization: if not 0, the module has a regularisation loss, which is
        `l2_regularization * sum(embeddings ** 2) / 2`.

    Raises:
      EmbeddingFileError: the file is damaged, or a row is wrong; also a ValueError.
      ValueError: another argument is wrong.
      FileNotFoundError: there is no such file.
      FileExistsError: something is at `export_path` already.
    """
    _check_options(export_path, num_oov_buckets, l2_regularization)
    embeddings = read_embeddings(embedding_file)
    export_module(embeddings, export_path, num_oov_buckets, preprocess_text, l2_regularization)


def export_module(
    embeddings: Embeddings,
    export_path: str,
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    l2_regularization: float = 0.0,
) -> None:
    """Publishes embeddings as a module; see `export_module_from_file`."""
    _check_options(export_path, num_oov_buckets, l2_regularization)
    with tempfile.TemporaryDirectory() as directory:
        vocabulary_file = os.path.join(directory, "tokens.txt")
        _write_vocabulary(vocabulary_file, embeddings.tokens)
        module_fn = make_module_fn(
            vocabulary_file,
            embeddings.vectors.shape,
            num_oov_buckets,
            preprocess_text,
            l2_regularization,
        )
        spec = hub.create_module_spec(module_fn)
        with tf.Graph().as_default():
            module = hub.Module(spec)
            # The vectors are fed: in the graph itself, millions of them would not fit
            # into the 2 GB that a GraphDef can have.
            known = tf1.placeholder(tf.float32, embeddings.vectors.shape)
            unknown = tf.zeros([num_oov_buckets, embeddings.vectors.shape[1]])
            variable = module.variable_map["embeddings"]
            fill = tf1.assign(variable, tf.concat([known, unknown], axis=0))
            with tf1.Session() as session:
                session.run(fill.op, {known: embeddings.vectors})
                module.export(export_path, session)


def make_module_fn(
    vocabulary_file: str,
    vectors_shape: tuple[int, int],
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    l2_regularization: float = 0.0,
) -> Callable[[], None]:
    """Returns a `module_fn` for `hub.create_module_spec`.

    Its variable `embeddings` is float32 of shape [words + num_oov_buckets, dimension]
    and trainable. Its one signature has the output `default`, float32 of shape
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
    """
    words, dimension = vectors_shape

    def module_fn() -> None:
        embeddings = tf1.get_variable(
            "embeddings",
            shape=[words + num_oov_buckets, dimension],
            initializer=tf1.zeros_initializer(),
            regularizer=_l2_regularizer(l2_regularization) if l2_regularization else None,
        )
        table = _vocabulary_table(vocabulary_file, num_oov_buckets)
        name = "sentences" if preprocess_text else "tokens"
        text = tf1.placeholder(tf.string, shape=[None], name=name)
        if preprocess_text:
            output = _embed_sentences(text, table, embeddings)
        else:
            output = tf.gather(embeddings, table.lookup(text))
        hub.add_signature(inputs={name: text}, outputs={"default": output})

    return module_fn


def _embed_sentences(
    sentences: tf.Tensor, table: tf.lookup.StaticVocabularyTable, embeddings: tf.Variable
) -> tf.Tensor:
    without_punctuation = tf.strings.regex_replace(sentences, r"\pP", "")
    words = tf1.string_split(without_punctuation, sep=" ")
    words, _ = tf.sparse.fill_empty_rows(words, "")
    vectors = tf.gather(embeddings, table.lookup(words.values))
    # tf.nn.embedding_lookup_sparse of today writes ops that TensorFlow 1 does not know.
    sentence_of_word = tf.cast(words.indices[:, 0], tf.int32)
    sums = tf.math.segment_sum(vectors, sentence_of_word)
    counts = tf.math.segment_sum(tf.ones_like(sentence_of_word, tf.float32), sentence_of_word)
    return sums / tf.sqrt(counts)[:, tf.newaxis]


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
    return lambda weights: scale * tf.nn.l2_loss(weights)


def _write_vocabulary(path: str, tokens: Sequence[str]) -> None:
    # Only "\n" ends a line of the vocabulary; tokens may hold other line separators.
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{token}\n" for token in tokens)


def _check_options(export_path: str, num_oov_buckets: int, l2_regularization: float) -> None:
    if num_oov_buckets < 1:
        raise ValueError(
            f"num_oov_buckets is {num_oov_buckets}; words that are not in the file need at least 1."
        )
    if not l2_regularization >= 0:
        raise ValueError(f"l2_regularization is {l2_regularization}; give 0 or more.")
    # Said before the work rather than after it.
    if tf.io.gfile.exists(export_path) and not _is_empty_directory(export_path):
        raise FileExistsError(f"{export_path} exists already; delete it, or give another path.")


def _is_empty_directory(path: str) -> bool:
    return tf.io.gfile.isdir(path) and not tf.io.gfile.listdir(path)


def define_flags(values: flags.FlagValues = flags.FLAGS) -> None:
    """Defines the flags of the program."""
    here = {"flag_values": values}
    flags.DEFINE_string("embedding_file", None, "A token and its vector in each line.", **here)
    flags.DEFINE_string("export_path", None, "The directory that becomes the module.", **here)
    flags.DEFINE_bool("preprocess_text", True, "Take sentences rather than tokens.", **here)
    flags.DEFINE_integer(
        "num_oov_buckets", 1, "Vectors that missing words share.", lower_bound=1, **here
    )
    flags.DEFINE_float("l2_regularization", 0.0, "Scale of an L2 loss.", lower_bound=0.0, **here)
    flags.mark_flags_as_required(["embedding_file", "export_path"], **here)


def main(arguments: Sequence[str]) -> None:
    """Publishes what the flags say, and ends the program with a message if it cannot."""
    if len(arguments) > 1:
        sys.exit(f"{arguments[1]!r} is no flag; run with --help to see them.")
    options = flags.FLAGS
    try:
        export_module_from_file(
            options.embedding_file,
            options.export_path,
            options.num_oov_buckets,
            options.preprocess_text,
            options.l2_regularization,
        )
    except (EmbeddingFileError, hub.HubModuleError, OSError, tf.errors.OpError) as error:
        sys.exit(f"Nothing was published: {error}")
    print(f"The module is in {options.export_path}")


if __name__ == "__main__":
    define_flags()
    app.run(main)
