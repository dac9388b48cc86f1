"""Checks that hubmodule and tensorflow_hub read each other's modules and get the same results.

    python -m scripts.interop [--python 'hub 0.12=PATH'] [--directory DIRECTORY]

Each side writes the modules of tests/golden/definitions with its own results; every other side
reads them and must get the same: outputs to 1e-5, variables after a training step, signatures,
collections. `make interop` makes the environments first. Exits with status 1 if a module fails
in a direction.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.golden.definitions import DEFINITIONS

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(os.environ.get("HUBMODULE_PEERS") or ROOT / ".cache" / "peers")
WORKER_TIMEOUT = 1200  # seconds


@dataclass(frozen=True)
class Side:
    """A library in the environment of one TensorFlow."""

    name: str
    library: str
    python: Path

    @property
    def is_ours(self) -> bool:
        """Whether this is hubmodule."""
        return self.library == "hubmodule"


SIDES = (
    Side("ours 2.21", "hubmodule", ROOT / ".venv" / "bin" / "python"),
    Side("ours 2.15", "hubmodule", ROOT / ".venv-2.15.1" / "bin" / "python"),
    Side("hub 0.15", "tensorflow_hub", PEERS / "peer215" / "bin" / "python"),
    Side("hub 0.12", "tensorflow_hub", PEERS / "peer115" / "bin" / "python"),
)

# Ops that TensorFlow 2 writes for a module and TensorFlow 1.15 lacks: module -> (op, its form).
# Reading such a module must fail with an error that names the op.
NOT_IN_TENSORFLOW_1_15: Mapping[str, tuple[str, str]] = {
    "sparse_lookup": ("SparseSegmentSqrtN", "with segment ids of int64"),
}


@dataclass(frozen=True)
class Cell:
    """The outcome for one module in one direction."""

    writer: str
    reader: str
    module: str
    verdict: str  # "ok", "n/a" or "failed"
    reason: str = ""


def list_directions(sides: Sequence[Side]) -> list[tuple[Side, Side]]:
    """Lists (writer, reader) for each two sides of which at least one is ours."""
    return [(w, r) for w in sides for r in sides if w != r and (w.is_ours or r.is_ours)]


def judge(writer: Side, reader: Side, module: str, error: str) -> Cell:
    """Judges a module that was read with `error`, or "" without one."""
    gap = None
    if writer.is_ours and reader.name == "hub 0.12":
        gap = NOT_IN_TENSORFLOW_1_15.get(module)
    if gap is None:
        return Cell(writer.name, reader.name, module, "failed" if error else "ok", error)
    op, form = gap
    if op in error:
        reason = f"op {op} {form} is not in TF 1.15"
        return Cell(writer.name, reader.name, module, "n/a", reason)
    unexpected = error or f"was read, though op {op} is said not to be in TF 1.15"
    return Cell(writer.name, reader.name, module, "failed", unexpected)


class ProgramRunner:
    """Runs the programs of the sides, and keeps modules, reports and logs in a directory."""

    def __init__(self, directory: Path):
        self._directory = directory

    def write(self, side: Side) -> dict[str, str]:
        """Lets a side write all modules; returns the error of each that it reports, or ""."""
        reports = self._run(side, "make_golden", [self._locate_modules(side)])
        return {report["module"]: report["error"] or "" for report in reports}

    def read(self, reader: Side, writers: Sequence[Side]) -> dict[tuple[Side, str], str]:
        """Lets a side read what others wrote; returns the error of each module, or ""."""
        names = {str(self._locate_modules(writer)): writer for writer in writers}
        reports = self._run(reader, "check_golden", list(map(Path, names)))
        return {
            (names[report["directory"]], report["module"]): report["error"] or ""
            for report in reports
        }

    def _locate_modules(self, side: Side) -> Path:
        return self._directory / side.name.replace(" ", "-")

    def _run(self, side: Side, program: str, directories: Sequence[Path]) -> list[dict[str, Any]]:
        name = f"{side.name.replace(' ', '-')}.{program}"
        command = [str(side.python), "-m", f"tests.golden.{program}", *map(str, directories)]
        out = self._directory / f"{name}.jsonl"
        # The reports of a program that crashes or hangs are missing, which shows later.
        with (
            out.open("w") as stdout,
            (self._directory / f"{name}.log").open("w") as stderr,
            contextlib.suppress(subprocess.TimeoutExpired),
        ):
            subprocess.run(
                [*command, "--library", side.library],
                cwd=ROOT,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdout=stdout,
                stderr=stderr,
                timeout=WORKER_TIMEOUT,
                check=False,
            )
        return [json.loads(line) for line in out.read_text().splitlines()]


def compare(runner: ProgramRunner, sides: Sequence[Side], modules: Sequence[str]) -> list[Cell]:
    """Lets every side write, then read, two programs at a time; returns a cell per outcome."""

    def read(reader: Side) -> dict[tuple[Side, str], str]:
        return runner.read(reader, [w for w, r in list_directions(sides) if r == reader])

    with ThreadPoolExecutor(max_workers=2) as pool:
        written = dict(zip(sides, pool.map(runner.write, sides), strict=True))
        seen = dict(zip(sides, pool.map(read, sides), strict=True))
    silent = "the program ended before it came to this module"
    cells = []
    for writer, reader in list_directions(sides):
        for module in modules:
            if error := written[writer].get(module, silent):
                cell = Cell(writer.name, reader.name, module, "failed", f"not written: {error}")
            else:
                error = seen[reader].get((writer, module), silent)
                cell = judge(writer, reader, module, error)
            cells.append(cell)
    return cells


def format_table(cells: Sequence[Cell]) -> str:
    """Formats a table with a row per module, and a column per direction."""
    columns = list(dict.fromkeys((cell.writer, cell.reader) for cell in cells))
    modules = list(dict.fromkeys(cell.module for cell in cells))
    verdicts = {(cell.writer, cell.reader, cell.module): cell.verdict for cell in cells}
    rows = [["written by", *(writer for writer, _ in columns)]]
    rows.append(["read by", *(reader for _, reader in columns)])
    rows += [[module, *(verdicts[w, r, module] for w, r in columns)] for module in modules]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def format_reasons(cells: Sequence[Cell]) -> str:
    """Formats a line for each cell that is not ok, with the last line of its error."""
    return "\n".join(
        f"{cell.verdict}: {cell.module}, {cell.writer} → {cell.reader}: "
        f"{cell.reason.strip().splitlines()[-1][:300]}"
        for cell in cells
        if cell.verdict != "ok"
    )


def choose_sides(replacements: Sequence[str]) -> tuple[Side, ...]:
    """Returns SIDES with the interpreters that NAME=PATH replaces; each must exist."""
    pythons = {side.name: side.python for side in SIDES}
    for replacement in replacements:
        name, _, path = replacement.partition("=")
        if name not in pythons or not path:
            raise SystemExit(f"--python {replacement}: give NAME=PATH, NAME one of {[*pythons]}")
        pythons[name] = Path(path)
    if missing := [f"{name}: {path}" for name, path in pythons.items() if not path.is_file()]:
        raise SystemExit("No interpreter, `make interop` makes them:\n" + "\n".join(missing))
    return tuple(Side(side.name, side.library, pythons[side.name]) for side in SIDES)


def _make_directory(wanted: Path | None) -> Path:
    """Makes the directory, which must be new, or empties the default one."""
    directory = (wanted or ROOT / ".cache" / "interop").resolve()
    if wanted is None:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns 0 if no module failed in any direction."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--directory", type=Path, help="a new one; default .cache/interop")
    options = parser.parse_args(arguments)
    sides = choose_sides(options.python)
    directory = _make_directory(options.directory)
    cells = compare(ProgramRunner(directory), sides, list(DEFINITIONS))
    print(format_table(cells), format_reasons(cells), sep="\n\n")
    count = Counter(cell.verdict for cell in cells)
    print(f"\n{count['ok']} ok, {count['n/a']} n/a, {count['failed']} failed")
    print(f"Modules, reports and logs: {directory}")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
