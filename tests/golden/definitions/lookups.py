"""Modules with tables and assets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.definitions.registry import Call, golden, lines, variable


def _file_entries(tf: Any, path: str) -> Any:
    index = tf.lookup.TextFileIndex
    return tf.lookup.TextFileInitializer(
        path, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
    )


@golden(Call({"default": np.array([b"cat", b"what", b"mat", b"the"])}, trained=True))
def vocabulary(hub: Any, tf: Any, scratch: Path) -> Any:
    """Embeddings of words found in a table that a vocabulary asset fills."""
    path = lines(scratch, "vocabulary.txt", "the cat sat on mat")

    def module_fn() -> None:
        words = tf.placeholder(tf.string, [None])
        entries = _file_entries(tf, path)
        ids = tf.lookup.StaticVocabularyTable(entries, num_oov_buckets=2).lookup(words)
        embeddings = variable(tf, "embeddings", [7, 3])
        hub.add_signature(inputs=words, outputs=tf.nn.embedding_lookup(embeddings, ids))

    return hub.create_module_spec(module_fn)


@golden(
    Call({"default": np.array([b"red", b"blue", b"sun"])}),
    Call({}, "text"),
)
def twin_assets(hub: Any, tf: Any, scratch: Path) -> Any:
    """Two assets with the same base name, each in a table; the text of one is an output."""
    colours = lines(scratch, "colours/words.txt", "red green blue")
    stars = lines(scratch, "stars/words.txt", "sun red sirius vega")

    def table(path: str) -> Any:
        return tf.lookup.StaticHashTable(_file_entries(tf, path), -1)

    def module_fn() -> None:
        words = tf.placeholder(tf.string, [None])
        outputs = {
            "default": table(colours).lookup(words),
            "stars": table(stars).lookup(words),
        }
        hub.add_signature(inputs=words, outputs=outputs)
        asset = tf.constant(stars)
        tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, asset)
        hub.add_signature("text", outputs=tf.read_file(asset))

    return hub.create_module_spec(module_fn)


@golden(Call({"default": np.array([4, 0, 9], np.int64)}))
def constant_table(hub: Any, tf: Any, scratch: Path) -> Any:
    """A table that is filled from constants: state without variables or assets."""

    def module_fn() -> None:
        keys = tf.placeholder(tf.int64, [None])
        pairs = tf.lookup.KeyValueTensorInitializer(
            tf.constant([0, 4], tf.int64), tf.constant(["zero", "four"])
        )
        table = tf.lookup.StaticHashTable(pairs, "many")
        hub.add_signature(inputs=keys, outputs=table.lookup(keys))

    return hub.create_module_spec(module_fn)


@golden(Call({"default": np.array([b"cat", b"dog"])}, trained=True))
def nested(hub: Any, tf: Any, scratch: Path) -> Any:
    """A module inside a module: its variables, table and asset become the outer one's."""
    inner = vocabulary(hub, tf, scratch)

    def module_fn() -> None:
        words = tf.placeholder(tf.string, [None])
        with tf.variable_scope("tower"):
            embedded = hub.Module(inner, trainable=True, name="words")(words)
        y = tf.matmul(embedded, variable(tf, "weights", [3, 2]))
        hub.add_signature(inputs=words, outputs=y)

    return hub.create_module_spec(module_fn)


_SENTENCES = np.array([b"the cat, sat.", b"", b"a mat"])


def _sentence_rows(tf: Any, scratch: Path, sentences: Any) -> Any:
    """Row ids as a SparseTensor: the words of each sentence, "" for one without words."""
    path = lines(scratch, "tokens.txt", "the cat sat on mat")
    clean = tf.strings.regex_replace(sentences, r"\pP", "")
    words, _ = tf.sparse.fill_empty_rows(tf.string_split(clean, " "), "")
    ids = tf.lookup.StaticHashTable(_file_entries(tf, path), -1).lookup(words.values) + 1
    return tf.SparseTensor(words.indices, ids, words.dense_shape)


@golden(Call({"default": _SENTENCES}, trained=True))
def sentences(hub: Any, tf: Any, scratch: Path) -> Any:
    """Sentences cut into words, looked up, and their embeddings combined by sqrtn."""

    def module_fn() -> None:
        text = tf.placeholder(tf.string, [None])
        rows = _sentence_rows(tf, scratch, text)
        embedded = tf.gather(variable(tf, "embeddings", [6, 3]), rows.values)
        of_sentence = rows.indices[:, 0]
        counts = tf.segment_sum(tf.ones_like(of_sentence, tf.float32), of_sentence)
        y = tf.segment_sum(embedded, of_sentence) / tf.sqrt(counts)[:, None]
        hub.add_signature(inputs=text, outputs=tf.reshape(y, [-1, 3]))

    return hub.create_module_spec(module_fn)


@golden(Call({"default": _SENTENCES}, trained=True))
def sparse_lookup(hub: Any, tf: Any, scratch: Path) -> Any:
    """The same with embedding_lookup_sparse, whose ops differ between TensorFlows."""

    def module_fn() -> None:
        text = tf.placeholder(tf.string, [None])
        rows = _sentence_rows(tf, scratch, text)
        table = variable(tf, "embeddings", [6, 3])
        y = tf.nn.embedding_lookup_sparse(table, rows, None, combiner="sqrtn")
        hub.add_signature(inputs=text, outputs=y)

    return hub.create_module_spec(module_fn)
