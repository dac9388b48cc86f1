"""hubmodule resolve: prints the directories of modules, which it downloads where needed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hubmodule.commands.command import (
    Command,
    add_cache_dir,
    print_error,
    read_settings,
    show_log,
)

if TYPE_CHECKING:
    from hubmodule.settings import Settings


def _add_resolve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handles", metavar="HANDLE", nargs="+", help="path or address of a module")
    parser.add_argument(
        "--offline", action="store_true", help="use only what is cached, like HUBMODULE_OFFLINE=1"
    )
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="ask whether the module has changed, and fetch it again if it has",
    )
    add_cache_dir(parser)


def _resolve_handles(parsed: argparse.Namespace) -> int:
    import dataclasses

    from hubmodule._plain_errors import HubModuleError
    from hubmodule.resolver.resolvers import resolve_with

    show_log()
    settings = read_settings(parsed)
    if parsed.offline:
        settings = dataclasses.replace(settings, offline=True)
    status = 0
    for handle in parsed.handles:
        try:
            if parsed.refresh:
                _refresh(handle, settings)
            print(resolve_with(handle, settings), flush=True)
        except HubModuleError as error:
            print_error(error)
            status = 1
    return status


def _refresh(handle: str, settings: Settings) -> None:
    import sys

    from hubmodule.resolver.refresh import refresh
    from hubmodule.urls import redact

    # Standard output has the directories only.
    print(f"{refresh(handle, settings).change.value}: {redact(handle)}", file=sys.stderr)


RESOLVE = Command(
    "resolve",
    "Print the directory of each module, after downloading it where that is needed.",
    _add_resolve_arguments,
    _resolve_handles,
)
