"""hubmodule convert: writes a module as a SavedModel that loads without this package."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import time
from collections.abc import Iterator, Mapping

from hubmodule.commands.command import Command, print_error
from hubmodule.commands.op_packages import add_import_argument, import_packages


def _add_convert_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handle", metavar="HANDLE", help="a path or an address")
    parser.add_argument("out", metavar="OUT", help="the directory to make, with parents")
    parser.add_argument(
        "--to",
        choices=("reusable", "serving"),
        default="reusable",
        help="reusable (the default) keeps calls with `training`, trainable variables, "
        "regularisation losses and signatures, for tf.saved_model.load and hub.KerasLayer; "
        "serving keeps the signatures, for TensorFlow Serving",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the SavedModel at OUT")
    add_import_argument(parser)


def _convert(parsed: argparse.Namespace) -> int:
    from hubmodule import _requirements

    _requirements.check_tensorflow()
    import tensorflow as tf

    from hubmodule.errors import ExportExistsError, UnregisteredOpsError
    from hubmodule.tf2.convert import convert
    from hubmodule.urls import redact

    try:
        import_packages(parsed.packages)
        with _show_time(f"Converting {redact(parsed.handle)}"):
            arguments = convert(parsed.handle, parsed.out, parsed.to, parsed.overwrite)
    except ExportExistsError as error:
        return print_error(error.message.replace("overwrite=True", "--overwrite"))
    except UnregisteredOpsError as error:
        return print_error(f"{error.message} For this command, add --import PACKAGE.")
    except tf.errors.OpError as error:  # a full disk, or one that may not be written
        return print_error(error)
    print(f"Wrote {parsed.out}")
    _print_arguments(arguments)
    return 0


def _print_arguments(arguments: Mapping[str, Mapping[str, str]]) -> None:
    """Prints which inputs have other names in Python, where they must be identifiers."""
    for signature, names in arguments.items():
        if signature == "serving_default" and names == arguments.get("default"):
            continue
        print(f"In Python, inputs of signature '{signature}' are passed by these arguments:")
        for name, argument in names.items():
            print(f"  {name}: {argument}")


@contextlib.contextmanager
def _show_time(doing: str, patience: float = 2.0) -> Iterator[None]:
    """Shows on a terminal how long something takes already, if it takes that many seconds."""
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    ticker = threading.Thread(target=_tick, args=(doing, patience, ended), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()


def _tick(doing: str, patience: float, ended: threading.Event) -> None:
    started = time.monotonic()
    line = ""
    while not ended.wait(1.0 if line else patience):
        line = f"{doing}: {time.monotonic() - started:.0f} s"
        print(f"\r{line}", end="", file=sys.stderr, flush=True)
    if line:
        print(f"\r{' ' * len(line)}\r", end="", file=sys.stderr, flush=True)


CONVERT = Command(
    "convert",
    "Write a module as a TF2 SavedModel, which loads without this package.",
    _add_convert_arguments,
    _convert,
)
