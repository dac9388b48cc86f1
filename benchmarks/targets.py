"""The targets of cases, and whether results reach them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The medians of several rounds of a library or the floor; see `measuring.Measurement`.
# "slowdown" is the "cpu" of later calls divided by that of the first.
Measured = Mapping[str, float]
MEGABYTE = 10**6
_FASTER = {"seconds": "as fast", "cpu": "as fast (CPU)", "nodes": "fewer"}


@dataclass(frozen=True)
class TimesLess:
    """`factor` times less of a metric than tensorflow_hub.

    Work of one thread is compared by its processor time, "cpu", which equals the wall-clock
    time where nothing else runs.
    """

    factor: float
    metric: str = "seconds"

    def __str__(self) -> str:
        return f"{self.factor:g} times " * (self.factor != 1) + _FASTER[self.metric]

    def is_reached(
        self, ours: Measured, peer: Measured | None, floor: Measured | None
    ) -> bool | None:
        """Whether the results reach the target; None if they lack the metric."""
        if not peer or self.metric not in ours or self.metric not in peer:
            return None
        return ours[self.metric] * self.factor <= peer[self.metric]


@dataclass(frozen=True)
class NearFloor:
    """At most `factor` times as much of a metric as the floor."""

    factor: float
    metric: str = "seconds"

    def __str__(self) -> str:
        what = {
            "seconds": "time",
            "cpu": "CPU",
            "nodes": "nodes",
            "memory": "memory",
            "process": "memory",
        }[self.metric]
        return f"{what} up to {self.factor:g} x floor"

    def is_reached(
        self, ours: Measured, peer: Measured | None, floor: Measured | None
    ) -> bool | None:
        """Whether the results reach the target; None if they lack the metric."""
        if not floor or self.metric not in ours or self.metric not in floor:
            return None
        return ours[self.metric] <= self.factor * floor[self.metric]


@dataclass(frozen=True)
class AtMost:
    """At most `limit` of a metric: seconds, bytes, or times the first."""

    limit: float
    metric: str = "seconds"

    def __str__(self) -> str:
        if self.metric in ("seconds", "cpu"):
            return f"up to {self.limit * 1000:g} ms" + " (CPU)" * (self.metric == "cpu")
        if self.metric == "slowdown":
            return f"up to {self.limit:g} times the first"
        return f"up to {self.limit / MEGABYTE:g} MB"

    def is_reached(
        self, ours: Measured, peer: Measured | None, floor: Measured | None
    ) -> bool | None:
        """Whether the results reach the target; None if they lack the metric."""
        return ours[self.metric] <= self.limit if self.metric in ours else None


Target = TimesLess | NearFloor | AtMost
