"""hubmodule doctor: lists what in a program does not work on today's TensorFlow."""

from __future__ import annotations

import argparse
from itertools import groupby
from typing import TYPE_CHECKING

from hubmodule.commands.command import Command, print_error

if TYPE_CHECKING:
    from hubmodule.legacy.doctor import Report

_FAILED = 2


def _add_doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="a program, a notebook, or a directory of these; files of their own that they import "
        "are read, too, and nothing is run",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _examine(parsed: argparse.Namespace) -> int:
    from hubmodule._plain_errors import SourceError
    from hubmodule.legacy.doctor import examine

    try:
        report = examine(parsed.paths)
    except SourceError as error:
        print_error(error)
        return _FAILED
    if parsed.json:
        import json

        print(json.dumps(report.to_dict(), indent=2))
    else:
        _print_report(report)
    return 1 if report.findings else 0


def _print_report(report: Report) -> None:
    from hubmodule.legacy.notebooks import SUFFIX

    for path, findings in groupby(report.findings, key=lambda finding: finding.path):
        print(path)
        for finding in findings:
            print(f"  {finding.line}: {finding.name}: {finding.reason}")
    read = f"{len(report.files)} {'file' if len(report.files) == 1 else 'files'}"
    count = len(report.findings)
    if count:
        print(f"{count} {'finding' if count == 1 else 'findings'} in {read}.")
    else:
        print(f"Nothing found in {read} that does not work.")
    if report.tensorflow_1_uses:
        path, line, name = report.tensorflow_1_uses[0]
        more = len({place.name for place in report.tensorflow_1_uses}) - 1
        others = f", and {more} other {'name' if more == 1 else 'names'}" if more else ""
        print(f"--tf1 is needed for the API of TensorFlow 1: {name} ({path}:{line}){others}.")
        if any(SUFFIX in place.path for place in report.tensorflow_1_uses):
            print("In a notebook, run %load_ext hubmodule and %tf1 in the first cell.")
    if report.commands:
        print("Then run it with:" if count else "Run it with:")
        for command in report.commands:
            print(f"    {command}")


DOCTOR = Command(
    "doctor",
    "List what in a program of TensorFlow 1 will not work, without running it. Ends with status "
    "0 if nothing was found, 1 if something was, 2 if a file cannot be read.",
    _add_doctor_arguments,
    _examine,
)
