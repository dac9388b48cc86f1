"""Writes graphs for TensorBoard, without importing them."""

from __future__ import annotations

import os
import posixpath
import re
import time
from collections.abc import Iterable, Sequence

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

# TensorBoard expects this in the first event of a file.
_VERSION = "brain.Event:2"


def write_graphs(
    meta_graphs: Sequence[MetaGraphDef], directory: str | os.PathLike[str], now: float | None = None
) -> list[str]:
    """Writes one run of TensorBoard for each graph variant.

    Args:
        meta_graphs: The graph variants.
        directory: The directory of logs, for `tensorboard --logdir`; it is created if needed.
        now: The time of the events in seconds since 1970; None means the present.

    Returns:
        The paths of the files that were written.
    """
    now = time.time() if now is None else now
    paths = []
    for meta_graph in meta_graphs:
        run = posixpath.join(os.fsdecode(directory), _make_run_name(meta_graph.meta_info_def.tags))
        tf.io.gfile.makedirs(run)
        paths.append(posixpath.join(run, f"events.out.tfevents.{int(now):010d}.hubmodule"))
        with tf.io.TFRecordWriter(paths[-1]) as writer:
            for event in (
                tf.compat.v1.Event(wall_time=now, file_version=_VERSION),
                tf.compat.v1.Event(
                    wall_time=now, graph_def=meta_graph.graph_def.SerializeToString()
                ),
            ):
                writer.write(event.SerializeToString())
    return paths


def _make_run_name(tags: Iterable[str]) -> str:
    """Makes the name of a directory from tags, which may have any characters."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", "-".join(sorted(tags))) or "no_tags"
