"""Tests of hubmodule.hosting.site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hubmodule.cache import locks
from hubmodule.errors import HandleNotFoundError, HubError
from hubmodule.file_systems import LocalFileSystem
from hubmodule.hosting import site
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.site import Site, write_site
from tests.hosting.hubs import add_version
from tests.hosting.parsed_html import Page
from tests.hosting.samples import add_golden, make_sample_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> HubDirectory:
    return make_sample_hub(tmp_path_factory.mktemp("hub"))


def list_files(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    }


def test_what_is_written(hub: HubDirectory, tmp_path: Path) -> None:
    out = tmp_path / "parent" / "out"
    assert write_site(hub, out) == Site(str(out), 5, 6)
    files = list_files(out)
    assert {
        "index.html",
        "index.json",
        "search.json",
        "site.json",
        "static/hub.css",
        "acme/sentences/1.html",
        "acme/sentences/2.html",
        "acme/sentences/2/module.tar.gz",
        "acme/sentences/2/accuracy.png",
    } <= files
    assert sum(name.endswith(".tar.gz") for name in files) == 6
    assert json.loads((out / "index.json").read_bytes()) == hub.read_index()
    assert "acme/sentences" in json.loads((out / "search.json").read_bytes())["texts"]
    assert os.listdir(tmp_path / "parent") == ["out"]


def test_every_relative_address_leads_to_a_file(hub: HubDirectory, tmp_path: Path) -> None:
    write_site(hub, tmp_path / "out")
    files = list_files(tmp_path / "out")
    pages = [name for name in files if name.endswith(".html")]
    assert len(pages) == 7
    for name in pages:
        addresses = Page((tmp_path / "out" / name).read_text(encoding="utf-8")).get_addresses()
        for address in map(str, addresses):
            path = address.partition("#")[0]
            if path and "://" not in path:
                assert os.path.normpath(os.path.join(os.path.dirname(name), path)) in files


def test_local_archives_are_linked(hub: HubDirectory, tmp_path: Path) -> None:
    write_site(hub, tmp_path / "out")
    archive = "acme/sentences/2/module.tar.gz"
    assert (tmp_path / "out" / archive).samefile(Path(hub.path) / archive)


def test_archives_are_copied_where_links_are_impossible(
    hub: HubDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    write_site(hub, tmp_path / "out")
    archive = "acme/sentences/2/module.tar.gz"
    copy = tmp_path / "out" / archive
    assert not copy.samefile(Path(hub.path) / archive)
    assert copy.read_bytes() == b"acme/sentences/2"


def test_replaces_a_site(hub: HubDirectory, tmp_path: Path) -> None:
    small = HubDirectory(tmp_path / "small")
    add_golden(small, "acme/x/1", "image")
    write_site(hub, tmp_path / "out")
    assert write_site(small, tmp_path / "out").versions == 1
    assert "acme/x/1.html" in list_files(tmp_path / "out")
    assert "acme/sentences/2.html" not in list_files(tmp_path / "out")
    assert {*os.listdir(tmp_path)} == {"small", "out"}


def test_a_link_stays(hub: HubDirectory, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    for _ in range(2):
        assert write_site(hub, tmp_path / "link").path == str(tmp_path / "data")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "data" / "index.html").is_file()
    assert {*os.listdir(tmp_path)} == {"data", "link"}


@pytest.mark.parametrize("step", ["_write_version", "render_front_page", "make_search_index"])
def test_a_failure_leaves_what_was_there(
    hub: HubDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    out = tmp_path / "out"
    write_site(hub, out)
    before = {name: (out / name).stat().st_mtime_ns for name in list_files(out)}

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(site, step, fail)
    with pytest.raises(HubError, match=r"cannot be written: .*No space left") as caught:
        write_site(hub, out)
    assert isinstance(caught.value, OSError)
    assert {name: (out / name).stat().st_mtime_ns for name in list_files(out)} == before
    assert os.listdir(tmp_path) == ["out"]


def test_a_site_that_cannot_be_moved_to_its_place(
    hub: HubDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_site(hub, out)
    before = {name: (out / name).stat().st_mtime_ns for name in list_files(out)}
    move = LocalFileSystem.move_directory

    def refuse(self: LocalFileSystem, source: str, target: str, markers: object) -> bool:
        if source.endswith("/new"):
            raise OSError(5, "Input/output error")
        return move(self, source, target, markers)

    monkeypatch.setattr(LocalFileSystem, "move_directory", refuse)
    with pytest.raises(HubError, match="Input/output error"):
        write_site(hub, out)
    assert {name: (out / name).stat().st_mtime_ns for name in list_files(out)} == before
    assert os.listdir(tmp_path) == ["out"]


def test_other_directories_are_not_replaced(hub: HubDirectory, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"x")
    with pytest.raises(HubError, match="has other files than a site"):
        write_site(hub, tmp_path / "photos")
    with pytest.raises(HubError, match="is a file, not a directory"):
        write_site(hub, tmp_path / "photos" / "cat.png")
    assert list_files(tmp_path) == {"photos/cat.png"}


@pytest.mark.parametrize("place", [".", "site", ".."])
def test_the_site_and_the_hub_are_apart(tmp_path: Path, place: str) -> None:
    hub = HubDirectory(tmp_path / "hubs" / "hub")
    add_version(hub, "acme/x/1")
    before = list_files(tmp_path)
    with pytest.raises(HubError, match="overlap"):
        write_site(hub, tmp_path / "hubs" / "hub" / place)
    assert list_files(tmp_path) == before


def test_an_empty_directory_is_filled(hub: HubDirectory, tmp_path: Path) -> None:
    write_site(hub, tmp_path)
    assert (tmp_path / "index.html").is_file()


def test_what_a_killed_process_left_is_removed(hub: HubDirectory, tmp_path: Path) -> None:
    host = locks.identify_host()
    abandoned, running = (tmp_path / f".site-{host}-{name}" for name in ("abandoned", "running"))
    for directory in (abandoned, running):
        (directory / "new").mkdir(parents=True)
    mark = locks.mark(str(running))
    try:
        write_site(hub, tmp_path / "out")
    finally:
        os.close(mark)
    assert sorted(path.name for path in tmp_path.glob(".site-*")) == [running.name]


def test_a_hub_that_does_not_exist(hub: HubDirectory, tmp_path: Path) -> None:
    write_site(hub, tmp_path / "out")
    before = list_files(tmp_path / "out")
    with pytest.raises(HandleNotFoundError, match=r"The hub .*/none does not exist"):
        write_site(HubDirectory(tmp_path / "none"), tmp_path / "out")
    assert list_files(tmp_path / "out") == before


def test_a_place_that_cannot_be_written(hub: HubDirectory, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HubError) as caught:
        write_site(hub, tmp_path / "file" / "out")
    path = tmp_path / "file" / "out"
    assert str(caught.value) == f"The site {path} cannot be written: File exists."


def test_an_empty_hub(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    assert write_site(HubDirectory(tmp_path / "hub"), tmp_path / "out").modules == 0
    assert "Nothing is published" in (tmp_path / "out" / "index.html").read_text()


def test_damaged_facts_do_not_stop_the_others(tmp_path: Path) -> None:
    hub = HubDirectory(tmp_path / "hub")
    add_golden(hub, "acme/good/1", "image")
    damaged = Path(add_golden(hub, "acme/bad/1", "image")) / "facts.json"
    damaged.write_text("{")
    assert write_site(hub, tmp_path / "out").versions == 2
    assert "facts of this version are damaged" in (
        tmp_path / "out" / "acme" / "bad" / "1.html"
    ).read_text(encoding="utf-8")


def test_a_version_without_an_archive_is_left_out(tmp_path: Path) -> None:
    hub = HubDirectory(tmp_path / "hub")
    add_golden(hub, "acme/good/1", "image")
    (Path(add_golden(hub, "acme/bad/1", "image")) / "module.tar.gz").unlink()
    assert write_site(hub, tmp_path / "out") == Site(str(tmp_path / "out"), 1, 1)


def test_the_address_of_the_site(hub: HubDirectory, tmp_path: Path) -> None:
    write_site(hub, tmp_path / "out", "https://example.com/modules")
    page = (tmp_path / "out" / "acme" / "photos" / "1.html").read_text(encoding="utf-8")
    assert "hub.load(&quot;https://example.com/modules/acme/photos/1&quot;)" in page


def test_another_file_system(tmp_path: Path) -> None:
    """Pages of a hub on a store, written to a store, twice."""
    import tensorflow as tf

    name = tmp_path.name
    add_version(f"ram://{name}/hub", "acme/x/1", archive=b"abc")
    hub = HubDirectory(f"ram://{name}/hub")
    out = f"ram://{name}/out"
    for _ in range(2):
        assert write_site(hub, out) == Site(out, 1, 1)
    with tf.io.gfile.GFile(f"{out}/acme/x/1/module.tar.gz", "rb") as file:
        assert file.read() == b"abc"
    assert "acme" in tf.io.gfile.listdir(out)


def test_needs_no_tensorflow(tmp_path: Path) -> None:
    add_version(HubDirectory(tmp_path / "hub"), "acme/x/1")
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from hubmodule.__main__ import main\n"
        f"sys.exit(main(['site', {str(tmp_path / 'hub')!r}, {str(tmp_path / 'out')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "acme" / "x" / "1.html").is_file()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
