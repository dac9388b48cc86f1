"""hubmodule bundle: writes the modules of a lock file into one tar."""

from __future__ import annotations

import argparse

from hubmodule.commands.command import (
    Command,
    add_cache_dir,
    parse_path,
    read_settings,
    show_log,
)


def _add_bundle_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lock", metavar="LOCK", help="lock file that `hubmodule lock` wrote")
    parser.add_argument(
        "out", metavar="OUT.tar", type=parse_path, help="bundle to write or replace"
    )
    add_cache_dir(parser)


def _write_bundle(parsed: argparse.Namespace) -> int:
    from hubmodule.locking.bundle import write_bundle

    show_log()
    for handle in write_bundle(parsed.lock, parsed.out, read_settings(parsed)):
        print(f"bundled: {handle}")
    print(f"wrote {parsed.out}")
    return 0


BUNDLE = Command(
    "bundle",
    "Write the modules of a lock file into one tar, for machines without a network.",
    _add_bundle_arguments,
    _write_bundle,
)
