"""application: functions that apply a signature."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hubmodule.format import saved_model
from hubmodule.tf2.application import has_v1_control_flow
from hubmodule.tf2.trainable import Variants

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"


@pytest.mark.parametrize(
    "name, expected", [("control_flow_v1", True), ("control_flow_v2", False), ("batch_norm", False)]
)
def test_control_flow_of_tf1_is_found(name, expected):
    variant, _ = Variants(saved_model.read(str(GOLDEN / name))).get(frozenset())
    assert has_v1_control_flow(variant, "default", False) is expected


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
