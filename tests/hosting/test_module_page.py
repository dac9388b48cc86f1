"""Tests of hubmodule.hosting.module_page."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hubmodule.errors import HandleNotFoundError
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.module_page import ModulePage, gather_module_page
from hubmodule.hosting.names import ModuleName
from tests.hosting.samples import add_golden, make_sample_hub

SENTENCES = ModuleName("acme", "sentences")
URL = "https://hub.example.com/base/"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> HubDirectory:
    return make_sample_hub(tmp_path_factory.mktemp("hub"))


def gather(hub: HubDirectory, version: int, name: ModuleName = SENTENCES) -> ModulePage:
    return gather_module_page(hub, name, version, URL)


def test_code_to_paste_has_the_handle(hub: HubDirectory) -> None:
    page = gather(hub, 2)
    assert page.handle == "https://hub.example.com/base/acme/sentences/2"
    assert [usage.way for usage in page.usages] == [
        "graph mode",
        "Estimator column",
        "Keras",
        "load",
    ]
    assert all(page.handle in usage.code for usage in page.usages)


def test_the_readme(hub: HubDirectory) -> None:
    page = gather(hub, 2)
    assert page.summary == "Embeds sentences of reviews as vectors for classifiers."
    assert 'src="2/accuracy.png"' in (page.readme or "")
    assert gather(hub, 1).readme is None


def test_neighbours(hub: HubDirectory) -> None:
    first, second = gather(hub, 1), gather(hub, 2)
    assert first.versions == second.versions == [2, 1]
    assert first.step is None
    assert first.successor is not None
    assert (first.successor.version, first.successor.incompatible) == (2, ())
    assert second.successor is None
    assert second.step is not None
    assert second.step.before == 1
    assert second.step.differences is not None
    assert second.step.differences.assets.removed == ("vocabulary.txt",)


def test_a_successor_that_is_not_compatible(tmp_path: Path) -> None:
    hub = HubDirectory(tmp_path)
    add_golden(hub, "acme/x/1", "image")
    add_golden(hub, "acme/x/5", "sentences")
    page = gather(hub, 1, ModuleName("acme", "x"))
    assert page.successor is not None
    assert "There is no signature 'image_feature_vector'." in (page.successor.incompatible or ())


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 9}', '{"schema": 1}', "\udcff"])
def test_damaged_facts(tmp_path: Path, content: str) -> None:
    hub = HubDirectory(tmp_path)
    for version in (1, 2, 3):
        directory = add_golden(hub, f"acme/x/{version}", "image", readme="What it is.")
    damaged = Path(directory).parent / "2" / "facts.json"
    damaged.write_bytes(content.encode("utf-8", "surrogateescape"))
    name = ModuleName("acme", "x")
    page = gather(hub, 2, name)
    assert page.record is None
    assert page.damage.startswith("Its facts")
    assert str(tmp_path) not in page.damage
    assert page.summary == "What it is."
    assert page.usages == ()
    assert page.successor is not None
    assert page.successor.incompatible is None
    after = gather(hub, 3, name)
    assert after.record is not None
    assert after.step is not None
    assert after.step.differences is None


def test_facts_of_another_kind(tmp_path: Path) -> None:
    hub = HubDirectory(tmp_path)
    directory = add_golden(hub, "acme/x/1", "image")
    file = Path(directory) / "facts.json"
    facts = json.loads(file.read_bytes())
    facts["facts"]["sizes"] = [1, 2]
    file.write_text(json.dumps(facts))
    page = gather(hub, 1, ModuleName("acme", "x"))
    assert page.damage == (
        "Its facts cannot be read: facts.json.facts.sizes is of type list, not dict."
    )


def test_a_neighbour_that_is_removed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = HubDirectory(tmp_path)
    add_golden(hub, "acme/x/2", "image")
    monkeypatch.setattr(hub, "list_versions", lambda name: [1, 2, 3])
    page = gather(hub, 2, ModuleName("acme", "x"))
    assert page.step is not None
    assert page.step.differences is None
    assert page.successor is not None
    assert page.successor.incompatible is None


def test_what_is_not_there(hub: HubDirectory) -> None:
    with pytest.raises(HandleNotFoundError):
        gather(hub, 7)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
