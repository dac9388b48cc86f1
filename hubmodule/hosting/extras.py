"""Checks that the packages of the extra "hub" are installed, before they are imported."""

from __future__ import annotations

import importlib.util

from hubmodule._plain_errors import ExtraMissingError


def check_extra(command: str, *packages: str) -> None:
    """Checks that packages of the extra "hub" are installed, without importing them.

    Args:
        command: The subcommand that needs them, e.g. "serve".
        packages: Names of packages to import, e.g. "starlette".

    Raises:
        ExtraMissingError: If one of them is not installed.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"hubmodule {command} needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed: pip install 'hubmodule[hub]'"
        )
