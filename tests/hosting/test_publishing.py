"""Tests of hubmodule.hosting.publishing."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import re
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hubmodule._plain_errors import (
    HandleNotFoundError,
    HubError,
    HubModuleError,
    InvalidHandleError,
    PublishError,
    VersionTakenError,
)
from hubmodule.errors import NotAModuleError
from hubmodule.hosting import publish, publishing
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from hubmodule.resolver.archive import unpack
from tests.hosting.hubs import UncheckedModule
from tests.processes import run_python

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "made_by_tf215"
ENCODER = ModuleName("team", "encoder")


@pytest.fixture(params=["local", "ram"])
def hub(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> HubDirectory:
    """An empty hub."""
    if request.param == "local":
        return HubDirectory(tmp_path / "hub")
    return HubDirectory(f"ram://{tmp_path.name}-{request.node.name}")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes any directory for a module."""
    monkeypatch.setattr(
        publishing, "check_module", lambda directory, allow: UncheckedModule(directory)
    )


def make_module(folder: pathlib.Path, content: str) -> pathlib.Path:
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_text(content)
    return folder


@pytest.fixture
def modules(tmp_path: pathlib.Path, unchecked: None) -> tuple[pathlib.Path, pathlib.Path]:
    """Two directories with other content."""
    return make_module(tmp_path / "one", "1"), make_module(tmp_path / "two", "2")


def test_a_module(hub: HubDirectory, tmp_path: pathlib.Path) -> None:
    (tmp_path / "README.md").write_text("# Encoder\n\nEmbeds sentences. ![a](a.png)")
    (tmp_path / "a.png").write_bytes(b"picture")
    publication = publish(GOLDEN / "sentences", hub.path, "team/encoder", tmp_path / "README.md")
    assert (publication.handle, publication.is_new) == ("team/encoder/1", True)
    facts = hub.read_facts(ENCODER, 1)
    assert facts == publication.facts
    assert set(facts) == {"schema", "handle", "published", "archive", "facts", "audit", "readme"}
    assert (facts["schema"], facts["handle"], facts["readme"]) == (1, "team/encoder/1", True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", facts["published"])
    assert facts["facts"]["format"] == "TF1 Hub format"
    assert facts["audit"]["schema"] == 1
    archive = hub.file_system.read(hub.archive_path(ENCODER, 1))
    unpacked = tmp_path / "unpacked"
    unpack([archive], HubDirectory(tmp_path).file_system, str(unpacked), 100, 1 << 20)
    for path in (GOLDEN / "sentences").rglob("*"):
        if path.is_file():
            name = path.relative_to(GOLDEN / "sentences")
            assert (unpacked / name).read_bytes() == path.read_bytes()
    [module] = json.loads(hub.file_system.read(f"{hub.path}/index.json"))["modules"]
    assert module["versions"][0]["summary"] == "Embeds sentences."
    assert {*hub.file_system.list_sizes(hub.path)} == {
        "index.json",
        *(
            f"team/encoder/1/{name}"
            for name in ("module.tar.gz", "facts.json", "README.md", "a.png")
        ),
    }


def test_nothing_of_the_publishers_machine_is_in_a_hub(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(GOLDEN)
    publish("vocabulary", tmp_path, "team/encoder")
    for name in ("facts.json", "../../../index.json"):
        text = (tmp_path / "team/encoder/1" / name).read_text()
        assert str(GOLDEN) not in text
        assert str(tmp_path) not in text
    facts = json.loads((tmp_path / "team/encoder/1/facts.json").read_text())
    for part in ("facts", "audit"):
        assert (facts[part]["handle"], facts[part]["path"]) == ("team/encoder/1", "")
    assert '"team/encoder/1"' in facts["facts"]["usage"][0]["code"]


def test_versions(hub: HubDirectory, modules: tuple[pathlib.Path, pathlib.Path]) -> None:
    one, two = modules
    done = [
        publish(directory, hub.path, name)
        for directory, name in (
            (one, "team/encoder"),
            (one, "team/encoder"),  # the same content again
            (two, "team/encoder"),
            (one, "team/encoder"),  # back to what version 1 has
            (two, "team/encoder/7"),
            (two, "team/encoder/7"),
            (one, "team/encoder"),
            (two, "team/encoder/5"),
        )
    ]
    assert [(publication.version, publication.is_new) for publication in done] == [
        (1, True),
        (1, False),
        (2, True),
        (3, True),
        (7, True),
        (7, False),
        (8, True),
        (5, True),
    ]
    assert hub.list_versions(ENCODER) == [1, 2, 3, 5, 7, 8]
    [module] = hub.read_index()["modules"]
    assert [entry["version"] for entry in module["versions"]] == [1, 2, 3, 5, 7, 8]


def test_the_same_content_changes_nothing(
    hub: HubDirectory, modules: tuple[pathlib.Path, pathlib.Path]
) -> None:
    publish(modules[0], hub.path, "team/encoder")
    before = hub.file_system.read(f"{hub.locate_version(ENCODER, 1)}/facts.json")
    again = publish(modules[0], hub.path, "team/encoder/1")
    assert hub.file_system.read(f"{hub.locate_version(ENCODER, 1)}/facts.json") == before
    assert again.facts == json.loads(before)


def test_other_content_under_a_taken_version(
    hub: HubDirectory, modules: tuple[pathlib.Path, pathlib.Path]
) -> None:
    publish(modules[0], hub.path, "team/encoder/3")
    with pytest.raises(VersionTakenError) as caught:
        publish(modules[1], hub.path, "team/encoder/3")
    assert isinstance(caught.value, HubModuleError)
    assert isinstance(caught.value, FileExistsError)
    assert str(caught.value) == (
        f"The hub {hub.path} has team/encoder/3 already, with other content. Versions do not "
        "change: publish as team/encoder to get version 4."
    )


def test_a_readme_is_part_of_the_content(
    hub: HubDirectory, modules: tuple[pathlib.Path, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    readme = tmp_path / "README.md"
    picture = tmp_path / "a.png"
    readme.write_text("Text ![a](a.png)")
    picture.write_bytes(b"1")
    versions = [publish(modules[0], hub.path, "team/encoder", readme).version]
    versions.append(publish(modules[0], hub.path, "team/encoder", readme).version)
    versions.append(publish(modules[0], hub.path, "team/encoder").version)
    picture.write_bytes(b"2")
    versions.append(publish(modules[0], hub.path, "team/encoder", readme).version)
    readme.write_text("Other text")
    versions.append(publish(modules[0], hub.path, "team/encoder", readme).version)
    assert versions == [1, 1, 1, 2, 3]
    with pytest.raises(VersionTakenError, match="has team/encoder/2 already, with another README"):
        publish(modules[0], hub.path, "team/encoder/2", readme)


def test_what_is_not_a_module(tmp_path: pathlib.Path) -> None:
    hub = tmp_path / "hub"
    outer = tmp_path / "outer"
    make_module(outer / "module", "")
    (tmp_path / "module.tar.gz").write_bytes(b"")
    for wrong, error, text in (
        (tmp_path / "none", HandleNotFoundError, "does not exist"),
        (outer, NotAModuleError, "A module lies deeper, in module: use that path."),
        (tmp_path / "module.tar.gz", PublishError, "is named like an archive. Publish the dir"),
        ("https://h/m/1", PublishError, "is an address. Publish the directory"),
        (GOLDEN / "sentences" / "saved_model.pb", NotAModuleError, "is a file"),
    ):
        with pytest.raises(error, match=re.escape(text)):
            publish(wrong, hub, "team/encoder")
    with pytest.raises(InvalidHandleError):
        publish(GOLDEN / "sentences", hub, "team/../x")
    assert not hub.exists()


def test_the_index_is_made_again_where_it_was_lost(
    hub: HubDirectory, modules: tuple[pathlib.Path, pathlib.Path]
) -> None:
    publish(modules[0], hub.path, "team/encoder")
    hub.file_system.remove(f"{hub.path}/index.json")
    publish(modules[0], hub.path, "team/encoder")
    assert hub.file_system.get_size(f"{hub.path}/index.json")


def test_publishers_at_the_same_time_get_different_versions(
    tmp_path: pathlib.Path, unchecked: None
) -> None:
    count = 6
    folders = [make_module(tmp_path / f"m{number}", str(number)) for number in range(count)]
    ready = threading.Barrier(count)

    def run(folder: pathlib.Path) -> int:
        ready.wait()
        return publish(folder, tmp_path / "hub", "team/encoder").version

    with ThreadPoolExecutor(count) as threads:
        versions = [*threads.map(run, folders)]
    assert sorted(versions) == [1, 2, 3, 4, 5, 6]
    hub = HubDirectory(tmp_path / "hub")
    for version in versions:
        assert hub.read_facts(ENCODER, version)["handle"] == f"team/encoder/{version}"
    [module] = hub.read_index()["modules"]
    assert [entry["version"] for entry in module["versions"]] == [1, 2, 3, 4, 5, 6]


def test_publishers_of_one_version_at_the_same_time(
    tmp_path: pathlib.Path, modules: tuple[pathlib.Path, pathlib.Path]
) -> None:
    ready = threading.Barrier(4)

    def run(folder: pathlib.Path) -> str:
        ready.wait()
        try:
            return "new" if publish(folder, tmp_path / "hub", "team/encoder/1").is_new else "same"
        except VersionTakenError:
            return "taken"

    with ThreadPoolExecutor(4) as threads:
        results = [*threads.map(run, [*modules, *modules])]
    # One publisher wins; the one with the same content succeeds as well.
    assert sorted(results) == ["new", "same", "taken", "taken"]


def test_publishers_in_another_store(
    tmp_path: pathlib.Path,
    modules: tuple[pathlib.Path, pathlib.Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = HubDirectory(f"ram://{tmp_path.name}-busy")
    claim = f"{hub.locate_module(ENCODER)}/.claims/other"
    hub.file_system.write(claim, b"{}")
    monkeypatch.setattr("hubmodule.hosting.workspaces._LONGEST_PAUSE", 0)
    with pytest.raises(VersionTakenError, match="Another process publishes team/encoder"):
        publish(modules[0], hub.path, "team/encoder")
    hub.file_system.remove(claim)
    assert publish(modules[0], hub.path, "team/encoder").version == 1


def test_a_half_version_in_another_store_is_replaced(
    tmp_path: pathlib.Path, modules: tuple[pathlib.Path, pathlib.Path]
) -> None:
    hub = HubDirectory(f"ram://{tmp_path.name}-half")
    hub.file_system.make_directory(hub.locate_version(ENCODER, 1))
    hub.file_system.write(f"{hub.locate_version(ENCODER, 1)}/module.tar.gz", b"half")
    assert publish(modules[0], hub.path, "team/encoder").version == 1
    assert hub.file_system.read(hub.archive_path(ENCODER, 1)) != b"half"


def test_a_directory_that_is_in_the_way(
    tmp_path: pathlib.Path, modules: tuple[pathlib.Path, pathlib.Path]
) -> None:
    (tmp_path / "hub/team/encoder/1/notes").mkdir(parents=True)
    with pytest.raises(HubError, match=r"encoder/1 is in the way: it is not a version, as it has"):
        publish(modules[0], tmp_path / "hub", "team/encoder")


def test_a_damaged_version_does_not_stop_the_next_one(
    hub: HubDirectory, modules: tuple[pathlib.Path, pathlib.Path]
) -> None:
    publish(modules[0], hub.path, "team/encoder")
    hub.file_system.write(f"{hub.locate_version(ENCODER, 1)}/facts.json", b"{")
    assert publish(modules[0], hub.path, "team/encoder").version == 2
    with pytest.raises(HubError, match=r"encoder/1/facts\.json is damaged"):
        publish(modules[0], hub.path, "team/encoder/1")


def test_a_hub_in_the_module(modules: tuple[pathlib.Path, pathlib.Path]) -> None:
    for hub in (modules[0], modules[0] / "hub"):
        with pytest.raises(PublishError, match=f"The hub {hub} is in the module {modules[0]}"):
            publish(modules[0], hub, "team/encoder")
    assert publish(modules[0], f"{modules[0]}-hub", "team/encoder").is_new


def test_a_hub_on_gs_has_the_module_unpacked(
    tmp_path: pathlib.Path,
    modules: tuple[pathlib.Path, pathlib.Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "_READ_IN_PLACE", ("ram://",))
    hub = HubDirectory(f"ram://{tmp_path.name}-gs")
    publish(modules[0], hub.path, "team/encoder")
    path = hub.unpacked_path(ENCODER, 1)
    assert path == f"{hub.path}/team/encoder/1/module"
    assert hub.file_system.read(f"{path}/saved_model.pb") == b"1"


@pytest.mark.parametrize("function", ["mkdir", "rename", "replace", "fsync", "write"])
def test_a_disk_that_fills(
    tmp_path: pathlib.Path,
    modules: tuple[pathlib.Path, pathlib.Path],
    monkeypatch: pytest.MonkeyPatch,
    function: str,
) -> None:
    publish(modules[0], tmp_path / "hub", "team/encoder")
    hub = HubDirectory(tmp_path / "hub")
    before = hub.file_system.list_sizes(hub.path)

    def fail(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if function == "write":
            patch.setattr("hubmodule.hosting.packing.zlib.compressobj", fail)
        else:
            patch.setattr(os, function, fail)
        with pytest.raises(HubError) as caught:
            publish(modules[1], hub.path, "team/encoder")
    text = str(caught.value)
    assert text.startswith(f"The hub {hub.path} cannot be written: No space left on device. ")
    if function == "replace":  # of the index, which comes last
        assert "team/encoder/2 is published, but not yet in the index; check the free" in text
        assert hub.list_versions(ENCODER) == [1, 2]
    else:
        assert "Nothing was published; check the free space and the permissions, and" in text
        assert hub.file_system.list_sizes(hub.path) == before
    again = publish(modules[1], hub.path, "team/encoder")
    assert again.version == 2
    assert len(hub.read_index()["modules"][0]["versions"]) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
def test_a_publisher_that_is_killed_leaves_no_half_version(tmp_path: pathlib.Path) -> None:
    done = run_python("-m", "tests.hosting.killing", str(tmp_path), HUBMODULE_OFFLINE="")
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) > 15
    for result in results:
        assert result["after"]["whole"]
        assert result["after"]["versions"] in ([1], [1, 2])
        # The index is written last; until then, it lists what was there.
        assert result["after"]["index"] in ([1], result["after"]["versions"])
        assert (result["again"], result["versions"], result["index"]) == (2, [1, 2], [1, 2])
        assert result["left"] == []
    assert {len(result["after"]["versions"]) for result in results} == {1, 2}


def test_members_of_a_group_share_a_hub(
    tmp_path: pathlib.Path, modules: tuple[pathlib.Path, pathlib.Path]
) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub").chmod(0o770)
    previous = os.umask(0o077)
    try:
        publish(modules[0], tmp_path / "hub", "team/encoder")
    finally:
        os.umask(previous)
    for path in (tmp_path / "hub").rglob("*"):
        wanted = 0o070 if path.is_dir() else 0o060
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == wanted, path


def test_publish_needs_tensorflow_for_the_check_only() -> None:
    code = "import sys; import hubmodule.hosting; print('tensorflow' in sys.modules)"
    assert run_python("-c", code).stdout == "False\n"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
