"""The calls of golden modules that were recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.golden import recordings
from tests.golden.definitions import DEFINITIONS
from tests.tf2.values import tensors

GOLDEN = Path(__file__).parent.parent / "golden"
WRITERS = ("made_by_tf215", "made_by_tf115")
CALLS = [
    pytest.param(writer, name, call, id=f"{writer}-{name}-{recordings.call_name(call)}")
    for writer in WRITERS
    for name, definition in DEFINITIONS.items()
    for call in definition.calls
]


def recorded(file: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The inputs, as tensors, and the outputs of a recorded call."""
    inputs, outputs = recordings.load_call(file)
    return tensors(inputs), outputs
