"""Tests of hubmodule.inspection.asset_facts."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from hubmodule.inspection.asset_facts import read_assets
from hubmodule.inspection.facts import AssetFacts


def test_assets(tmp_path: Path) -> None:
    (tmp_path / "assets" / "inner").mkdir(parents=True)
    (tmp_path / "assets" / "inner" / "a").write_bytes(b"123")
    damage: list[str] = []
    digest = hashlib.sha256(b"123").hexdigest()
    assert read_assets(str(tmp_path), ["inner/a"], damage) == (AssetFacts("inner/a", 3, digest),)
    assert damage == []


def test_missing_and_foreign_assets(tmp_path: Path) -> None:
    damage: list[str] = []
    assert read_assets(str(tmp_path), ["b", "../c", "/etc/passwd"], damage) == ()
    assert damage == [
        "An asset is named '../c', which is outside of assets/.",
        "An asset is named '/etc/passwd', which is outside of assets/.",
        "The asset 'b' is missing in assets/.",
    ]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
