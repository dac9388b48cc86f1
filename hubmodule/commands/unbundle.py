"""hubmodule unbundle: fills the cache from a bundle."""

from __future__ import annotations

import argparse

from hubmodule.commands.command import Command, add_cache_dir, parse_path, read_settings


def _add_unbundle_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bundle", metavar="OUT.tar", type=parse_path, help="tar that `hubmodule bundle` wrote"
    )
    add_cache_dir(parser)


def _install_bundle(parsed: argparse.Namespace) -> int:
    from hubmodule.locking.bundle import install_bundle

    for handle, was_cached in install_bundle(parsed.bundle, read_settings(parsed)).items():
        print(f"{'already there' if was_cached else 'installed'}: {handle}")
    return 0


UNBUNDLE = Command(
    "unbundle",
    "Put the modules of a bundle into the cache, after comparing them with its lock file.",
    _add_unbundle_arguments,
    _install_bundle,
)
