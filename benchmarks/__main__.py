"""Runs the cases with both libraries, and prints a table: what `make bench` does.

    python -m benchmarks --ours PYTHON --peer PYTHON [--case NAME ...] [--rounds 5]

Each run is a process of its own. The libraries take turns, so that whatever else the
machine does is shared among them; of the rounds the medians count. Time is that of the
clock; the ratio in brackets is that of the time of all processors, which others disturb
less. `floor` is what TensorFlow itself takes for the least that has to be done, and
`distance` how often that fits into ours. Memory is what was needed beyond what was in use
before: of tensorflow_hub, of hubmodule and of the floor.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import tempfile
from os.path import abspath
from pathlib import Path
from types import ModuleType

from benchmarks.runs import LIBRARIES, QUIET, ROOT, Pythons, measured
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
]
GLOVE = ROOT / ".cache" / "benchmarks" / "glove.txt"


def main() -> None:
    """Prints the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--ours", type=abspath, required=True, help="a Python with what hubmodule needs"
    )
    parser.add_argument("--peer", type=abspath, required=True, help="a Python with tensorflow_hub")
    parser.add_argument("--case", nargs="*", choices=CASES, help="default: all", metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.update(QUIET)
    pythons = Pythons(options.ours, options.peer)
    names = options.case or CASES
    print(f"{_machine()}\n{pythons.versions()}\n\n{HEAD}", flush=True)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as directory:
        folder = Path(directory)
        pythons.run("hubmodule", "benchmarks.modules", directory)
        if "embeddings" in names:
            pythons.run("hubmodule", "benchmarks.glove", str(GLOVE))
            os.symlink(GLOVE, folder / "glove.txt")
        for name in names:
            case = importlib.import_module(f"benchmarks.cases.{name}")
            result = measured(pythons, name, _libraries(case), folder, options.rounds)
            print(row(case, result), flush=True)


def _libraries(case: ModuleType) -> list[str]:
    return [library for library in LIBRARIES if library != "floor" or hasattr(case, "floor")]


def _machine() -> str:
    cpu = platform.processor() or platform.machine()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), cpu)
    return f"{cpu}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


if __name__ == "__main__":
    main()
