"""Modules and pipelines of the tests."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import hubmodule as hub
from tests.module.graphs import exported

v1 = tf.compat.v1


def numbers(shift: float = 0.0) -> None:
    """Module function: signatures that take one, several, sparse and ragged inputs."""
    text = v1.placeholder(tf.string, [None])
    hub.add_signature(inputs=text, outputs=tf.strings.to_number(text) + shift)
    x = v1.placeholder(tf.float32, [None])
    scale = v1.placeholder(tf.float32, [])
    hub.add_signature("scale", {"x": x, "scale": scale}, {"scaled": x * scale, "x": x})
    row = v1.sparse_placeholder(tf.float32, [None, None])
    hub.add_signature("sparse", row, tf.sparse.reduce_sum(row, axis=1))
    words = v1.ragged.placeholder(tf.string, 1)
    hub.add_signature("ragged", words, tf.strings.reduce_join(words, axis=1))


def export_numbers(path: Any, shift: float = 0.0) -> str:
    """Exports `numbers`, untagged and as the variant {"shifted"}, which adds 100."""
    variants = [(set(), {"shift": shift}), ({"shifted"}, {"shift": shift + 100.0})]
    hub.create_module_spec(numbers, variants).export_values(str(path), {})
    return str(path)


def words(dimension: int = 4) -> None:
    """Module function: an embedding of sentences that sums vectors of hashed words."""
    sentences = v1.placeholder(tf.string, [None])
    vectors = v1.get_variable("vectors", initializer=tf.random.normal([50, dimension], seed=1))
    tokens = v1.string_split(sentences)
    rows = tf.gather(vectors, tf.strings.to_hash_bucket_fast(tokens.values, 50))
    sums = tf.math.unsorted_segment_sum(rows, tokens.indices[:, 0], tokens.dense_shape[0])
    hub.add_signature(inputs=sentences, outputs=sums)


def export_words(path: Any) -> str:
    """Exports `words`."""
    return exported(path, words)
