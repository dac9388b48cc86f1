"""Runs cases in processes of their own, in turn with each library."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import abspath
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARIES = ("tensorflow_hub", "hubmodule", "floor")
# TensorFlow reads these when it is imported. oneDNN greets even those who want quiet, and is no
# part of what the cases compare.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}


class RunError(Exception):
    """A process failed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that say what to run, and how often."""
    parser.add_argument(
        "--ours", type=abspath, required=True, help="a Python with what hubmodule needs"
    )
    parser.add_argument("--peer", type=abspath, required=True, help="a Python with tensorflow_hub")
    parser.add_argument("--rounds", type=_parse_positive, default=5)


def _parse_positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


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
        try:
            process = subprocess.run(
                [python, "-m", module, *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), **QUIET},
                cwd=ROOT / "docs",  # where Python finds nothing but by PYTHONPATH
                capture_output=True,
                text=True,
            )
        except OSError as error:
            raise RunError(f"{library}: {python} cannot be run: {error}") from error
        if process.returncode:
            reason = process.stderr.strip().splitlines()[-1:] or ["no message"]
            raise RunError(f"{library}: {module} ended with {process.returncode}: {reason[0]}")
        return process.stdout

    def describe_versions(self) -> str:
        """What is compared with what.

        Raises:
            RunError: if a library is not there.
        """
        program = "benchmarks.versions"
        return "; ".join(self.run(library, program, library).strip() for library in LIBRARIES[:2])


@dataclass(frozen=True)
class Result:
    """What was measured of a case.

    Attributes:
        values: by library, then by metric, the medians; not of a library that failed.
        failures: of each library that failed, why.
    """

    values: Mapping[str, Mapping[str, float]]
    failures: Mapping[str, str]


def measure_case(
    pythons: Pythons, case: str, libraries: Sequence[str], folder: Path, rounds: int
) -> Result:
    """Runs a case several times with each library, in turn, each round beginning with another."""
    samples: dict[str, list[dict[str, float]]] = {library: [] for library in libraries}
    failures: dict[str, str] = {}
    for number in range(rounds):
        _show(f"{case}: round {number + 1} of {rounds}")
        first = number % len(libraries)
        for library in [*libraries[first:], *libraries[:first]]:
            if library in failures:
                continue
            try:
                out = pythons.run(library, "benchmarks.one_case", case, library, str(folder))
            except RunError as error:
                failures[library] = str(error)
            else:
                samples[library].append(json.loads(out.splitlines()[-1]))
    _show("")
    complete = {library: runs for library, runs in samples.items() if library not in failures}
    return Result(
        {library: dict(_compute_medians(runs)) for library, runs in complete.items()}, failures
    )


def _compute_medians(runs: list[dict[str, float]]) -> Iterator[tuple[str, float]]:
    for metric in runs[0]:
        yield metric, statistics.median(run[metric] for run in runs)


def _show(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)
