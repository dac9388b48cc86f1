"""Tests of hubmodule.hosting.hub_index."""

from __future__ import annotations

import pathlib
import sys

import pytest

from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.hub_index import HubIndex
from tests.hosting.hubs import add_version


class CountingHub(HubDirectory):
    """Counts how often the index is read."""

    reads = 0

    def read_index(self):
        self.reads += 1
        return super().read_index()


def test_an_index_is_read_again_when_it_changes(tmp_path: pathlib.Path) -> None:
    hub = CountingHub(tmp_path)
    hub.rebuild_index()
    index = HubIndex(hub, clock=lambda: 0.0)
    first = index.read()
    assert index.read() is first
    assert hub.reads == 1
    add_version(hub, "a/b/1")
    hub.rebuild_index()
    second = index.read()
    assert (second.number, len(second.content["modules"])) == (first.number + 1, 1)
    assert index.read() is second


@pytest.mark.parametrize("place", ["local", "ram"])
def test_an_index_that_does_not_tell_when_it_changes(tmp_path: pathlib.Path, place: str) -> None:
    hub = CountingHub(tmp_path if place == "local" else f"ram://{tmp_path.name}-index")
    now = 0.0
    index = HubIndex(hub, clock=lambda: now)
    first = index.read()
    add_version(hub, "a/b/1")
    now = 9.9
    assert index.read() is first
    now = 10.0
    assert len(index.read().content["modules"]) == 1
    assert hub.reads == 2


def test_an_index_that_comes_and_goes(tmp_path: pathlib.Path) -> None:
    hub = CountingHub(tmp_path)
    index = HubIndex(hub, clock=lambda: 0.0)
    index.read()
    hub.rebuild_index()
    index.read()
    (tmp_path / "index.json").unlink()
    index.read()
    assert hub.reads == 3


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
