"""graph_versions: new GraphDefs are those of this TensorFlow."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.surgery.graph_versions import make_graph_def


def test_a_graph_keeps_its_version_when_a_new_graph_def_is_imported():
    graph_def = make_graph_def()
    graph_def.node.add(name="n", op="NoOp")
    with tf.Graph().as_default() as graph:
        before = graph.as_graph_def().versions.producer
        tf.import_graph_def(graph_def, name="")
        assert graph.as_graph_def().versions.producer == before


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
