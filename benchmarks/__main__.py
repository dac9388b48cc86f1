"""Runs the cases with both libraries, and prints a table: what `make bench` does.

    python -m benchmarks --ours PYTHON --peer PYTHON [--case NAME ...] [--rounds 5] [--json FILE]

Each run is a separate process. The libraries take turns, so that other load on the machine
affects all of them, and the table shows the medians of the rounds. Times are wall-clock times;
the ratio in brackets compares the time of all processors, which other load changes less.
`floor` is the same work done with TensorFlow's own functions, and `distance` is our time divided by
that of the floor. Memory is the peak beyond what was in use before, or of the whole
process where a case says so: of tensorflow_hub, of hubmodule and of the floor.

The last column compares the distance from the floor (or the ratio to tensorflow_hub) with that in
benchmarks/last_release.json, and marks what became worse by more than noise. A release writes that
file with --json.

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

from benchmarks import figures
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
    "convert_heavy",
    "call_layer",
    "call_loaded",
    "predict",
    "fit",
    "fit_trained",
    "train_estimator",
]


def main() -> int:
    """Prints the table, row by row, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--case", nargs="*", choices=CASES, help="default: all", metavar="NAME")
    parser.add_argument("--json", type=Path, help="a file for the results", metavar="FILE")
    parser.add_argument("--since", type=Path, default=figures.LAST_RELEASE, metavar="FILE")
    options = parser.parse_args()
    pythons = Pythons(options.ours, options.peer)
    kept = figures.read(options.since) if options.since.exists() else None
    try:
        run, failures = _print_table(pythons, options.case or CASES, options.rounds, kept)
        if options.json:
            run.write(options.json)
    except RunError as error:
        failures = [str(error)]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _print_table(
    pythons: Pythons, names: Sequence[str], rounds: int, kept: figures.Figures | None
) -> tuple[figures.Figures, list[str]]:
    """Prints the rows of some cases; returns the results and the messages of the failures."""
    os.environ.update(QUIET)
    run = figures.Figures(_describe_machine(), pythons.describe_versions())
    print(f"{run.machine}\n{run.versions}\n\n{HEAD}", flush=True)
    failures: list[str] = []
    made: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as directory:
        for name in names:
            case = importlib.import_module(f"benchmarks.cases.{name}")
            if missing := set(case.MODULES) - made:
                pythons.run("hubmodule", "benchmarks.modules", directory, *sorted(missing))
                made |= missing
            result = measure_case(pythons, name, _list_libraries(case), Path(directory), rounds)
            change = figures.describe_change(name, result, kept)
            print(format_row(case, result, change), flush=True)
            run.results[name] = result.values
            failures += result.failures.values()
    return run, failures


def _list_libraries(case: ModuleType) -> list[str]:
    measured = getattr(case, "LIBRARIES", LIBRARIES)
    return [each for each in measured if each != "floor" or hasattr(case, "measure_floor")]


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
