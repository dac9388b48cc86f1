"""What the documents show: examples that run, and messages that the package has."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubmodule.inspection import differences, facts

ROOT = Path(__file__).parents[1]
# Shorter pieces are in too many messages.
LEAST_CHARACTERS = 15
# Messages of other packages that a page shows end with one of these.
FOREIGN = ("(from h5py)", "(from Keras)")


def program(page: Path) -> str:
    """The blocks of Python on a page, one after the other; "..." stands in for the reader's own."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return "\n".join(block for block in blocks if "\n...\n" not in block)


@pytest.mark.parametrize("page", ["README.md", "docs/tf2.md"])
def test_the_examples_on_a_page_run_when_pasted(page: str, tmp_path: Path) -> None:
    text = program(ROOT / page)
    assert text.count("hub.") > 3
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", text]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]


def shown_messages(page: str) -> list[str]:
    """Finds the messages in the first column of the tables on a page."""
    tables = re.findall(r"^\| message \|.*\n\|[-|]*\n((?:\|.*\n)*)", page, re.MULTILINE)
    return [row.split(" | ")[0] for table in tables for row in table.splitlines()]


def pieces(path: Path) -> Iterator[str]:
    """Yields the constant pieces of the strings in a source file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (piece.strip() for piece in re.split(r"%\S*[sdf]|\n", node.value))


@pytest.fixture(scope="module")
def known_pieces() -> list[str]:
    paths = (ROOT / "hubmodule").rglob("*.py")
    return [piece for path in paths for piece in pieces(path) if len(piece) >= LEAST_CHARACTERS]


@pytest.mark.parametrize("page", ["docs/tf2.md", "docs/troubleshooting.md"])
def test_messages_on_a_page_are_in_the_package(page: str, known_pieces: list[str]) -> None:
    messages = shown_messages((ROOT / page).read_text(encoding="utf-8"))
    assert len(messages) > 10
    unknown = [
        message
        for message in messages
        if not any(piece in message for piece in known_pieces) and not message.endswith(FOREIGN)
    ]
    assert unknown == []


def field_names(value: type) -> set[str]:
    """The fields of a dataclass, and of those in its fields."""
    names: set[str] = set()
    for field in dataclasses.fields(value):
        names.add(field.name)
        for word in re.findall(r"\w+", str(field.type)):
            inner = getattr(facts, word, None) or getattr(differences, word, None)
            if dataclasses.is_dataclass(inner):
                names |= field_names(inner)
    return names


@pytest.mark.parametrize("kind", [facts.ModuleFacts, differences.ModuleDifferences])
def test_every_field_of_the_json_is_documented(kind: type) -> None:
    text = (ROOT / "docs" / "inspecting.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text))
    assert len(field_names(kind)) > 10
    assert field_names(kind) - named == set()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
