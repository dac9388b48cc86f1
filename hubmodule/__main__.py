"""The command line: python -m hubmodule, or hubmodule.

It parses, calls a subcommand, and says what went wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from hubmodule.commands.audit import AUDIT
from hubmodule.commands.cache import CACHE
from hubmodule.commands.command import Command, add_commands, complain
from hubmodule.commands.convert import CONVERT
from hubmodule.commands.resolve import RESOLVE

_INTERRUPTED = 130  # as shells count SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: what was typed after the name of the program; None takes sys.argv.

    Returns:
        The exit status: 0, or 1 where something went wrong, which is then on standard error;
        130 after an interrupt.
    """
    parsed = make_parser().parse_args(arguments)
    # How a program ends is its own affair.
    return _run(parsed) if parsed.run is _run else _run_command(parsed)


def _run_command(parsed: argparse.Namespace) -> int:
    """Runs a subcommand; what goes wrong is said on standard error."""
    from hubmodule._plain_errors import HubModuleError

    _silence_tensorflow()
    try:
        status = parsed.run(parsed)
        sys.stdout.flush()
        return status
    except HubModuleError as error:
        return complain(error)
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` has. Python would flush once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("hubmodule: interrupted", file=sys.stderr)
        return _INTERRUPTED


def _silence_tensorflow() -> None:
    """Keeps TensorFlow's greetings off the terminal, unless the environment wants them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # It speaks of oneDNN even then.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    from hubmodule._version import __version__

    parser = argparse.ArgumentParser(prog="hubmodule", description="Modules of TensorFlow graphs.")
    parser.add_argument(
        "--version", action="version", version=__version__, help="print the version of hubmodule"
    )
    add_commands(parser, COMMANDS)
    return parser


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    # What looks like an option may be the program's: hubmodule.run tells them apart.
    parser.prefix_chars = ""
    parser.add_argument(
        "arguments",
        metavar="[--no-alias] (SCRIPT | -m MODULE) [ARGS ...]",
        nargs=argparse.REMAINDER,
        help="a program, with its arguments",
    )


def _run(parsed: argparse.Namespace) -> int:
    from hubmodule import run

    run.main(parsed.arguments)
    return 0


COMMANDS = (
    RESOLVE,
    AUDIT,
    CONVERT,
    Command(
        "run",
        "Run a program written for tensorflow_hub and tf.estimator.",
        _add_run_arguments,
        _run,
    ),
    CACHE,
)

if __name__ == "__main__":
    sys.exit(main())
