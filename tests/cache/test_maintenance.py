"""Looking at a cache, checking it, and making room in it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from hubmodule._plain_errors import CacheError
from hubmodule.cache import maintenance
from hubmodule.cache.cache import Cache, EntryState
from hubmodule.cache.manifest import FileRecord, Manifest
from hubmodule.handles import make_cache_key

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
FETCHED = "2026-01-31T12:00:00+00:00"
NOW = 1769860800.0 + 100 * 24 * 3600
DAY = 24 * 3600.0


@pytest.fixture
def cache(tmp_path: pathlib.Path) -> Cache:
    cache = Cache(str(tmp_path / "cache"))
    cache.prepare()
    return cache


def add(cache: Cache, handle: str, unused_days: float = 0.0, padding: int = 0) -> str:
    """Puts a module of 3 bytes and some padding into a cache."""
    key = make_cache_key(handle)
    files = (
        FileRecord("saved_model.pb", 3, ABC),
        FileRecord("assets/padding", padding, None if padding else ABC),
    )
    files = files if padding else files[:1]
    with cache.make_temporary_directory(key) as folder:
        for file, content in zip(files, (b"abc", bytes(padding)), strict=False):
            with cache.file_system.open_new(f"{folder}/{file.path}") as out:
                out.write(content)
        cache.publish(key, folder, Manifest(handle, FETCHED, files))
    then = NOW - unused_days * DAY
    os.utime(os.path.join(cache.root, f"{key}.manifest.json"), (then, then))
    return key


def modules(cache: Cache) -> list[maintenance.CachedModule]:
    return maintenance.list_modules(cache, clock=lambda: NOW)


def prune(cache: Cache, **arguments: object) -> tuple[list[str | None], list[str | None]]:
    pruned = maintenance.prune(cache, clock=lambda: NOW, **arguments)
    removed, in_use = pruned.removed, pruned.in_use
    return [module.handle for module in removed], [module.handle for module in in_use]


def test_what_is_cached(cache: Cache) -> None:
    add(cache, "old", unused_days=9, padding=10)
    key = add(cache, "new", unused_days=1)
    new, old = modules(cache)
    assert new == maintenance.CachedModule(
        key, "new", cache.get_path(key), 3, 100 * DAY, 1 * DAY, EntryState.COMPLETE, ""
    )
    assert (old.handle, old.size, old.unused_seconds) == ("old", 13, 9 * DAY)
    assert old.state is EntryState.ADOPTED


def test_a_damaged_module_is_listed(cache: Cache) -> None:
    key = add(cache, "m")
    os.remove(os.path.join(cache.get_path(key), "saved_model.pb"))
    [module] = modules(cache)
    assert (module.state, module.detail, module.size) == (
        EntryState.DAMAGED,
        "saved_model.pb is missing",
        0,
    )


def test_an_unknown_module_is_listed(cache: Cache) -> None:
    folder = pathlib.Path(cache.get_path("ab" * 20))
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"12")
    os.utime(folder, (NOW - 5, NOW - 5))
    [module] = modules(cache)
    assert (module.handle, module.size, module.age_seconds) == (None, 2, 5.0)


def test_an_empty_cache(tmp_path: pathlib.Path) -> None:
    assert modules(Cache(str(tmp_path / "missing"))) == []


def verdict(cache: Cache) -> maintenance.Verdict:
    [module] = modules(cache)
    return maintenance.verify(cache, module)


def test_nothing_is_wrong(cache: Cache) -> None:
    add(cache, "m")
    assert (verdict(cache).problems, verdict(cache).checked) == ({}, True)


def test_other_bytes_of_the_same_number(cache: Cache) -> None:
    path = pathlib.Path(cache.get_path(add(cache, "m")), "saved_model.pb")
    path.write_bytes(b"abd")
    assert cache.check_health(make_cache_key("m")).is_usable
    assert verdict(cache).problems == {
        "saved_model.pb": "saved_model.pb has other bytes than when it was fetched"
    }


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "saved_model.pb is missing"),
        (b"ab", "saved_model.pb has 2 bytes instead of 3"),
    ],
)
def test_a_file_that_is_gone_or_cut(cache: Cache, content: bytes | None, problem: str) -> None:
    path = pathlib.Path(cache.get_path(add(cache, "m")), "saved_model.pb")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert verdict(cache).problems == {"saved_model.pb": problem}


def test_digests_that_nobody_knows(cache: Cache) -> None:
    add(cache, "m", padding=5)
    assert (verdict(cache).problems, verdict(cache).checked) == ({}, False)


def test_no_manifest(cache: Cache) -> None:
    key = add(cache, "m")
    os.remove(os.path.join(cache.root, f"{key}.manifest.json"))
    assert (verdict(cache).problems, verdict(cache).checked) == ({}, False)
    os.remove(os.path.join(cache.get_path(key), "saved_model.pb"))
    assert verdict(cache).problems == {"": "saved_model.pb is missing"}


def test_the_next_use_sees_what_was_condemned(cache: Cache) -> None:
    path = pathlib.Path(cache.get_path(add(cache, "m")), "saved_model.pb")
    path.write_bytes(b"abd")
    maintenance.delete_damaged(cache, verdict(cache))
    assert cache.check_health(make_cache_key("m")).state is EntryState.DAMAGED


def test_what_was_not_used_for_long_goes(cache: Cache) -> None:
    for name, days in (("a", 1), ("b", 29), ("c", 31), ("d", 90)):
        add(cache, name, unused_days=days)
    assert prune(cache, older_than=30 * DAY) == (["d", "c"], [])
    assert [module.handle for module in modules(cache)] == ["a", "b"]


def test_what_was_not_used_for_longest_goes_until_the_rest_fits(cache: Cache) -> None:
    for name, days in (("a", 1), ("b", 2), ("c", 3), ("d", 4)):
        add(cache, name, unused_days=days, padding=97)
    assert prune(cache, max_size=250) == (["d", "c"], [])
    assert prune(cache, max_size=200) == ([], [])
    assert prune(cache, max_size=0) == (["b", "a"], [])


def test_both_limits(cache: Cache) -> None:
    for name, days in (("a", 1), ("b", 2), ("c", 40)):
        add(cache, name, unused_days=days, padding=97)
    assert prune(cache, older_than=30 * DAY, max_size=150) == (["c", "b"], [])


def test_nothing_of_what_goes_is_left(cache: Cache) -> None:
    add(cache, "m", unused_days=1)
    prune(cache, older_than=0.0)
    assert os.listdir(cache.root) == [".hubmodule"]
    for name in ("tmp", "used"):
        assert os.listdir(os.path.join(cache.root, ".hubmodule", name)) == []


def test_what_is_in_use_stays(cache: Cache) -> None:
    add(cache, "used", unused_days=50)
    add(cache, "idle", unused_days=40)
    cache.mark_used(make_cache_key("used"), "used")
    assert prune(cache, older_than=DAY) == (["idle"], ["used"])
    assert [module.handle for module in modules(cache)] == ["used"]


def test_a_dry_run_removes_nothing(cache: Cache) -> None:
    add(cache, "used", unused_days=50)
    add(cache, "idle", unused_days=40)
    cache.mark_used(make_cache_key("used"), "used")
    assert prune(cache, older_than=DAY, dry_run=True) == (["idle"], ["used"])
    assert len(modules(cache)) == 2


def test_what_ended_processes_left_goes_too(cache: Cache) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    import socket

    key = "ab" * 20
    root = pathlib.Path(cache.root)
    (root / f"{key}.lock").write_text(f"{socket.gethostname()}.{child.pid}.0a1b")
    (root / f"{key}.0a1b.tmp").mkdir()
    assert prune(cache, older_than=0.0) == ([], [])
    assert os.listdir(root) == [".hubmodule"]
    assert os.listdir(root / ".hubmodule" / "tmp") == []


def test_a_remote_cache_is_not_pruned() -> None:
    cache = Cache("ram://test_maintenance")
    with pytest.raises(CacheError) as caught:
        maintenance.prune(cache, older_than=0.0)
    assert str(caught.value) == (
        "The cache ram://test_maintenance is not on this machine, so it is not known which "
        "modules are in use. Remove directories there yourself, or set a life time on the bucket."
    )


def test_a_remote_cache_is_listed_and_verified(request: pytest.FixtureRequest) -> None:
    cache = Cache(f"ram://{request.node.name}")
    cache.prepare()
    key = make_cache_key("m")
    with cache.make_temporary_directory(key) as folder:
        with cache.file_system.open_new(f"{folder}/saved_model.pb") as file:
            file.write(b"abc")
        cache.publish(key, folder, Manifest("m", FETCHED, (FileRecord("saved_model.pb", 3, ABC),)))
    assert (verdict(cache).module.handle, verdict(cache).problems) == ("m", {})


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
