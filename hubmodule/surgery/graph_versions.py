"""Makes GraphDefs that state the version of TensorFlow's graph format."""

from __future__ import annotations

import tensorflow as tf


def make_graph_def() -> tf.compat.v1.GraphDef:
    """Makes an empty GraphDef in the version that this TensorFlow writes.

    A tf.Graph takes the lowest version of the GraphDefs that are imported into it, and behaves
    like TensorFlow of that version. A GraphDef without a version counts as the oldest: after it
    is imported, placeholders with the shape [] have an unknown shape, for example.
    """
    graph_def = tf.compat.v1.GraphDef()
    graph_def.versions.producer = tf.version.GRAPH_DEF_VERSION
    return graph_def
