"""Tests of hubmodule.hosting.search_index."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.search_index import make_search_index
from tests.hosting.samples import add_golden, make_sample_hub


def test_texts_of_the_newest_versions(tmp_path: Path) -> None:
    hub = make_sample_hub(tmp_path)
    found = make_search_index(hub, hub.read_index())
    assert found["schema"] == 1
    assert {"acme/sentences", "acme/photos", "lab/lookup"} <= found["texts"].keys()
    words = found["texts"]["acme/sentences"].split()
    # The names and types of inputs and outputs, once each, and the README.
    assert words[:3] == ["default", "string", "float32"]
    assert "**classifiers**." in words


def test_long_texts_are_cut_off(tmp_path: Path) -> None:
    hub = HubDirectory(tmp_path)
    add_golden(hub, "acme/x/1", "image", "word " * 10_000)
    (text,) = make_search_index(hub, hub.make_index())["texts"].values()
    assert len(text) == 4000


def test_damaged_facts(tmp_path: Path) -> None:
    hub = HubDirectory(tmp_path)
    directory = add_golden(hub, "acme/x/1", "image", "What it is.")
    index = hub.make_index()
    (Path(directory) / "facts.json").write_text("{")
    assert make_search_index(hub, index)["texts"] == {"acme/x": ""}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
