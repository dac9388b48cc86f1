"""What the documents show runs, and the page about TF2 shows every error there."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hubmodule.inspection import differences, facts
from tests.error_messages import messages

ROOT = Path(__file__).parents[1]
TF2 = ROOT / "docs" / "tf2.md"
TF2_SOURCES = [
    *sorted((ROOT / "hubmodule" / "tf2").glob("*.py")),
    ROOT / "hubmodule" / "estimator" / "layer_column.py",
]
# An unknown attribute: Python's own error, which needs no page.
PYTHONS_OWN = ("keras_layer.py", " has no attribute ")
TF2_MESSAGES = [
    (where, text)
    for path in TF2_SOURCES
    for where, text in messages(path)
    if (path.name, text) != PYTHONS_OWN
]


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


@pytest.mark.parametrize(("where", "text"), TF2_MESSAGES, ids=[where for where, _ in TF2_MESSAGES])
def test_errors_of_tf2_are_shown(where: str, text: str) -> None:
    page = " ".join(TF2.read_text(encoding="utf-8").split())
    assert " ".join(text.split()).strip("()'. ") in page


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
