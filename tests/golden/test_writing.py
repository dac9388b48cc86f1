"""Modules that hubmodule writes are what tensorflow_hub makes of the same definitions.

Each definition is written by hubmodule, read back, and held against the recordings that
tensorflow_hub made when it wrote the same on TensorFlow 2.15. `make interop` has
tensorflow_hub itself read them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow.compat.v1 as tf

import hubmodule as hub
from tests.golden import make_golden, recordings, values
from tests.golden.definitions import DEFINITIONS

THEIRS = Path(__file__).resolve().parent / "made_by_tf215"


@pytest.fixture(scope="module", params=list(DEFINITIONS))
def name(request: pytest.FixtureRequest) -> str:
    """Each module in turn."""
    return request.param


@pytest.fixture(scope="module")
def ours(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the module, written by hubmodule, and its recordings."""
    directory = tmp_path_factory.mktemp("written")
    make_golden.write(hub, tf, name, directory)
    return directory


def _description(directory: Path, name: str) -> dict[str, Any]:
    return json.loads(recordings.description_file(directory, name).read_text())


def _without_asset_names(variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The variants with the number of asset files; their names are each library's choice."""
    for variant in variants:
        for state in (variant["frozen"], variant["trainable"]):
            state["asset_files"] = len(state["asset_files"])
    return variants


def test_recorded_values(ours: Path, name: str) -> None:
    for file in sorted(THEIRS.glob(f"{name}__*.npz")):
        assert values.differences(values.load(ours / file.name), values.load(file)) == {}


def test_variants(ours: Path, name: str) -> None:
    variants = [_description(directory, name)["variants"] for directory in (ours, THEIRS)]
    assert _without_asset_names(variants[0]) == _without_asset_names(variants[1])


def test_update_ops(ours: Path, name: str) -> None:
    assert _description(ours, name)["update_ops"] == _description(THEIRS, name)["update_ops"]


def test_no_path_of_the_author_is_left(ours: Path, name: str) -> None:
    scratch = f"{name}.scratch".encode()
    files = [file for file in (ours / name).rglob("*") if file.is_file()]
    assert [file.name for file in files if scratch in file.read_bytes()] == []


def _layout(module_path: Path) -> list[str]:
    """The files of a module, but for the names of assets."""
    files = (file.relative_to(module_path) for file in module_path.rglob("*") if file.is_file())
    return sorted("an asset" if file.parts[0] == "assets" else str(file) for file in files)


def test_layout(ours: Path, name: str) -> None:
    assert _layout(ours / name) == _layout(THEIRS / name)


def test_format_file(ours: Path, name: str) -> None:
    assert (ours / name / "tfhub_module.pb").read_bytes() == b"\x08\x03"


def test_assets_with_one_base_name_both_survive(tmp_path: Path) -> None:
    make_golden.write(hub, tf, "twin_assets", tmp_path)
    texts = sorted(path.read_text() for path in (tmp_path / "twin_assets/assets").iterdir())
    assert texts == ["red\ngreen\nblue\n", "sun\nred\nsirius\nvega\n"]


def test_a_module_loads_from_where_it_was_moved(tmp_path: Path) -> None:
    make_golden.write(hub, tf, "vocabulary", tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    with hub.eval_function_for_module(str(tmp_path / "new" / "vocabulary")) as evaluate:
        rows = evaluate(["mat", "the"])
    _, recorded = recordings.load_call(THEIRS / "vocabulary__notags__default.npz")
    assert values.difference(rows, recorded["default"][[2, 3]]) == ""


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
