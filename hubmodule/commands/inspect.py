"""hubmodule inspect: shows what a module is, without running it."""

from __future__ import annotations

import argparse
import dataclasses
import json

from hubmodule.commands.command import Command

_DAMAGED = 1


def _add_inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handle", metavar="HANDLE", help="a path or an address")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _inspect(parsed: argparse.Namespace) -> int:
    from hubmodule.inspection.inspect import inspect

    facts = inspect(parsed.handle)
    if parsed.json:
        print(json.dumps(facts.to_dict(), indent=2))
    else:
        from hubmodule.inspection.page_printer import print_sections
        from hubmodule.inspection.report import write_report

        print_sections(write_report(facts))
    return _DAMAGED if facts.damage else 0


INSPECT = Command(
    "inspect",
    "Show what a module is, without running it.",
    _add_inspect_arguments,
    _inspect,
)
SHOW = dataclasses.replace(INSPECT, name="show", help="The same as inspect.")
