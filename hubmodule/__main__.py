"""The command line: python -m hubmodule, or hubmodule.

It only parses, calls and prints. Nothing that a subcommand needs is imported before it
runs: one may have to set environment variables before TensorFlow is imported, and those
that only look at the cache do without TensorFlow.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubmodule.resolver.cache import Cache
    from hubmodule.resolver.maintenance import CachedModule
    from hubmodule.settings import Settings

_INTERRUPTED = 130  # as shells count SIGINT
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


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
        return _complain(error)
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
    _add_commands(parser, COMMANDS)
    return parser


def _add_commands(parser: argparse.ArgumentParser, commands: Sequence[Command]) -> None:
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        child = choices.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(child)
        if command.run is not None:
            child.set_defaults(run=command.run)


def _add_resolve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handles", metavar="HANDLE", nargs="+", help="a path or an address")
    parser.add_argument(
        "--offline", action="store_true", help="use only what is cached, like HUBMODULE_OFFLINE=1"
    )
    _add_cache_dir(parser)


def _resolve(parsed: argparse.Namespace) -> int:
    import dataclasses
    import logging

    from hubmodule._plain_errors import HubModuleError
    from hubmodule.resolver.resolvers import resolve_with

    logging.basicConfig(level=logging.INFO, format="hubmodule: %(message)s")
    settings = _settings(parsed)
    if parsed.offline:
        settings = dataclasses.replace(settings, offline=True)
    status = 0
    for handle in parsed.handles:
        try:
            print(resolve_with(handle, settings), flush=True)
        except HubModuleError as error:
            _complain(error)
            status = 1
    return status


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


def _convert(parsed: argparse.Namespace) -> int:
    import tensorflow as tf

    from hubmodule.tf2.convert import convert

    try:
        with _time_shown(f"Converting {parsed.handle}"):
            convert(parsed.handle, parsed.out, parsed.to, parsed.overwrite)
    except tf.errors.OpError as error:  # a full disk, or one that may not be written
        return _complain(error)
    print(f"Wrote {parsed.out}")
    return 0


@contextlib.contextmanager
def _time_shown(doing: str, patience: float = 2.0) -> Iterator[None]:
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


def _add_cache_commands(parser: argparse.ArgumentParser) -> None:
    _add_commands(parser, CACHE_COMMANDS)


def _add_list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    _add_cache_dir(parser)


def _list(parsed: argparse.Namespace) -> int:
    from hubmodule.resolver import maintenance

    modules = maintenance.modules(_cache(parsed))
    if parsed.json:
        import json

        print(json.dumps([_as_json(module) for module in modules], indent=2))
    else:
        _print_table(modules)
    return 0


def _as_json(module: CachedModule) -> dict[str, object]:
    return {
        "handle": module.handle,
        "path": module.path,
        "size": module.size,
        "age_seconds": round(module.age_seconds),
        "unused_seconds": round(module.unused_seconds),
        "state": module.state.value,
        "detail": module.detail,
    }


def _print_table(modules: Sequence[CachedModule]) -> None:
    from hubmodule.resolver.progress import amount

    print(f"{'SIZE':>10}  {'AGE':>6}  {'UNUSED':>6}  {'STATE':<10}  HANDLE")
    for module in modules:
        age, unused = _span(module.age_seconds), _span(module.unused_seconds)
        name = module.handle or f"unknown, in {module.path}"
        size = amount(module.size)
        print(f"{size:>10}  {age:>6}  {unused:>6}  {module.state.value:<10}  {name}")


def _add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handles", metavar="HANDLE", nargs="*", help="only these modules")
    parser.add_argument("--repair", action="store_true", help="fetch damaged modules again")
    _add_cache_dir(parser)


def _verify(parsed: argparse.Namespace) -> int:
    from hubmodule.resolver import maintenance

    cache = _cache(parsed)
    verdicts = [maintenance.verify(cache, module) for module in _chosen(parsed.handles, cache)]
    status = 0
    for verdict in verdicts:
        name = verdict.module.handle or verdict.module.path
        if not verdict.problems:
            print(f"{'ok' if verdict.checked else 'ok (sizes only)'}: {name}")
            continue
        print(f"damaged: {name}")
        for problem in verdict.problems.values():
            print(f"    {problem}")
        if not parsed.repair:
            print("    Repair it with: python -m hubmodule cache verify --repair")
            status = 1
        elif verdict.module.handle is None:
            print(f"    Its handle is unknown: remove {verdict.module.path} and fetch it again.")
            status = 1
        elif not maintenance.knows_whole_handle(verdict.module):
            maintenance.condemn(cache, verdict)
            print(
                "    Its handle had a password, which is not kept: it is fetched at its next use."
            )
            status = 1
        else:
            maintenance.condemn(cache, verdict)
            status = max(status, _fetch_again(verdict.module.handle, _settings(parsed)))
    return status


def _fetch_again(handle: str, settings: Settings) -> int:
    from hubmodule._plain_errors import HubModuleError
    from hubmodule.resolver.resolvers import resolve_with

    try:
        resolve_with(handle, settings)
    except HubModuleError as error:
        return _complain(error)
    print(f"repaired: {handle}")
    return 0


def _chosen(handles: Sequence[str], cache: Cache) -> list[CachedModule]:
    """The modules of some handles, or all."""
    from hubmodule._plain_errors import CacheError
    from hubmodule.resolver import maintenance
    from hubmodule.resolver.handles import cache_key, parse

    modules = maintenance.modules(cache)
    keys = {cache_key(parse(handle).text): handle for handle in handles}
    cached = {module.key for module in modules}
    missing = [handle for key, handle in keys.items() if key not in cached]
    if missing:
        raise CacheError(
            f"{missing[0]} is not in the cache {cache.root}. To see what is: python -m hubmodule "
            "cache list"
        )
    return [module for module in modules if not keys or module.key in keys]


def _add_prune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--older-than",
        type=_seconds,
        metavar="TIME",
        help="remove what was not used for this long, such as 12h, 30d or 8w",
    )
    parser.add_argument(
        "--max-size",
        type=_bytes,
        metavar="SIZE",
        help="then remove what was not used for longest until this much is left, such as 10GB",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    _add_cache_dir(parser)


def _prune(parsed: argparse.Namespace) -> int:
    from hubmodule._plain_errors import SettingError
    from hubmodule.resolver import maintenance
    from hubmodule.resolver.progress import amount

    if parsed.older_than is None and parsed.max_size is None:
        raise SettingError("Say what to remove: --older-than 30d, --max-size 10GB, or both.")
    pruned = maintenance.prune(
        _cache(parsed), parsed.older_than, parsed.max_size, dry_run=parsed.dry_run
    )
    verb = "would remove" if parsed.dry_run else "removed"
    for module in pruned.removed:
        print(f"{verb}: {module.handle or module.path} ({amount(module.size)})")
    for module in pruned.in_use:
        print(f"in use: {module.handle or module.path}")
    print(f"{verb} {amount(sum(module.size for module in pruned.removed))} in all")
    return 0


def _add_path_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handle", metavar="HANDLE", nargs="?", help="the place of this module")
    _add_cache_dir(parser)


def _path(parsed: argparse.Namespace) -> int:
    from hubmodule.resolver.handles import cache_key, parse

    cache = _cache(parsed)
    print(cache.folder(cache_key(parse(parsed.handle).text)) if parsed.handle else cache.root)
    return 0


def _add_cache_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cache-dir", metavar="DIR", help="instead of TFHUB_CACHE_DIR")


def _settings(parsed: argparse.Namespace) -> Settings:
    import dataclasses

    from hubmodule import settings

    current = settings.current()
    return dataclasses.replace(current, cache_dir=parsed.cache_dir or current.cache_dir)


def _cache(parsed: argparse.Namespace) -> Cache:
    from hubmodule.resolver.cache import Cache

    return Cache(_settings(parsed).cache_dir)


def _seconds(text: str) -> float:
    """Reads "12h"."""
    return _quantity(text, _SECONDS, "a time such as 12h, 30d or 8w")


def _bytes(text: str) -> int:
    """Reads "10GB"."""
    return int(_quantity(text.upper(), _BYTES, "a size such as 500MB or 10GB"))


def _quantity(text: str, units: dict[str, int], what: str) -> float:
    match = re.fullmatch(r"(\d{1,18}(?:\.\d+)?)\s*([A-Za-z]+)", text)
    if match is None or match[2] not in units:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return float(match[1]) * units[match[2]]


def _span(seconds: float) -> str:
    """A time for people, in its biggest unit below weeks: "3d"."""
    unit = next((unit for unit in "dhm" if seconds >= _SECONDS[unit]), "s")
    return f"{int(seconds // _SECONDS[unit])}{unit}"


def _complain(error: Exception) -> int:
    print(f"hubmodule: error: {error}", file=sys.stderr)
    return 1


CACHE_COMMANDS = (
    Command("list", "Show what is in the cache.", _add_list_arguments, _list),
    Command("verify", "Read cached modules to the last byte.", _add_verify_arguments, _verify),
    Command("prune", "Remove modules that nobody uses.", _add_prune_arguments, _prune),
    Command("path", "Print where the cache, or a module in it, is.", _add_path_arguments, _path),
)
COMMANDS = (
    Command(
        "resolve",
        "Print the directory of each module, downloaded if need be.",
        _add_resolve_arguments,
        _resolve,
    ),
    Command(
        "convert",
        "Write a module as a TF2 SavedModel, which loads without this package.",
        _add_convert_arguments,
        _convert,
    ),
    Command(
        "run",
        "Run a program written for tensorflow_hub and tf.estimator.",
        _add_run_arguments,
        _run,
    ),
    Command("cache", "Look after the cache of downloaded modules.", _add_cache_commands),
)

if __name__ == "__main__":
    sys.exit(main())
