"""Formats results as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.runs import Result

Values = Mapping[str, float]
HEAD = (
    "| case | tensorflow_hub | hubmodule | ratio (CPU) | target | "
    "| floor | distance (CPU) | memory | since the last release |\n"
    "|---|---:|---:|---:|---|---|---:|---:|---:|---:|"
)
_VERDICTS = {True: "holds", False: "**fails**", None: "?"}


def format_row(case: Any, result: Result, change: str = "") -> str:
    """Formats a row.

    Args:
        case: The Python module of the case, with TITLE and TARGETS.
        result: The result.
        change: What changed since the last release.
    """
    peer, ours, floor = (
        result.values.get(library, {}) for library in ("tensorflow_hub", "hubmodule", "floor")
    )
    if not ours:
        return f"| {case.TITLE} | | could not be run | | | | | | | |"
    metric = _choose_metric(case.TARGETS)
    verdicts = [_VERDICTS[_is_reached(target, ours, peer, floor)] for target in case.TARGETS]
    cells = [
        case.TITLE,
        _format_value(peer, metric),
        _format_value(ours, metric),
        _format_ratios(peer, ours, metric),
        "; ".join(map(str, case.TARGETS)),
        "; ".join(verdicts) + _format_slowdowns(ours, floor),
        _format_value(floor, metric),
        _format_ratios(ours, floor, metric),
        _format_memories(case.TARGETS, [values for values in (peer, ours, floor) if values]),
        change,
    ]
    return f"| {' | '.join(cells)} |"


def _is_reached(target: Any, ours: Values, peer: Values, floor: Values) -> bool | None:
    return target.is_reached(ours, peer or None, floor or None)


def _choose_metric(targets: Sequence[Any]) -> str:
    """Chooses what the row compares: nodes if all targets are about nodes, else time."""
    return "nodes" if {target.metric for target in targets} == {"nodes"} else "seconds"


def _format_value(values: Values, metric: str) -> str:
    if metric not in values:
        return ""
    if metric == "nodes":
        return f"{values[metric]:,.0f}"
    seconds = values[metric]
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _format_ratios(above: Values, below: Values, metric: str) -> str:
    ratio = _format_ratio(above, below, metric)
    return (
        f"{ratio} ({_format_ratio(above, below, 'cpu')})"
        if ratio and metric == "seconds"
        else ratio
    )


def _format_ratio(above: Values, below: Values, metric: str) -> str:
    if not above or not below.get(metric):
        return ""
    return f"{above[metric] / below[metric]:.2f}"


def _format_slowdowns(ours: Values, floor: Values) -> str:
    if "slowdown" not in ours:
        return ""
    of_floor = f", of the floor {floor['slowdown']:.2f}" if "slowdown" in floor else ""
    return f" (slow-down {ours['slowdown']:.2f}{of_floor})"


def _format_memories(targets: Sequence[Any], measured: Sequence[Values]) -> str:
    whole = any(target.metric == "process" for target in targets)
    metric = "process" if whole else "memory"
    return " / ".join(_format_megabytes(values, metric) for values in measured) + " in all" * whole


def _format_megabytes(values: Values, metric: str) -> str:
    return f"{values[metric] / 1e6:,.0f} MB" if metric in values else "?"
