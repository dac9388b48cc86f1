"""The error messages in a source file, for tests that look for them in the documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_SAYS = ("error", "_refuse", "warning")


def messages(path: Path) -> Iterator[tuple[str, str]]:
    """Where a message is made, and its longest part that is always the same."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        parts = [part for argument in node.args for part in _literals(argument)]
        if (name.endswith("Error") or name in _SAYS) and parts:
            yield f"{path.name}:{node.lineno}", max(parts, key=len)


def _literals(node: ast.expr) -> list[str]:
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    constants = [value.value for value in values if isinstance(value, ast.Constant)]
    texts = [text for text in constants if isinstance(text, str)]
    return [part for text in texts for part in re.split(r"%\S*[sf]", text)]
