"""hubmodule cache: lists, verifies and prunes the cache of downloaded modules."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hubmodule.commands.command import (
    Command,
    add_cache_dir,
    add_commands,
    print_error,
    read_settings,
)
from hubmodule.commands.quantities import format_duration, parse_bytes, parse_seconds

if TYPE_CHECKING:
    from hubmodule.cache.cache import Cache
    from hubmodule.cache.maintenance import CachedModule, Verdict
    from hubmodule.settings import Settings


def _add_list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_cache_dir(parser)


def _print_modules(parsed: argparse.Namespace) -> int:
    from hubmodule.cache import maintenance

    modules = maintenance.list_modules(_open_cache(parsed))
    if parsed.json:
        import json

        print(json.dumps([_convert_to_json(module) for module in modules], indent=2))
    else:
        _print_table(modules)
    return 0


def _convert_to_json(module: CachedModule) -> dict[str, object]:
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
    from hubmodule.downloads.progress import format_bytes

    print(f"{'SIZE':>10}  {'AGE':>6}  {'UNUSED':>6}  {'STATE':<10}  HANDLE")
    for module in modules:
        age, unused = format_duration(module.age_seconds), format_duration(module.unused_seconds)
        name = module.handle or f"unknown, in {module.path}"
        size = format_bytes(module.size)
        print(f"{size:>10}  {age:>6}  {unused:>6}  {module.state.value:<10}  {name}")


def _add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handles", metavar="HANDLE", nargs="*", help="only these modules")
    parser.add_argument("--repair", action="store_true", help="fetch damaged modules again")
    add_cache_dir(parser)


def _verify_modules(parsed: argparse.Namespace) -> int:
    from hubmodule.cache import maintenance

    cache = _open_cache(parsed)
    verdicts = [
        maintenance.verify(cache, module) for module in _choose_modules(parsed.handles, cache)
    ]
    status = 0
    for verdict in verdicts:
        name = verdict.module.handle or verdict.module.path
        if not verdict.problems:
            print(f"{'ok' if verdict.checked else 'ok (sizes only)'}: {name}")
            continue
        print(f"damaged: {name}")
        for problem in verdict.problems.values():
            print(f"    {problem}")
        if parsed.repair:
            status = max(status, _repair(cache, verdict, read_settings(parsed)))
        else:
            print("    Repair it with: python -m hubmodule cache verify --repair")
            status = 1
    return status


def _repair(cache: Cache, verdict: Verdict, settings: Settings) -> int:
    from hubmodule._plain_errors import HubModuleError
    from hubmodule.cache import maintenance
    from hubmodule.resolver import refresh

    handle = verdict.module.handle
    if handle is None:
        print(f"    Its handle is unknown: remove {verdict.module.path} and fetch it again.")
        return 1
    if not maintenance.has_whole_handle(verdict.module):
        maintenance.delete_damaged(cache, verdict)
        print(
            "    Its handle had a password or a query, which is not kept: it is fetched at its "
            "next use."
        )
        return 1
    try:
        repaired = refresh.repair(handle, settings)
    except HubModuleError as error:
        return print_error(error)
    note = "" if repaired.was_known else " (its digests were not known: its content may be other)"
    print(f"repaired: {handle}{note}")
    return 0


def _choose_modules(handles: Sequence[str], cache: Cache) -> list[CachedModule]:
    """Returns the modules of some handles or paths, or all modules if there are none."""
    from hubmodule._plain_errors import CacheError
    from hubmodule.cache import maintenance
    from hubmodule.handles import make_cache_key, parse
    from hubmodule.urls import redact

    modules = maintenance.list_modules(cache)
    chosen = []
    for handle in handles:
        key = make_cache_key(parse(handle).text)
        # `cache list` shows handles without queries, and paths where there is no handle.
        found = [module for module in modules if module.key == key] or [
            module for module in modules if handle in (module.handle, module.path)
        ]
        if not found:
            raise CacheError(
                f"{redact(handle)} is not in the cache {cache.root}. To see what is: python -m "
                "hubmodule cache list"
            )
        chosen.extend(found)
    return chosen if handles else modules


def _add_remove_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "handles", metavar="HANDLE", nargs="+", help="as `hubmodule cache list` shows it"
    )
    add_cache_dir(parser)


def _remove_modules(parsed: argparse.Namespace) -> int:
    from hubmodule.cache import maintenance

    cache = _open_cache(parsed)
    status = 0
    for module in _choose_modules(parsed.handles, cache):
        name = module.handle or module.path
        if maintenance.remove(cache, module):
            print(f"removed: {name}")
        else:
            status = print_error(
                f"{name} may be in use: a process of this machine uses it, or another machine "
                f"has used it in the last week. Remove {module.path} yourself if none does."
            )
    return status


def _add_prune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--older-than",
        type=parse_seconds,
        metavar="TIME",
        help="remove what was not used for this long, such as 12h, 30d or 8w",
    )
    parser.add_argument(
        "--max-size",
        type=parse_bytes,
        metavar="SIZE",
        help="then remove what was not used for longest until this much is left, such as 10GB",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    add_cache_dir(parser)


def _prune_modules(parsed: argparse.Namespace) -> int:
    from hubmodule._plain_errors import SettingError
    from hubmodule.cache import maintenance
    from hubmodule.downloads.progress import format_bytes

    if parsed.older_than is None and parsed.max_size is None:
        raise SettingError("Say what to remove: --older-than 30d, --max-size 10GB, or both.")
    pruned = maintenance.prune(
        _open_cache(parsed), parsed.older_than, parsed.max_size, dry_run=parsed.dry_run
    )
    verb = "would remove" if parsed.dry_run else "removed"
    for module in pruned.removed:
        print(f"{verb}: {module.handle or module.path} ({format_bytes(module.size)})")
    for module in pruned.in_use:
        print(f"in use: {module.handle or module.path}")
    print(f"{verb} {format_bytes(sum(module.size for module in pruned.removed))} in all")
    return 0


def _add_path_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "handle", metavar="HANDLE", nargs="?", help="print the directory of this module"
    )
    add_cache_dir(parser)


def _print_path(parsed: argparse.Namespace) -> int:
    from hubmodule.handles import make_cache_key, parse

    cache = _open_cache(parsed)
    print(
        cache.get_path(make_cache_key(parse(parsed.handle).text)) if parsed.handle else cache.root
    )
    return 0


def _open_cache(parsed: argparse.Namespace) -> Cache:
    from hubmodule.cache.cache import Cache

    return Cache(read_settings(parsed).cache_dir)


COMMANDS = (
    Command("list", "Show what is in the cache.", _add_list_arguments, _print_modules),
    Command(
        "verify", "Read cached modules to the last byte.", _add_verify_arguments, _verify_modules
    ),
    Command("remove", "Remove some modules.", _add_remove_arguments, _remove_modules),
    Command("prune", "Remove modules that are not used.", _add_prune_arguments, _prune_modules),
    Command(
        "path", "Print where the cache, or a module in it, is.", _add_path_arguments, _print_path
    ),
)
CACHE = Command(
    "cache",
    "List, verify, remove and prune the cache of downloaded modules.",
    lambda parser: add_commands(parser, COMMANDS),
)
