"""Skips the test files whose packages have an environment of their own."""

from __future__ import annotations

import importlib.util

import pytest


def skip_without(package: str, name: str) -> None:
    """Skips the rest of a test file if a package of `make test-beam` is not installed.

    Args:
        package: The name of the package.
        name: `__name__` of the test file. As a program, which Bazel runs, it ends with success:
            pytest knows nothing of it yet.
    """
    if importlib.util.find_spec(package) is not None:
        return
    reason = f"{package} is not installed: make test-beam"
    if name == "__main__":
        print(f"Skipped: {reason}")
        raise SystemExit(0)
    pytest.skip(reason, allow_module_level=True)
