"""The page about errors shows every one that resolving can raise."""

from __future__ import annotations

import pathlib
import sys

import pytest

from tests.error_messages import messages

ROOT = pathlib.Path(__file__).parents[1]
PAGE = " ".join((ROOT / "docs" / "troubleshooting.md").read_text().split())
# storage.py raises Python's own errors, which are translated before anybody sees them.
SOURCES = sorted(
    {*(ROOT / "hubmodule" / "resolver").glob("*.py"), ROOT / "hubmodule" / "settings.py"}
    - {ROOT / "hubmodule" / "resolver" / "storage.py"}
)


ALL = [found for path in SOURCES for found in messages(path)]


def test_there_are_messages() -> None:
    assert len(ALL) > 50


@pytest.mark.parametrize(("where", "text"), ALL, ids=[where for where, _ in ALL])
def test_it_is_shown(where: str, text: str) -> None:
    assert " ".join(text.split()).strip("()'") in PAGE


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
