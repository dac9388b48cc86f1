"""A module that embeds texts, and what an Estimator needs to train on its column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

import hubmodule as hub

v1 = tf.compat.v1

VECTORS = {"a": [1.0, 0.0], "b": [0.0, 2.0], "": [9.0, 9.0]}


def words_fn() -> None:
    """Module function: vectors of "a" and "b", and one for all else."""
    words = v1.placeholder(tf.string, [None])
    vectors = v1.get_variable("vectors", initializer=tf.constant(list(VECTORS.values())))
    row = tf.where(tf.equal(words, "a"), 0, tf.where(tf.equal(words, "b"), 1, 2))
    hub.add_signature(inputs=words, outputs=tf.gather(vectors, row))


def sentiment(epochs: int | None = None) -> Callable[[], tf.data.Dataset]:
    """An input_fn of texts "a", which are of class 0, and "b"."""
    features = {"f": np.array(["a", "b", "a", "b"])}
    return lambda: tf.data.Dataset.from_tensors((features, [[0], [1], [0], [1]])).repeat(epochs)


def receive_text() -> tf.estimator.export.ServingInputReceiver:
    """A serving_input_fn of texts."""
    text = v1.placeholder(tf.string, [None])
    return tf.estimator.export.ServingInputReceiver({"f": text}, {"f": text})
