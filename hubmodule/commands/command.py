"""A subcommand of the command line."""

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
    """A subcommand.

    Attributes:
        name: what to type.
        help: one line that says what it does.
        add_arguments: declares its arguments on its parser.
        run: does it, and returns the exit status; None for one that only has subcommands.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int] | None = None


def add_commands(parser: argparse.ArgumentParser, commands: Sequence[Command]) -> None:
    """Makes commands the subcommands of a parser."""
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        child = choices.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(child)
        if command.run is not None:
            child.set_defaults(run=command.run)


def add_cache_dir(parser: argparse.ArgumentParser) -> None:
    """Declares --cache-dir, which settings_of() knows."""
    parser.add_argument("--cache-dir", metavar="DIR", help="instead of TFHUB_CACHE_DIR")


def settings_of(parsed: argparse.Namespace) -> Settings:
    """The settings that hold where --cache-dir may say where the cache is."""
    import dataclasses

    from hubmodule import settings

    current = settings.current()
    return dataclasses.replace(current, cache_dir=parsed.cache_dir or current.cache_dir)


def complain(error: Exception | str) -> int:
    """Says on standard error what went wrong; returns the exit status."""
    print(f"hubmodule: error: {error}", file=sys.stderr)
    return 1
