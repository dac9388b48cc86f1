"""Runs cases in processes of their own, in turn with each library."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARIES = ("tensorflow_hub", "hubmodule", "floor")
# TensorFlow reads these when it is imported.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}


class RunError(Exception):
    """A process failed."""


@dataclass(frozen=True)
class Pythons:
    """The interpreters.

    Attributes:
        ours: has TensorFlow and what hubmodule needs.
        peer: has the same TensorFlow and tensorflow_hub.
    """

    ours: str
    peer: str

    def run(self, library: str, module: str, *arguments: str) -> str:
        """Runs a module of Python with one of LIBRARIES at hand, and returns what it prints.

        Raises:
            RunError: if it fails.
        """
        python = self.peer if library == "tensorflow_hub" else self.ours
        process = subprocess.run(
            [python, "-m", module, *arguments],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                **QUIET,
            },
            cwd=ROOT / "docs",  # where Python finds nothing but by PYTHONPATH
            capture_output=True,
            text=True,
        )
        if process.returncode:
            reason = process.stderr.strip().splitlines()[-1:] or ["no message"]
            raise RunError(f"{library}: {reason[0]}")
        return process.stdout

    def versions(self) -> str:
        """What is compared with what."""
        program = "benchmarks.versions"
        return "; ".join(self.run(library, program, library).strip() for library in LIBRARIES[:2])


@dataclass(frozen=True)
class Result:
    """What was measured of a case, per library the median of each metric.

    Attributes:
        values: by library, then by metric.
        failures: of the libraries that failed, why.
    """

    values: Mapping[str, Mapping[str, float]]
    failures: Mapping[str, str]


def measured(
    pythons: Pythons, case: str, libraries: list[str], folder: Path, rounds: int
) -> Result:
    """Runs a case several times with each library, in turn."""
    samples: dict[str, list[dict[str, float]]] = {library: [] for library in libraries}
    failures: dict[str, str] = {}
    for number in range(rounds):
        _show(f"{case}: round {number + 1} of {rounds}")
        for library in [name for name in libraries if name not in failures]:
            try:
                out = pythons.run(library, "benchmarks.one_case", case, library, str(folder))
            except RunError as error:
                failures[library] = str(error)
            else:
                samples[library].append(json.loads(out.splitlines()[-1]))
    _show("")
    medians = {library: dict(_medians(runs)) for library, runs in samples.items() if runs}
    return Result(medians, failures)


def _medians(runs: list[dict[str, float]]) -> Iterator[tuple[str, float]]:
    for metric in runs[0]:
        yield metric, statistics.median(run[metric] for run in runs)


def _show(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)
