"""hubmodule lock: writes the digests of modules to a lock file, or compares modules with it."""

from __future__ import annotations

import argparse

from hubmodule.commands.command import (
    Command,
    add_cache_dir,
    parse_path,
    print_error,
    read_settings,
    show_log,
)


def _add_lock_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "handles", metavar="HANDLE", nargs="*", help="address or archive of a module"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=parse_path,
        default="modules.lock",
        help="lock file to write or replace; modules.lock by default",
    )
    parser.add_argument(
        "--check", metavar="FILE", help="read all modules of this lock file, and write nothing"
    )
    add_cache_dir(parser)


def _lock(parsed: argparse.Namespace) -> int:
    from hubmodule._plain_errors import SettingError
    from hubmodule.locking.lock import lock_modules, write_lock

    show_log()
    if bool(parsed.handles) == bool(parsed.check):
        raise SettingError("Give the handles to lock, or --check and a lock file.")
    if parsed.check:
        return _check(parsed)
    modules = lock_modules(parsed.handles, read_settings(parsed))
    write_lock(parsed.output, modules)
    for handle in sorted(modules):
        print(f"locked: {handle}")
    print(f"wrote {parsed.output}")
    return 0


def _check(parsed: argparse.Namespace) -> int:
    from hubmodule.locking.lock import find_differences

    status = 0
    for handle, error in find_differences(parsed.check, read_settings(parsed)):
        if error is None:
            print(f"ok: {handle}", flush=True)
        else:
            status = print_error(error)
    return status


LOCK = Command(
    "lock",
    "Write the digests of modules to a lock file, which HUBMODULE_LOCK names to use no others.",
    _add_lock_arguments,
    _lock,
)
