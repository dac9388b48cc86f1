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

import hubmodule
from hubmodule import settings
from hubmodule.inspection import differences, facts
from tests.pages import make_program, read_page, run_in_checkout

ROOT = Path(__file__).parents[1]
# Through the links that Bazel makes: all tests and examples are no data of this one.
CHECKOUT = Path(__file__).resolve().parents[1]
# Shorter pieces are in too many messages.
LEAST_CHARACTERS = 15
# Messages of other packages that a page shows end with one of these.
FOREIGN = ("(from h5py)", "(from Keras)")


def program(page: Path) -> str:
    """The blocks of Python on a page, one after the other; "..." stands in for the reader's own."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return "\n".join(block for block in blocks if "\n...\n" not in block)


# What stands before the blocks of a page whose blocks are parts of the reader's program.
MODULE = """
import os
import hubmodule as hub
import numpy as np
import tensorflow as tf


def module_fn():
    x = tf.compat.v1.placeholder(tf.float32, [None, 1])
    w = tf.compat.v1.get_variable("w", [1, 1])
    hub.add_signature(inputs=x, outputs=tf.matmul(x, w))


spec = hub.create_module_spec(module_fn, [(set(), {}), ({"train"}, {})])
spec.export_values("module", {"w": np.ones([1, 1], np.float32)})
"""
IN_A_GRAPH = "tf.compat.v1.disable_eager_execution()\n"
A_PROGRAM = """
handle, is_training = "module", True
optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.1)
"""
AN_ESTIMATOR = """
import types
estimator = types.SimpleNamespace(model_dir="model")
spec.export_values("model/export/modules/7/encoder", {"w": np.ones([1, 1], np.float32)})
"""
BEFORE = {
    "docs/auditing.md": MODULE,
    "docs/graph_mode.md": MODULE + IN_A_GRAPH + A_PROGRAM,
    "docs/hosting.md": MODULE + AN_ESTIMATOR,
    "docs/hub_clients.md": MODULE + IN_A_GRAPH,
    "docs/inspecting.md": MODULE,
    "docs/moving_over.md": "",
    "docs/tensorflow1.md": "__file__ = 'conftest.py'\n",
}
# What stands in for "...", the reader's own lines.
BETWEEN = {"docs/graph_mode.md": "loss = tf.reduce_sum(module([[2.0]]))"}
# The readers' modules and hubs.
PLACES = {
    "https://example.com/modules/embed/1": "module",
    "https://hub.example.com/team/encoder/3": "module",
    "/path/to/module": "module",
    "/srv/hub": "hub",
}


def make_whole(page: str) -> str:
    """Makes a program of the blocks of a page, and of what they need."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.S | re.M)
    text = "\n".join(blocks)
    for place, other in PLACES.items():
        text = text.replace(f'"{place}"', f'"{other}"')
    own = re.compile(r"^\.\.\.$", re.MULTILINE)
    return f"{BEFORE[page]}\n{own.sub(BETWEEN.get(page, ''), text)}"


@pytest.mark.parametrize("page", BEFORE)
def test_parts_of_programs_run(page: str, tmp_path: Path) -> None:
    program = make_whole(page)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_USE_LEGACY_KERAS": ""}
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]


def test_the_first_module_runs_when_pasted(tmp_path: Path) -> None:
    printed = run_in_checkout(tmp_path, make_program(read_page("first_module.md")))
    assert {path.name for path in tmp_path.iterdir()} >= {"words.txt", "first", "tuned"}
    found = re.search(r"^\[((?: *[\d.e-]+){4}) *\]$", printed, re.MULTILINE)
    assert found is not None, printed
    predictions = [float(value) for value in found[1].split()]
    assert max(abs(p - label) for p, label in zip(predictions, [1, 1, 0, 0], strict=True)) < 0.1


def test_each_page_with_python_is_run_by_a_test() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (CHECKOUT / "tests").rglob("test_*.py"))
    pages = [
        path for path in (ROOT / "docs").glob("*.md") if "```python" in path.read_text("utf-8")
    ]
    assert len(pages) > 8
    assert [page.name for page in pages if f'{page.name}"' not in tests] == []


def test_each_page_is_in_the_index() -> None:
    index = read_page("index.md")
    pages = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
    assert [name for name in pages if f"]({name})" not in index] == ["index.md"]


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_links_lead_to_files(page: str) -> None:
    links = re.findall(r"\]\((?!\w+[:=])([^)#]+)[^)]*\)", read_page(page))
    targets = [CHECKOUT / "docs" / link for link in links]
    assert [path for path in targets if not path.exists()] == []


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


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 140


def test_each_public_name_is_in_the_reference() -> None:
    shown = set(re.findall(r"^\| `hub\.(\w+)` \|", read_page("api.md"), re.MULTILINE))
    assert shown == set(hubmodule.__all__) - {"__version__"}


def test_each_setting_is_in_the_reference() -> None:
    source = Path(settings.__file__).read_text(encoding="utf-8")
    names = set(re.findall(r'"((?:HUBMODULE|TFHUB)_\w+)"', source))
    assert len(names) > 10
    page = read_page("settings.md")
    shown = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert shown == names
    assert set(re.findall(r"`--(\w+)`", page)) == set(settings._FLAGS)


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
