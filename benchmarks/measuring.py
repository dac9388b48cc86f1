"""Measures one thing in this process: time, memory, and nodes added to a graph."""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

_STATUS = Path("/proc/self/status")
_FORGET_PEAK = Path("/proc/self/clear_refs")


class Measurement:
    """The values that a case measured.

    Attributes:
        values: "seconds" and "cpu" (of all threads) in seconds; "memory", the peak beyond what
            was in use before, and "process", the peak of the whole process, both in bytes and
            on Linux only; "nodes", the number of nodes added. A case may add others.
    """

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, graph: tf.Graph | None = None) -> Iterator[None]:
        """Measures the block, and counts the nodes it adds to a graph."""
        gc.collect()
        nodes = _count_nodes(graph)
        before = _read_memory("VmRSS") if _forget_peak() else None
        cpu, seconds = time.process_time(), time.perf_counter()
        yield
        self.values["seconds"] = time.perf_counter() - seconds
        self.values["cpu"] = time.process_time() - cpu
        self.values["nodes"] = _count_nodes(graph) - nodes
        peak = _read_memory("VmHWM")
        if before is not None and peak is not None:
            self.values.update(memory=max(0, peak - before), process=peak)


def _forget_peak() -> bool:
    """Resets the peak to what is in use; returns whether the system can do that."""
    if not os.access(_FORGET_PEAK, os.W_OK):
        return False
    _FORGET_PEAK.write_text("5")
    return True


def _read_memory(key: str) -> int | None:
    """Reads a line of this process's status on Linux, in bytes; None elsewhere."""
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), None)


def _count_nodes(graph: tf.Graph | None) -> int:
    return len(graph.get_operations()) if graph else 0
