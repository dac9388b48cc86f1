"""Checks that programs of TensorFlow 1 train under `hubmodule run --tf1` as on TensorFlow 1.15.

    python -m scripts.interop_programs [--python 'hub 0.12=PATH'] [--program NAME] [--record]

Runs the programs of tests/legacy/programs on TensorFlow 1.15 with tensorflow_hub 0.12, and
unmodified on newer versions of TensorFlow with hubmodule. The variables in their checkpoints must
have the same names and shapes, the losses of ten steps must be equal to 1e-5, and training must
continue from the checkpoint of the other side with the same losses. `make interop` makes the
environments first. Exits with status 1 if a check fails.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from scripts.interop import ROOT, Side, choose_sides
from tests.legacy.program_list import (
    PROGRAMS,
    Program,
    find_differences,
    make_modules,
    read_losses,
    read_variables,
    run_program,
)

RECORDED = ROOT / "tests" / "legacy" / "recorded_losses.json"
DIRECTORY = ROOT / ".cache" / "interop_programs"
STEPS = 10


class Check(NamedTuple):
    """The outcome of a check.

    Attributes:
        name: What was compared.
        error: Why it failed, or "".
    """

    name: str
    error: str

    def __str__(self) -> str:
        return f"failed  {self.name}: {self.error}" if self.error else f"ok      {self.name}"


class Runs:
    """Runs of programs, each in a directory of its own.

    Args:
        directory: Directory for modules, checkpoints, summaries and logs.
    """

    def __init__(self, directory: Path):
        self._directory = directory
        self.modules = directory / "modules"

    def train(self, side: Side, program: Program) -> Path:
        """Trains the first steps; returns the program's directory."""
        out = self._locate(side, program, "trained")
        run_program(_make_command(side), program, self.modules, out, STEPS)
        return out

    def continue_training(self, writer: Side, reader: Side, program: Program) -> Path:
        """Lets a side train as many steps again from the checkpoint of another."""
        out = self._locate(reader, program, f"from-{_make_file_name(writer.name)}")
        shutil.copytree(self._locate(writer, program, "trained"), out)
        run_program(_make_command(reader), program, self.modules, out, 2 * STEPS)
        return out

    def _locate(self, side: Side, program: Program, what: str) -> Path:
        names = (program.name, side.name, what)
        return self._directory.joinpath(*map(_make_file_name, names))


def _make_command(side: Side) -> list[str]:
    run = ["-m", "hubmodule", "run", "--tf1"] if side.is_ours else []
    return [str(side.python), *run]


def _make_file_name(name: str) -> str:
    return name.replace(" ", "-")


def compare(runs: Runs, sides: Sequence[Side], program: Program) -> Iterator[Check]:
    """Runs a program on all sides, the first of which is right; yields the checks."""
    original, *ours = sides
    expected = runs.train(original, program)
    losses = read_losses(program, expected)
    continued = read_losses(program, runs.continue_training(original, original, program))
    for side in ours:
        actual = runs.train(side, program)
        yield _check_variables(f"{program.name}: variables of {side.name}", expected, actual)
        error = _explain(program, losses, actual)
        yield Check(f"{program.name}: losses of {side.name}", error)
        for writer, reader in ((original, side), (side, original)):
            out = runs.continue_training(writer, reader, program)
            error = _explain(program, continued, out)
            yield Check(f"{program.name}: {reader.name} continues {writer.name}", error)


def _check_variables(name: str, expected: Path, actual: Path) -> Check:
    wanted, found = read_variables(expected), read_variables(actual)
    if not wanted:
        return Check(name, f"no checkpoint in {expected}")
    differing = sorted(key for key in {*wanted, *found} if wanted.get(key) != found.get(key))
    return Check(name, f"different: {', '.join(differing)}" if differing else "")


def _explain(program: Program, expected: Mapping[str, Sequence[float]], out: Path) -> str:
    """Returns how the losses in a directory differ, with the log to read; or ""."""
    differences = find_differences(expected, read_losses(program, out))
    return f"{differences[0]}; see {out / 'output.log'}" if differences else ""


def record(runs: Runs, side: Side) -> None:
    """Writes what the programs do on TensorFlow 1.15, for the tests."""
    programs = {}
    for program in PROGRAMS:
        out = runs.train(side, program)
        losses, variables = read_losses(program, out), read_variables(out)
        if not (all(losses.values()) and variables):
            raise SystemExit(f"{program.name} failed: {out / 'output.log'}")
        programs[program.name] = {"losses": losses, "variables": variables}
    made_with = (
        "python -m scripts.interop_programs --record: TensorFlow 1.15.5 with tensorflow_hub "
        "0.12.0 on the modules that it made with tests/legacy/programs/make_modules.py"
    )
    text = json.dumps({"made_with": made_with, "programs": programs}, indent=1)
    RECORDED.write_text(text + "\n")


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns 0 if no check failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument(
        "--directory", type=Path, help=f"a new one; default {DIRECTORY.relative_to(ROOT)}"
    )
    parser.add_argument(
        "--record", action="store_true", help=f"write {RECORDED.relative_to(ROOT)} instead"
    )
    parser.add_argument(
        "--program", choices=[program.name for program in PROGRAMS], help="only this program"
    )
    options = parser.parse_args(arguments)
    programs = [program for program in PROGRAMS if options.program in (None, program.name)]
    sides = {side.name: side for side in choose_sides(options.python)}
    compared = [sides[name] for name in ("hub 0.12", "ours 2.21", "ours 2.15")]
    directory = (options.directory or DIRECTORY).resolve()
    if options.directory is None:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    runs = Runs(directory)
    if not make_modules(_make_command(compared[0]), runs.modules):
        raise SystemExit(f"The modules were not made: {runs.modules.with_suffix('.log')}")
    if options.record:
        record(runs, compared[0])
        return 0
    checks = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for results in pool.map(lambda program: [*compare(runs, compared, program)], programs):
            print(*results, sep="\n", flush=True)
            checks += results
    failed = sum(bool(check.error) for check in checks)
    print(f"\n{len(checks) - failed} ok, {failed} failed")
    print(f"Checkpoints, summaries and logs: {directory}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
