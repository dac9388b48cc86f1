"""The parts that subcommands share: their declaration, --cache-dir, and errors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubmodule.settings import Settings


# A path that stands for standard output.
STANDARD_OUTPUT = "-"


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


def parse_path(text: str) -> str:
    """Parses the path of a file or directory to write; an empty one is a usage error."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return text


def write_output(path: str, text: str) -> bool:
    """Writes a text into a file, or to standard output if the path is "-".

    Prints an error if the file cannot be written.

    Args:
        path: The path, on any file system that TensorFlow knows.
        text: The text.

    Returns:
        Whether the text was written.
    """
    if path == STANDARD_OUTPUT:
        print(text)
        return True
    import tensorflow as tf

    from hubmodule import files

    try:
        files.write_bytes(path, text.encode())
    except tf.errors.OpError as error:
        print_unwritable(path, error)
        return False
    return True


def print_unwritable(path: str, error: Exception) -> int:
    """Prints that a path cannot be written; returns the exit status.

    Args:
        path: The path.
        error: The error of TensorFlow.
    """
    # TensorFlow puts the path and a semicolon before the reason.
    reason = str(getattr(error, "message", error)).rpartition("; ")[2]
    return print_error(
        f"{path} cannot be written: {reason}. Check its directory and the permissions, or choose "
        "another path."
    )


def print_error(error: Exception | str) -> int:
    """Prints an error to standard error; returns the exit status."""
    print(f"hubmodule: error: {error}", file=sys.stderr)
    return 1
