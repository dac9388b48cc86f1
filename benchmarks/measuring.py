"""Measures one thing in this process: time, memory, and nodes added to a graph."""

from __future__ import annotations

import contextlib
import gc
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

_STATUS = Path("/proc/self/status")
_FORGET_PEAK = Path("/proc/self/clear_refs")


class Measurement:
    """What a case found out.

    Attributes:
        values: "seconds" and "cpu" (of all threads) in seconds; "memory", the most
            that was in use beyond what was in use before, in bytes; "nodes".
    """

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, graph: tf.Graph | None = None) -> Iterator[None]:
        """Measures the block, and how many nodes it adds to a graph."""
        gc.collect()
        nodes = _count_nodes(graph)
        before = _start_memory()
        cpu, seconds = time.process_time(), time.perf_counter()
        yield
        self.values["seconds"] = time.perf_counter() - seconds
        self.values["cpu"] = time.process_time() - cpu
        self.values["memory"] = max(0, _memory("VmHWM") - before)
        self.values["nodes"] = _count_nodes(graph) - nodes


def peak_memory() -> int:
    """The most memory that this process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _start_memory() -> int:
    if _FORGET_PEAK.exists():
        _FORGET_PEAK.write_text("5")  # the peak is now what is in use
    return _memory("VmRSS")


def _memory(key: str) -> int:
    """A line of what Linux says of this process, in bytes; 0 elsewhere."""
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), 0)


def _count_nodes(graph: tf.Graph | None) -> int:
    return len(graph.get_operations()) if graph else 0
