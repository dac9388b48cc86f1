"""The page about errors shows every one that resolving can raise."""

from __future__ import annotations

import ast
import pathlib
import re
import sys
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGE = " ".join((ROOT / "docs" / "troubleshooting.md").read_text().split())
# storage.py raises Python's own errors, which are translated before anybody sees them.
SOURCES = sorted(
    {*(ROOT / "hubmodule" / "resolver").glob("*.py"), ROOT / "hubmodule" / "settings.py"}
    - {ROOT / "hubmodule" / "resolver" / "storage.py"}
)
SAYS = ("error", "_refuse", "warning")


def messages(path: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Where a message is made, and its longest part that is always the same."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        parts = [part for argument in node.args for part in literals(argument)]
        if (name.endswith("Error") or name in SAYS) and parts:
            yield f"{path.name}:{node.lineno}", max(parts, key=len)


def literals(node: ast.expr) -> list[str]:
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    constants = [value.value for value in values if isinstance(value, ast.Constant)]
    texts = [text for text in constants if isinstance(text, str)]
    return [part for text in texts for part in re.split(r"%\S*[sf]", text)]


ALL = [found for path in SOURCES for found in messages(path)]


def test_there_are_messages() -> None:
    assert len(ALL) > 50


@pytest.mark.parametrize(("where", "text"), ALL, ids=[where for where, _ in ALL])
def test_it_is_shown(where: str, text: str) -> None:
    assert " ".join(text.split()).strip("()'") in PAGE


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
