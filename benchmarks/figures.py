"""The results of a run as a file: those of the last release, or those of a table in the docs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.runs import ROOT, Result

LAST_RELEASE = ROOT / "benchmarks" / "last_release.json"
# The share by which a ratio differs between two runs of the same code.
NOISE = 0.15


@dataclass(frozen=True)
class Figures:
    """The results of a run.

    Attributes:
        machine: The processors and the operating system.
        versions: The versions of the libraries and of TensorFlow.
        results: The medians by case, library and metric.
    """

    machine: str
    versions: str
    results: dict[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Writes the results as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def read(path: Path) -> Figures:
    """Reads the results of a run."""
    return Figures(**json.loads(path.read_text()))


def describe_change(case: str, result: Result, kept: Figures | None) -> str:
    """Describes how a case changed since the figures that were kept.

    Machines differ, so this compares the ratio to the floor; for a case without a floor, the ratio
    to tensorflow_hub.

    Args:
        case: The name of the case.
        result: The new result.
        kept: The figures to compare with; None if there are none.

    Returns:
        The change in percent, in bold if it is worse by more than noise; "" if one of the two
        lacks what is compared.
    """
    before = _find_distance(kept.results.get(case, {})) if kept else None
    now = _find_distance(result.values)
    if not before or not now or before[0] != now[0]:
        return ""
    change = now[1] / before[1] - 1
    text = f"{change:+.0%}"
    return f"**{text}, worse**" if change > NOISE else text


def _find_distance(values: Mapping[str, Mapping[str, float]]) -> tuple[str, float] | None:
    """Finds the processor time divided by that of the floor, or else of tensorflow_hub."""
    ours = values.get("hubmodule", {}).get("cpu")
    for reference in ("floor", "tensorflow_hub"):
        other = values.get(reference, {}).get("cpu")
        if ours and other:
            return reference, ours / other
    return None
