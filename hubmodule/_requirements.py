"""Checks the version of TensorFlow without importing it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys

from hubmodule._plain_errors import TensorFlowUnavailableError

_OLDEST = (2, 15)
_DISTRIBUTIONS = ("tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu")
_ADVICE = "install one: pip install 'tensorflow>=2.15' (or 'tensorflow-cpu>=2.15')"


def check_tensorflow() -> None:
    """Checks that TensorFlow 2.15 or newer is installed, without importing it.

    Raises:
        TensorFlowUnavailableError: If TensorFlow is missing or too old.
    """
    if "tensorflow" not in sys.modules and importlib.util.find_spec("tensorflow") is None:
        raise TensorFlowUnavailableError(
            f"hubmodule needs TensorFlow, which is not installed; {_ADVICE}"
        )
    version = get_tensorflow_version()
    if version and _parse_version(version) < _OLDEST:
        raise TensorFlowUnavailableError(
            f"hubmodule needs TensorFlow 2.15 or newer, not {version}; {_ADVICE}"
        )


def get_tensorflow_version() -> str | None:
    """Returns the version of the imported TensorFlow, or else of the installed one.

    None if it is unknown, e.g. for a build without package metadata.
    """
    loaded = getattr(sys.modules.get("tensorflow"), "__version__", None)
    if loaded is not None:
        return loaded
    for distribution in _DISTRIBUTIONS:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _parse_version(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
