"""hubmodule inspect: shows what a module contains, without running it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from hubmodule.commands.command import (
    STANDARD_OUTPUT,
    Command,
    parse_path,
    print_error,
    print_unwritable,
    write_output,
)

if TYPE_CHECKING:
    from hubmodule.inspection.facts import ModuleFacts

_DAMAGED = _FAILED = 1
_MISUSED = 2


def _add_inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handle", metavar="HANDLE", help="a path or an address")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument(
        "--html", metavar="FILE", type=parse_path, help="write a page for browsers; - prints it"
    )
    parser.add_argument(
        "--tensorboard",
        metavar="DIR",
        type=parse_path,
        help="write the graphs, for tensorboard --logdir DIR",
    )


def _inspect(parsed: argparse.Namespace) -> int:
    from hubmodule.inspection.inspect import inspect

    if parsed.json and parsed.html == STANDARD_OUTPUT:
        print_error("--json and --html - both print. Give --html the path of a file.")
        return _MISUSED
    facts = inspect(parsed.handle)
    if parsed.html and not _write_html(facts, parsed.html):
        return _FAILED
    if parsed.tensorboard and not _write_graphs(facts.path, parsed.tensorboard):
        return _FAILED
    if parsed.json:
        print(json.dumps(facts.to_dict(), indent=2))
    elif not parsed.html and not parsed.tensorboard:
        from hubmodule.inspection.page_printer import print_sections
        from hubmodule.inspection.report import write_report

        print_sections(write_report(facts))
    return _DAMAGED if facts.damage else 0


def _write_html(facts: ModuleFacts, path: str) -> bool:
    """Writes the page; returns whether it was written."""
    from hubmodule.inspection.html_page import write_html

    is_written = write_output(path, write_html(facts))
    if is_written and path != STANDARD_OUTPUT:
        print(f"Wrote {path}", file=sys.stderr)
    return is_written


def _write_graphs(directory: str, log_directory: str) -> bool:
    """Writes the graphs for TensorBoard; returns whether they were written."""
    import tensorflow as tf

    from hubmodule.inspection.saved_model_file import read_saved_model
    from hubmodule.inspection.tensorboard import write_graphs

    meta_graphs = read_saved_model(directory).saved_model.meta_graphs
    try:
        for path in write_graphs(meta_graphs, log_directory):
            print(f"Wrote {path}", file=sys.stderr)
    except tf.errors.OpError as error:
        print_unwritable(log_directory, error)
        return False
    return True


INSPECT = Command(
    "inspect",
    "Show what a module is, without running it.",
    _add_inspect_arguments,
    _inspect,
)
SHOW = dataclasses.replace(INSPECT, name="show", help="The same as inspect.")
