"""The parts that subcommands share: their declaration, --cache-dir, and errors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubmodule.settings import Settings


@dataclass(frozen=True)
class Command:
    """A subcommand of the command line.

    Attributes:
        name: The word that selects it on the command line.
        help: A sentence that says what it does.
        add_arguments: Function that declares its arguments on its parser.
        run: Function that runs it and returns the exit status; None if it only has subcommands.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int] | None = None


def add_commands(parser: argparse.ArgumentParser, commands: Sequence[Command]) -> None:
    """Adds subcommands to a parser."""
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        child = choices.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(child)
        if command.run is not None:
            child.set_defaults(run=command.run)


def add_cache_dir(parser: argparse.ArgumentParser) -> None:
    """Declares --cache-dir, which read_settings() reads."""
    parser.add_argument(
        "--cache-dir", metavar="DIR", help="cache directory, instead of TFHUB_CACHE_DIR"
    )


def read_settings(parsed: argparse.Namespace) -> Settings:
    """Returns the current settings, with the cache directory of --cache-dir if it is given."""
    import dataclasses

    from hubmodule import settings

    current = settings.read()
    return dataclasses.replace(current, cache_dir=parsed.cache_dir or current.cache_dir)


def show_log() -> None:
    """Prints the log to standard error, with the progress of downloads."""
    import logging

    logging.basicConfig(level=logging.INFO, format="hubmodule: %(message)s")


def print_error(error: Exception | str) -> int:
    """Prints an error to standard error; returns the exit status."""
    print(f"hubmodule: error: {error}", file=sys.stderr)
    return 1
