"""Runs the cases with both libraries, and prints a table: what `make bench` does.

    python -m benchmarks --ours PYTHON --peer PYTHON [--case NAME ...] [--rounds 5]

Each run is a separate process. The libraries take turns, so that other load on the machine
affects all of them, and the table shows the medians of the rounds. Times are wall-clock times;
the ratio in brackets compares the time of all processors, which other load changes less.
`floor` is the same work done with TensorFlow's own functions, and `distance` is our time divided by
that of the floor. Memory is the peak beyond what was in use before, or of the whole
process where a case says so: of tensorflow_hub, of hubmodule and of the floor.

Ends with status 1 if a case could not run. Needs 3 GB in the directory for temporary files.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from benchmarks.runs import LIBRARIES, QUIET, Pythons, RunError, add_arguments, measure_case
from benchmarks.table import HEAD, format_row

CASES = [
    "instantiate",
    "instantiate_trainable",
    "apply",
    "nodes",
    "initialise",
    "initialise_on_two_devices",
    "evaluate",
    "load",
    "one_of_many_signatures",
    "apply_again",
    "export",
    "export_again",
    "export_heavy",
    "restore_heavy",
    "importing",
    "export_latest",
    "embeddings",
    "download",
    "inspect",
]


def main() -> int:
    """Prints the table, row by row, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--case", nargs="*", choices=CASES, help="default: all", metavar="NAME")
    options = parser.parse_args()
    pythons = Pythons(options.ours, options.peer)
    try:
        failures = _print_table(pythons, options.case or CASES, options.rounds)
    except RunError as error:
        failures = [str(error)]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _print_table(pythons: Pythons, names: Sequence[str], rounds: int) -> list[str]:
    """Prints the rows of some cases, and returns the messages of the failures."""
    os.environ.update(QUIET)
    print(f"{_describe_machine()}\n{pythons.describe_versions()}\n\n{HEAD}", flush=True)
    failures: list[str] = []
    made: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as directory:
        for name in names:
            case = importlib.import_module(f"benchmarks.cases.{name}")
            if missing := set(case.MODULES) - made:
                pythons.run("hubmodule", "benchmarks.modules", directory, *sorted(missing))
                made |= missing
            result = measure_case(pythons, name, _list_libraries(case), Path(directory), rounds)
            print(format_row(case, result), flush=True)
            failures += result.failures.values()
    return failures


def _list_libraries(case: ModuleType) -> list[str]:
    return [
        library for library in LIBRARIES if library != "floor" or hasattr(case, "measure_floor")
    ]


def _describe_machine() -> str:
    cpu = platform.processor() or platform.machine()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), cpu)
    return f"{cpu}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
