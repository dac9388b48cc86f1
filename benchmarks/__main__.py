"""Runs the cases with both libraries, and prints a table: what `make bench` does.

    python -m benchmarks --ours PYTHON --peer PYTHON [--case NAME ...] [--rounds 5]

Each run is a process of its own. The libraries take turns, so that whatever else the
machine does is shared among them; of the rounds the medians count. Time is that of the
clock; the ratio in brackets is that of the time of all processors, which others disturb
less. `floor` is the same done by hand with TensorFlow's own calls, and `distance` how often
that fits into ours. Memory is what was needed beyond what was in use before, or where a case
says so that of the whole process: of tensorflow_hub, of hubmodule and of the floor.

Ends with status 1 if something could not be run. Needs 3 GB in the directory for temporary
files.
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

from benchmarks.runs import LIBRARIES, QUIET, Pythons, RunError, add_arguments, measured
from benchmarks.table import HEAD, row

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
    "export_heavy",
    "restore_heavy",
    "importing",
    "export_latest",
    "embeddings",
    "download",
    "inspect",
]


def main() -> int:
    """Prints the table, row by row, and returns the status that the program ends with."""
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
    """Prints the rows of some cases, and returns what failed."""
    os.environ.update(QUIET)
    print(f"{_machine()}\n{pythons.versions()}\n\n{HEAD}", flush=True)
    failures: list[str] = []
    made: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as directory:
        for name in names:
            case = importlib.import_module(f"benchmarks.cases.{name}")
            if missing := set(case.MODULES) - made:
                pythons.run("hubmodule", "benchmarks.modules", directory, *sorted(missing))
                made |= missing
            result = measured(pythons, name, _libraries(case), Path(directory), rounds)
            print(row(case, result), flush=True)
            failures += result.failures.values()
    return failures


def _libraries(case: ModuleType) -> list[str]:
    return [library for library in LIBRARIES if library != "floor" or hasattr(case, "floor")]


def _machine() -> str:
    cpu = platform.processor() or platform.machine()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), cpu)
    return f"{cpu}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
