"""Makes GraphDefs that say which version of TensorFlow's graph format they are written in."""

from __future__ import annotations

import tensorflow as tf


def make_graph_def() -> tf.compat.v1.GraphDef:
    """Makes an empty GraphDef in the version that this TensorFlow writes.

    A tf.Graph takes the lowest version of what is imported into it, and behaves like the
    TensorFlow of that time. A GraphDef that names no version counts as older than all: after
    its import, placeholders with the shape [] have an unknown shape, for example.
    """
    graph_def = tf.compat.v1.GraphDef()
    graph_def.versions.producer = tf.version.GRAPH_DEF_VERSION
    return graph_def
