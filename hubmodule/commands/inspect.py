"""hubmodule inspect: shows what a module contains, without running it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from hubmodule.commands.command import Command, print_error

if TYPE_CHECKING:
    from hubmodule.inspection.facts import ModuleFacts

_DAMAGED = 1


def _add_inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handle", metavar="HANDLE", help="a path or an address")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument("--html", metavar="FILE", help="write a page for browsers")
    parser.add_argument(
        "--tensorboard", metavar="DIR", help="write the graphs, for tensorboard --logdir DIR"
    )


def _inspect(parsed: argparse.Namespace) -> int:
    import tensorflow as tf

    from hubmodule.inspection.inspect import inspect

    facts = inspect(parsed.handle)
    try:
        if parsed.html:
            _write_html(facts, parsed.html)
        if parsed.tensorboard:
            _write_graphs(facts.path, parsed.tensorboard)
    except tf.errors.OpError as error:  # e.g. a full disk, or missing permissions
        return print_error(error)
    if parsed.json:
        print(json.dumps(facts.to_dict(), indent=2))
    elif not parsed.html and not parsed.tensorboard:
        from hubmodule.inspection.page_printer import print_sections
        from hubmodule.inspection.report import write_report

        print_sections(write_report(facts))
    return _DAMAGED if facts.damage else 0


def _write_html(facts: ModuleFacts, path: str) -> None:
    from hubmodule import files
    from hubmodule.inspection.html_page import write_html

    files.write_bytes(path, write_html(facts).encode())
    print(f"Wrote {path}", file=sys.stderr)


def _write_graphs(directory: str, log_directory: str) -> None:
    from hubmodule.inspection.saved_model_file import read_saved_model
    from hubmodule.inspection.tensorboard import write_graphs

    for path in write_graphs(read_saved_model(directory).saved_model.meta_graphs, log_directory):
        print(f"Wrote {path}", file=sys.stderr)


INSPECT = Command(
    "inspect",
    "Show what a module is, without running it.",
    _add_inspect_arguments,
    _inspect,
)
SHOW = dataclasses.replace(INSPECT, name="show", help="The same as inspect.")
