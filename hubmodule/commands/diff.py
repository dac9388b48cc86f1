"""hubmodule diff: shows what differs between two modules."""

from __future__ import annotations

import argparse
import json

from hubmodule.commands.command import Command, print_error

EQUAL, DIFFERENT, FAILED = 0, 1, 2


def _add_diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="OLD", help="a path or an address")
    parser.add_argument("after", metavar="NEW", help="a path or an address of the newer version")
    parser.add_argument(
        "--weights", action="store_true", help="read the values that changed, and show by how much"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _diff(parsed: argparse.Namespace) -> int:
    from hubmodule._plain_errors import HubModuleError
    from hubmodule.inspection.diff import diff

    try:
        differences = diff(parsed.before, parsed.after, parsed.weights)
    except HubModuleError as error:
        print_error(error)
        return FAILED
    if parsed.json:
        print(json.dumps(differences.to_dict(), indent=2))
    else:
        from hubmodule.inspection.diff_report import write_diff_report
        from hubmodule.inspection.page_printer import print_sections

        print_sections(write_diff_report(differences))
    if not differences.is_equal:
        return DIFFERENT
    return FAILED if differences.damage else EQUAL


DIFF = Command(
    "diff",
    "Show what differs between two modules; status 0 equal, 1 different, 2 failed.",
    _add_diff_arguments,
    _diff,
)
