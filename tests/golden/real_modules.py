"""Modules that other people published, and what tensorflow_hub recorded of them.

They lie outside the repository, in modules/ and golden/ under HUBMODULE_SHARED_DATA, by
default ../shared/data of the repository's root. Without them their tests are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.golden import recordings
from tests.golden.definitions import Call
from tests.golden.values import Value

COSMIC_RIM = "cosmic_rim_likelihood_1569678366"
# Each with the outputs that are drawn at random, which are not in the recordings.
RECORDED: list[tuple[str, set[str]]] = [
    ("half_plus_two_v1", set()),
    ("DM21", set()),
    (COSMIC_RIM, {"sample", "rawsample"}),
]
_ROOT = Path(__file__).resolve().parents[2]
_DATA = Path(os.environ.get("HUBMODULE_SHARED_DATA") or _ROOT.parent / "shared" / "data")

skipped_without = pytest.mark.skipif(
    not (_DATA / "modules").is_dir(),
    reason=f"the real modules are not in {_DATA}; HUBMODULE_SHARED_DATA may say where they are",
)


def path(name: str) -> str:
    """Where a module is."""
    return str(_DATA / "modules" / name)


def recorded(name: str) -> tuple[Call, Mapping[str, Value]]:
    """A call of a module, and the outputs that it had."""
    file = _DATA / "golden" / f"{name}__notags__default.npz"
    inputs, outputs = recordings.load_call(file)
    return Call(inputs), outputs
