"""Says what to install where TensorFlow is missing or too old, without importing it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys

_OLDEST = (2, 15)
_DISTRIBUTIONS = ("tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu")
_ADVICE = "install one: pip install 'tensorflow>=2.15' (or 'tensorflow-cpu>=2.15')"


def check_tensorflow() -> None:
    """Raises ImportError if TensorFlow cannot be imported or is older than 2.15."""
    loaded = sys.modules.get("tensorflow")
    if loaded is None and importlib.util.find_spec("tensorflow") is None:
        raise ImportError(f"hubmodule needs TensorFlow, which is not installed; {_ADVICE}")
    version = getattr(loaded, "__version__", None) or _installed_version()
    if version and _numbers(version) < _OLDEST:
        raise ImportError(f"hubmodule needs TensorFlow 2.15 or newer, not {version}; {_ADVICE}")


def _installed_version() -> str | None:
    for distribution in _DISTRIBUTIONS:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None  # a build of one's own: trust it


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
