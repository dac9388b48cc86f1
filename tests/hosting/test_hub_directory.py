"""Tests of hubmodule.hosting.hub_directory."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pathlib
import sys
from typing import Any

import pytest

from hubmodule._plain_errors import HandleNotFoundError, HubError
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from tests.hosting.hubs import add_version

ENCODER = ModuleName("team", "encoder")


@pytest.fixture(params=["local", "ram"])
def hub(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> HubDirectory:
    """An empty hub."""
    if request.param == "local":
        return HubDirectory(tmp_path / "hub")
    return HubDirectory(f"ram://{tmp_path.name}-{request.node.name}")


def test_an_empty_hub(hub: HubDirectory) -> None:
    assert hub.list_modules() == []
    assert hub.list_versions(ENCODER) == []
    assert hub.read_index() == {"schema": 1, "modules": []}


def test_lists(hub: HubDirectory) -> None:
    for handle in ("team/encoder/2", "team/encoder/10", "team/encoder2/7", "a/z/1"):
        add_version(hub, handle)
    # What is being written, is not a version, or has no facts.
    add_version(hub, "team/encoder/.tmp-1")
    add_version(hub, "team/encoder/latest")
    add_version(hub, ".trash/x/1")
    hub.file_system.make_directory(f"{hub.path}/team/empty/1")
    assert hub.list_modules() == [ModuleName("a", "z"), ENCODER, ModuleName("team", "encoder2")]
    assert hub.list_versions(ENCODER) == [2, 10]
    assert hub.has_version(ENCODER, 10)
    assert not hub.has_version(ENCODER, 1)


def test_reads_a_version(hub: HubDirectory) -> None:
    add_version(hub, "team/encoder/1", b"content", "# Über\n")
    assert hub.read_facts(ENCODER, 1)["archive"]["bytes"] == 7
    assert hub.read_readme(ENCODER, 1) == "# Über\n"
    assert hub.file_system.read(hub.archive_path(ENCODER, 1)) == b"content"
    assert hub.unpacked_path(ENCODER, 1) is None
    add_version(hub, "team/encoder/2")
    assert hub.read_readme(ENCODER, 2) is None


def test_a_missing_version(hub: HubDirectory) -> None:
    add_version(hub, "team/encoder/1")
    add_version(hub, "team/encoder/3")
    for read in (hub.read_facts, hub.read_readme, hub.archive_path):
        with pytest.raises(HandleNotFoundError) as caught:
            read(ENCODER, 2)
        assert str(caught.value) == (
            f"The hub {hub.path} has no facts.json of team/encoder/2. Check the name; the versions "
            "of team/encoder are 1, 3."
        )
    with pytest.raises(HandleNotFoundError, match="there is no team/other"):
        hub.read_facts(ModuleName("team", "other"), 1)


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"schema": 2}', b"\xff", b"[" * 10**5])
def test_damaged_facts(hub: HubDirectory, content: bytes) -> None:
    directory = add_version(hub, "team/encoder/1")
    hub.file_system.write(f"{directory}/facts.json", content)
    with pytest.raises(HubError, match=r"facts\.json is damaged, or written by a newer hubmodule"):
        hub.read_facts(ENCODER, 1)


def test_the_index(hub: HubDirectory) -> None:
    add_version(
        hub,
        "team/encoder/1",
        readme="# Encoder\n\nEmbeds sentences. More.",
        levels=("low", "medium"),
        signatures=("tokens", "default"),
    )
    add_version(hub, "team/encoder/2", b"two")
    hub.rebuild_index()
    index = json.loads(hub.file_system.read(f"{hub.path}/index.json"))
    first: dict[str, Any] = {
        "version": 1,
        "published": "2026-01-31T12:00:00+00:00",
        "bytes": 7,
        "sha256": hashlib.sha256(b"archive").hexdigest(),
        "format": "TF1 Hub format",
        "signatures": ["default", "tokens"],
        "conformance": ["text feature vector"],
        "findings": "medium",
        "summary": "Embeds sentences.",
    }
    [module] = index["modules"]
    assert (module["publisher"], module["name"]) == ("team", "encoder")
    assert module["versions"][0] == first
    assert (module["versions"][1]["findings"], module["versions"][1]["summary"]) == (None, "")
    assert hub.read_index() == index
    assert hub.file_system.list_names(hub.path) == ["index.json", "team"]


def test_a_lost_or_damaged_index_is_made_again(hub: HubDirectory) -> None:
    add_version(hub, "team/encoder/1")
    hub.rebuild_index()
    index = hub.read_index()
    hub.file_system.write(f"{hub.path}/index.json", b"{ half")
    assert hub.read_index() == index
    hub.file_system.remove(f"{hub.path}/index.json")
    assert hub.read_index() == index
    # Reading writes nothing.
    assert not hub.file_system.exists(f"{hub.path}/index.json")


def test_the_index_leaves_out_damaged_versions(hub: HubDirectory) -> None:
    for handle, content in (("a/b/1", b"{"), ("a/c/1", b'{"schema": 1}')):
        hub.file_system.write(f"{add_version(hub, handle)}/facts.json", content)
    add_version(hub, "a/d/1")
    assert [module["name"] for module in hub.make_index()["modules"]] == ["d"]


def test_the_index_is_written_again_if_a_version_came_meanwhile(
    hub: HubDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_version(hub, "a/b/1")
    make_index = hub.make_index
    made = []

    def make_and_add() -> dict[str, Any]:
        index = make_index()
        made.append(index)
        if len(made) == 1:  # another process publishes, and writes its index before this one
            add_version(hub, "a/b/2")
        return index

    monkeypatch.setattr(hub, "make_index", make_and_add)
    hub.rebuild_index()
    assert [entry["version"] for entry in hub.read_index()["modules"][0]["versions"]] == [1, 2]
    assert len(made) == 2


def test_an_index_that_cannot_be_written_leaves_the_old_one(
    hub: HubDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_version(hub, "a/b/1")
    hub.rebuild_index()
    before = hub.file_system.read(f"{hub.path}/index.json")
    add_version(hub, "a/b/2")

    def fail(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub.file_system, "replace_file", fail)
    with pytest.raises(OSError, match="No space left"):
        hub.rebuild_index()
    assert hub.file_system.read(f"{hub.path}/index.json") == before
    assert hub.file_system.list_names(hub.path) == ["a", "index.json"]


def test_links_out_of_the_hub_are_not_followed(tmp_path: pathlib.Path) -> None:
    hub = HubDirectory(tmp_path / "hub")
    outside = pathlib.Path(add_version(str(tmp_path / "outside"), "x/y/1"))
    directory = pathlib.Path(add_version(hub, "team/encoder/1", readme="Text"))
    for name in ("module.tar.gz", "README.md"):
        (directory / name).unlink()
        (directory / name).symlink_to(outside / "facts.json")
    with pytest.raises(HandleNotFoundError, match=r"no module\.tar\.gz of team/encoder/1"):
        hub.archive_path(ENCODER, 1)
    assert hub.read_readme(ENCODER, 1) is None
    (tmp_path / "hub/team/encoder/2").symlink_to(outside)
    (tmp_path / "hub/other").symlink_to(tmp_path / "outside/x")
    (tmp_path / "hub/index.json").symlink_to(outside / "facts.json")
    assert hub.list_versions(ENCODER) == [1]
    assert hub.list_modules() == [ENCODER]
    assert hub.read_index()["modules"][0]["name"] == "encoder"


def test_links_within_the_hub_and_to_it_are_followed(tmp_path: pathlib.Path) -> None:
    add_version(str(tmp_path / "disk"), "team/encoder/1")
    (tmp_path / "disk/team/alias").symlink_to("encoder")
    (tmp_path / "hub").symlink_to("disk")
    hub = HubDirectory(tmp_path / "hub")
    assert hub.list_modules() == [ModuleName("team", "alias"), ENCODER]


def test_the_fingerprint_of_the_index_changes_with_it(tmp_path: pathlib.Path) -> None:
    hub = HubDirectory(tmp_path)
    assert hub.get_index_fingerprint() == ""
    hub.rebuild_index()
    before = hub.get_index_fingerprint()
    os.utime(tmp_path / "index.json", ns=(1, 1))
    assert before != hub.get_index_fingerprint() != ""


def test_a_hub_that_cannot_be_read(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = HubDirectory(tmp_path)
    hub.check_readable()

    def refuse(path: str) -> list[str]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "listdir", refuse)  # root may read everything
    with pytest.raises(HubError, match=f"^The hub {tmp_path} cannot be read: Permission denied"):
        hub.check_readable()


def test_a_hub_that_is_not_there(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HandleNotFoundError, match="does not exist"):
        HubDirectory(tmp_path / "none").check_readable()


def test_an_empty_path() -> None:
    with pytest.raises(HubError, match=r"^The path of the hub is empty; give that of a directory"):
        HubDirectory("")


def test_file_addresses(tmp_path: pathlib.Path) -> None:
    add_version(str(tmp_path), "a/b/1")
    assert HubDirectory(f"file://{tmp_path}").list_versions(ModuleName("a", "b")) == [1]


def test_needs_no_tensorflow(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_version(str(tmp_path), "a/b/1", readme="Text.")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    hub = HubDirectory(tmp_path)
    hub.rebuild_index()
    assert hub.read_index()["modules"][0]["versions"][0]["summary"] == "Text."


def test_pictures(tmp_path: pathlib.Path) -> None:
    hub = HubDirectory(tmp_path / "hub")
    directory = pathlib.Path(add_version(hub, "acme/x/1"))
    for name in ("a.png", "p/b.WEBP", "vector.svg", "module/assets/c.png"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).touch()
    (tmp_path / "secret.png").touch()
    (directory / "link.png").symlink_to(tmp_path / "secret.png")
    name = ModuleName("acme", "x")
    assert {*hub.list_pictures(name, 1)} == {"a.png", "p/b.WEBP"}
    assert hub.picture_path(name, 1, "p/b.WEBP") == str(directory / "p" / "b.WEBP")
    for path in ("none.png", "facts.json", "../1/a.png", "/a.png", "link.png", "vector.svg", ""):
        assert hub.picture_path(name, 1, path) is None


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
