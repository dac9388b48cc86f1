"""Tests of hubmodule.inspection.tensorboard."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import tensorflow as tf

from hubmodule.inspection.tensorboard import write_graphs
from tests.inspection.modules import meta_graph


def test_one_run_for_each_variant(tmp_path: Path) -> None:
    graphs = [meta_graph(), meta_graph({"../up", "train"})]
    paths = write_graphs(graphs, tmp_path, now=12.5)
    assert [Path(path).relative_to(tmp_path).as_posix() for path in paths] == [
        "no_tags/events.out.tfevents.0000000012.hubmodule",
        "___up-train/events.out.tfevents.0000000012.hubmodule",
    ]
    for graph, path in zip(graphs, paths, strict=True):
        first, second = tf.compat.v1.train.summary_iterator(path)
        assert first.file_version == "brain.Event:2"
        assert tf.compat.v1.GraphDef.FromString(second.graph_def) == graph.graph_def
        assert second.wall_time == 12.5


def test_tensorboard_reads_it(tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    graph = meta_graph()
    write_graphs([graph], tmp_path)
    accumulator = accumulators.EventAccumulator(str(tmp_path / "no_tags"))
    accumulator.Reload()
    # Of a class of TensorBoard's own, which is not equal to that of TensorFlow.
    read = accumulator.Graph().SerializeToString(deterministic=True)
    assert read == graph.graph_def.SerializeToString(deterministic=True)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
