"""What a case is to reach, and whether it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What a library, or the floor, was measured to take, the medians of several rounds; see
# `measuring.Measurement`. "slowdown" is the "cpu" of what is done again over that of the first.
Measured = Mapping[str, float]
MEGABYTE = 10**6
_FASTER = {"seconds": "as fast", "cpu": "as fast (CPU)", "nodes": "fewer"}


@dataclass(frozen=True)
class TimesLess:
    """`factor` times less of something than tensorflow_hub.

    What one thread does is compared by its processor time, "cpu": that is the time by the
    clock where nothing else runs.
    """

    factor: float
    metric: str = "seconds"

    def __str__(self) -> str:
        return f"{self.factor:g} times " * (self.factor != 1) + _FASTER[self.metric]

    def is_reached(
        self, ours: Measured, peer: Measured | None, floor: Measured | None
    ) -> bool | None:
        """Whether it is reached; None if it was not measured."""
        if not peer or self.metric not in ours or self.metric not in peer:
            return None
        return ours[self.metric] * self.factor <= peer[self.metric]


@dataclass(frozen=True)
class NearFloor:
    """At most `factor` times as much of something as the floor."""

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
        """Whether it is reached; None if it was not measured."""
        if not floor or self.metric not in ours or self.metric not in floor:
            return None
        return ours[self.metric] <= self.factor * floor[self.metric]


@dataclass(frozen=True)
class AtMost:
    """At most `limit` of something: seconds, bytes, or times the first."""

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
        """Whether it is reached; None if it was not measured."""
        return ours[self.metric] <= self.limit if self.metric in ours else None


Target = TimesLess | NearFloor | AtMost
