"""Tests of hubmodule.auditing.risks."""

from __future__ import annotations

import sys

import pytest

from hubmodule.auditing.risks import Level, Risk


def test_levels_are_ordered() -> None:
    assert [level.label for level in sorted(Level)] == ["low", "medium", "high"]


@pytest.mark.parametrize("risk", Risk)
def test_a_risk_completes_a_sentence(risk: Risk) -> None:
    assert risk.title.split()[0] in {
        "reads",
        "writes",
        "reaches",
        "runs",
        "is",
        "may",
        "ends",
        "prints",
    }


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
