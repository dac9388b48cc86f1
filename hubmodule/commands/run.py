"""hubmodule run: runs a program with tensorflow_hub aliased and tf.estimator enabled."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hubmodule.commands.command import Command, print_error

if TYPE_CHECKING:
    from hubmodule.run import Preparation, Program

_ARGUMENTS = "[--no-alias] [--tf1] (SCRIPT | -m MODULE | -) [ARGS ...]"
_DESCRIPTION = (
    "Run a program written for tensorflow_hub and tf.estimator, unchanged, on TensorFlow 2.15 and "
    "newer: `import tensorflow_hub` gives hubmodule, tf.estimator works, and tf.keras and "
    "tf.compat.v1.layers are Keras 2. With --tf1, `import tensorflow` in the program's own files "
    "gives the API of TensorFlow 1. Everything after SCRIPT or MODULE goes to the program, whose "
    "input, output, tracebacks and exit status are as under `python`."
)
_EPILOG = "Example: hubmodule run train.py --model_dir=/tmp/model"


def parse(arguments: Sequence[str]) -> tuple[Preparation, Program]:
    """Parses `[--no-alias] [--tf1] SCRIPT|-m MODULE|- [ARGS …]`.

    Args:
        arguments: The command line after `hubmodule run`. Everything after the program's name
            belongs to the program.

    Returns:
        What the process of the program needs, and the program.
    """
    from hubmodule.run import Preparation, Program

    parser = _make_parser()
    end = _find_end_of_options(arguments)
    parsed = parser.parse_args(arguments[:end])
    name = parsed.module or parsed.script
    if name is None:
        parser.error("a SCRIPT, -m MODULE, or - for standard input is needed")
    preparation = Preparation(
        use_alias=not parsed.no_alias,
        use_tensorflow_1=parsed.tf1 or bool(parsed.tf1_package),
        packages=tuple(parsed.tf1_package),
    )
    return preparation, Program(name, parsed.module is not None, list(arguments[end:]))


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hubmodule run",
        usage=f"hubmodule run {_ARGUMENTS}",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--no-alias",
        action="store_true",
        help="let the program import the installed tensorflow_hub, not hubmodule",
    )
    parser.add_argument(
        "--tf1",
        action="store_true",
        help="let `import tensorflow` in the program's own files import the API of TensorFlow 1",
    )
    parser.add_argument(
        "--tf1-package",
        action="append",
        default=[],
        metavar="NAME",
        help="with --tf1: an installed package that is the program's own, too (repeatable)",
    )
    parser.add_argument(
        "-m", dest="module", metavar="MODULE", help="run a module, as `python -m MODULE` does"
    )
    parser.add_argument(
        "script",
        metavar="SCRIPT",
        nargs="?",
        help="run a Python file, directory or zip archive; - is a program from standard input",
    )
    return parser


def _find_end_of_options(arguments: Sequence[str]) -> int:
    """Returns the index at which the program's own arguments begin."""
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument == "-m":
            return index + 2
        if argument == "--tf1-package":
            index += 2
            continue
        if argument == "-" or not argument.startswith("-") or argument.startswith("-m"):
            return index + 1
        index += 1
    return len(arguments)


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    # An option may belong to the program; parse() decides.
    parser.prefix_chars = ""
    parser.add_argument(
        "arguments",
        metavar=_ARGUMENTS,
        nargs=argparse.REMAINDER,
        help="the program and its arguments",
    )


def run_program(parsed: argparse.Namespace) -> int:
    """Runs the program; returns the exit status if the program does not end the process."""
    from hubmodule import _requirements, run
    from hubmodule._plain_errors import TensorFlowUnavailableError

    preparation, program = parse(parsed.arguments)
    try:
        _requirements.check_tensorflow()
    except TensorFlowUnavailableError as error:
        return print_error(error)
    run.run(preparation, program)
    return 0


RUN = Command(
    "run",
    "Run a program written for tensorflow_hub and tf.estimator.",
    _add_run_arguments,
    run_program,
)
