"""Tests of hubmodule.auditing.module_files."""

from __future__ import annotations

import pathlib
import sys

import pytest

from hubmodule.auditing.module_files import ModuleFiles


@pytest.fixture
def module(tmp_path: pathlib.Path) -> pathlib.Path:
    """The directory of a module with an asset, a link to a file outside, and one to a folder."""
    directory = tmp_path / "module"
    (directory / "assets").mkdir(parents=True)
    (directory / "saved_model.pb").touch()
    (directory / "assets" / "v.txt").touch()
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    (directory / "assets" / "link.txt").symlink_to(tmp_path / "outside" / "secret")
    (directory / "assets" / "folder").symlink_to(tmp_path / "outside" / "deep")
    return directory


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("assets/v.txt", True),
        ("assets/../assets/v.txt", True),
        ("assets/missing.txt", True),
        ("assets/link.txt", False),
        ("assets/folder/x", False),
        ("assets/folder/../v.txt", False),
        ("../outside/secret", False),
        ("", False),
        ("\0", False),
    ],
)
def test_files_of_the_module(module: pathlib.Path, path: str, expected: bool) -> None:
    assert ModuleFiles(str(module)).has_path(f"{module}/{path}" if path else "") is expected


def test_the_module_itself_may_be_behind_a_link(module: pathlib.Path) -> None:
    link = module.parent / "link"
    link.symlink_to(module)
    assert ModuleFiles(str(link)).has_path(f"{link}/assets/v.txt")
    assert ModuleFiles(str(link)).has_path(f"{module}/assets/v.txt")


def test_a_cache_may_keep_all_files_in_another_folder(tmp_path: pathlib.Path) -> None:
    blobs, module = tmp_path / "blobs", tmp_path / "snapshots" / "1"
    blobs.mkdir()
    (module / "assets").mkdir(parents=True)
    for name, blob in (("saved_model.pb", "a1"), ("assets/v.txt", "b2")):
        (blobs / blob).touch()
        (module / name).symlink_to(blobs / blob)
    (module / "assets" / "w.txt").symlink_to(tmp_path / "secret")
    files = ModuleFiles(str(module))
    assert files.find_target(f"{module}/assets/v.txt") == ""
    assert files.find_target(f"{module}/assets/w.txt") == str((tmp_path / "secret").resolve())


def test_a_graph_that_is_linked_from_above_makes_nothing_there_its_own(
    module: pathlib.Path,
) -> None:
    (module / "saved_model.pb").rename(module.parent / "saved_model.pb")
    (module / "saved_model.pb").symlink_to("../saved_model.pb")
    assert not ModuleFiles(str(module)).has_path(f"{module.parent}/outside/secret")


def test_a_link_without_a_target_makes_no_folder_the_modules_own(
    module: pathlib.Path,
) -> None:
    blobs = module.parent / "blobs"
    blobs.mkdir()
    (module / "saved_model.pb").unlink()
    (module / "saved_model.pb").symlink_to(blobs / "missing")
    (module / "saved_model.pbtxt").touch()
    assert not ModuleFiles(str(module)).has_path(f"{blobs}/secret")


def test_a_linked_graph_makes_no_other_folder_the_modules_own(module: pathlib.Path) -> None:
    outside = module.parent / "outside"
    (module / "saved_model.pb").rename(outside / "saved_model.pb")
    (module / "saved_model.pb").symlink_to(outside / "saved_model.pb")
    assert not ModuleFiles(str(module)).has_path(f"{outside}/secret")


def test_a_module_may_consist_of_links_to_another_directory(tmp_path: pathlib.Path) -> None:
    origin, module = tmp_path / "origin", tmp_path / "module"
    for directory in (origin, module):
        (directory / "assets").mkdir(parents=True)
    for name in ("saved_model.pb", "assets/v.txt", "secret"):
        (origin / name).touch()
        (module / name).symlink_to(origin / name)
    (module / "assets" / "w.txt").symlink_to(origin / "secret")
    files = ModuleFiles(str(module))
    assert files.find_target(f"{module}/assets/v.txt") == ""
    assert files.find_target(f"{module}/assets/w.txt") == str((origin / "secret").resolve())
    assert not files.has_path(f"{origin}/assets/v.txt")


def test_a_link_in_a_folder_that_is_a_link(tmp_path: pathlib.Path) -> None:
    origin, module = tmp_path / "origin", tmp_path / "module"
    (origin / "assets").mkdir(parents=True)
    module.mkdir()
    (origin / "saved_model.pb").touch()
    (origin / "assets" / "ck.index").symlink_to(tmp_path / "secret")
    for name in ("saved_model.pb", "assets"):
        (module / name).symlink_to(origin / name)
    files = ModuleFiles(str(module))
    assert files.find_target(f"{module}/assets/v.txt") == ""
    assert files.find_target(f"{module}/assets/ck") == str((tmp_path / "secret").resolve())


def test_relative_paths_are_not_of_the_module(
    module: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(module)
    assert not ModuleFiles(".").has_path("assets/v.txt")
    assert ModuleFiles(".").find_target("./assets/v.txt") == ""
    assert ModuleFiles(".").has_path(f"{module}/assets/v.txt")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("assets/link", "outside/secret"),  # a prefix, as checkpoints have
        ("assets", "outside"),
        ("[a]ssets/v.txt", "outside"),
        ("assets/v", ""),
    ],
)
def test_links_that_a_prefix_or_pattern_may_be(
    module: pathlib.Path, path: str, expected: str
) -> None:
    target = ModuleFiles(str(module)).find_target(f"{module}/{path}")
    assert target.startswith(str(module.parent / expected)) if expected else target == ""


@pytest.mark.parametrize(
    ("path", "expected"),
    [("gs://b/m/v", True), ("gs://b/m/../v", False), ("gs://b/mother/v", False), ("/m/v", False)],
)
def test_remote_files(path: str, expected: bool) -> None:
    assert ModuleFiles("gs://b/m").has_path(path) is expected


def test_a_local_module_has_no_remote_files() -> None:
    assert not ModuleFiles("/m").has_path("file:///m/v.txt")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
