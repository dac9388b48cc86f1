"""Runs cases in separate processes, with each library in turn."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import abspath
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARIES = ("tensorflow_hub", "hubmodule", "floor")
# TensorFlow reads these at import. oneDNN logs a line at every log level, and is not part of
# what the cases compare.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}


# A case does not begin another round that would end later.
_MOST_SECONDS = 60.0


class RunError(Exception):
    """A process failed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments for the interpreters and the number of rounds."""
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
        ours: The path of a Python with TensorFlow and the packages that hubmodule needs.
        peer: The path of a Python with the same TensorFlow and tensorflow_hub.
    """

    ours: str
    peer: str

    def run(self, library: str, module: str, *arguments: str) -> str:
        """Runs a Python module with one of LIBRARIES, and returns what it prints.

        Args:
            library: One of LIBRARIES, which chooses the interpreter.
            module: The name of the Python module.
            *arguments: Its command-line arguments.

        Raises:
            RunError: If it fails.
        """
        python = self.peer if library == "tensorflow_hub" else self.ours
        try:
            process = subprocess.run(
                [python, "-m", module, *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), **QUIET},
                cwd=ROOT / "docs",  # where Python imports by PYTHONPATH only
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
        """Describes the versions of both libraries.

        Raises:
            RunError: If a library is missing.
        """
        program = "benchmarks.versions"
        return "; ".join(self.run(library, program, library).strip() for library in LIBRARIES[:2])


@dataclass(frozen=True)
class Result:
    """The results of a case.

    Attributes:
        values: The medians by library and metric, without libraries that failed.
        failures: The reason of each library that failed.
    """

    values: Mapping[str, Mapping[str, float]]
    failures: Mapping[str, str]


def measure_case(
    pythons: Pythons,
    case: str,
    libraries: Sequence[str],
    folder: Path,
    rounds: int,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Runs a case several times with each library in turn.

    Each round starts with the next library. A case ends early, after at least one round, if
    another round as long as the longest would take it beyond a minute.

    Args:
        pythons: The interpreters.
        case: The name of a module in benchmarks.cases.
        libraries: The libraries to measure, of LIBRARIES.
        folder: The directory of the modules that the case uses.
        rounds: The largest number of runs with each library.
        clock: Returns the time in seconds.
    """
    samples: dict[str, list[dict[str, float]]] = {library: [] for library in libraries}
    failures: dict[str, str] = {}
    start = clock()
    longest = 0.0
    for number in range(rounds):
        before = clock()
        if before - start + longest > _MOST_SECONDS:
            break
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
        longest = max(longest, clock() - before)
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
