"""The command line, `hubmodule` or `python -m hubmodule`: runs a subcommand, prints errors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from hubmodule.commands.audit import AUDIT
from hubmodule.commands.bundle import BUNDLE
from hubmodule.commands.cache import CACHE
from hubmodule.commands.command import add_commands, print_error
from hubmodule.commands.convert import CONVERT
from hubmodule.commands.diff import DIFF
from hubmodule.commands.doctor import DOCTOR
from hubmodule.commands.inspect import INSPECT, SHOW
from hubmodule.commands.lock import LOCK
from hubmodule.commands.publish import PUBLISH
from hubmodule.commands.resolve import RESOLVE
from hubmodule.commands.run import RUN, run_program
from hubmodule.commands.serve import SERVE
from hubmodule.commands.site import SITE
from hubmodule.commands.unbundle import UNBUNDLE

_INTERRUPTED = 130  # as shells count SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: The command-line arguments, without the program's name; None takes sys.argv.

    Returns:
        The exit status: 0; 1 after an error, which is printed to standard error; 130 after an
        interrupt.
    """
    parsed = make_parser().parse_args(arguments)
    # `run` leaves errors and interrupts to the program.
    return run_program(parsed) if parsed.run is run_program else _run_command(parsed)


def _run_command(parsed: argparse.Namespace) -> int:
    """Runs a subcommand; prints its errors to standard error."""
    from hubmodule._plain_errors import HubModuleError

    _silence_tensorflow()
    try:
        status = parsed.run(parsed)
        sys.stdout.flush()
        return status
    except HubModuleError as error:
        return print_error(error)
    except BrokenPipeError:
        # The reader, such as `head`, closed the pipe. Python would flush it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("hubmodule: interrupted", file=sys.stderr)
        return _INTERRUPTED


def _silence_tensorflow() -> None:
    """Turns off TensorFlow's start-up messages, unless the environment sets their level."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # This variable turns off the message about oneDNN, which has no level.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the whole command line."""
    from hubmodule._version import __version__

    parser = argparse.ArgumentParser(
        prog="hubmodule", description="Use, convert and cache TF1 Hub modules."
    )
    parser.add_argument(
        "--version", action="version", version=__version__, help="print the version of hubmodule"
    )
    add_commands(parser, COMMANDS)
    return parser


COMMANDS = (
    RESOLVE,
    INSPECT,
    SHOW,
    AUDIT,
    DIFF,
    CONVERT,
    RUN,
    DOCTOR,
    LOCK,
    BUNDLE,
    UNBUNDLE,
    CACHE,
    PUBLISH,
    SITE,
    SERVE,
)

if __name__ == "__main__":
    sys.exit(main())
