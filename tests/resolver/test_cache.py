"""The cache directory, piece by piece; test_faults kills processes in it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import stat
import sys

import pytest

from hubmodule._plain_errors import ArchiveRefusedError, CacheError
from hubmodule.resolver import manifest, owners
from hubmodule.resolver.cache import Cache, State
from hubmodule.resolver.manifest import FileRecord, Manifest

KEY = "ab" * 20
OTHER = "cd" * 20
HANDLE = "https://h/m"
MANIFEST = Manifest(
    HANDLE, "2026-01-31T12:00:00+00:00", (FileRecord("saved_model.pb", 3, "12" * 32),)
)


@pytest.fixture(params=["local", "ram"])
def cache(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Cache:
    """An empty cache on each kind of file system."""
    local = request.param == "local"
    cache = Cache(str(tmp_path / "cache") if local else f"ram://{request.node.name}")
    cache.prepare()
    return cache


@pytest.fixture
def local(tmp_path: pathlib.Path) -> Cache:
    cache = Cache(str(tmp_path / "cache"))
    cache.prepare()
    return cache


@pytest.fixture
def ram(request: pytest.FixtureRequest) -> Cache:
    cache = Cache(f"ram://{request.node.name}")
    cache.prepare()
    return cache


def publish(cache: Cache, key: str = KEY, manifest: Manifest = MANIFEST) -> None:
    with cache.new_folder(key) as folder:
        with cache.storage.create(f"{folder}/saved_model.pb") as file:
            file.write(memoryview(b"abc"))
        cache.publish(key, folder, manifest)


def cache_foreign(cache: Cache, name: str = "saved_model.pb") -> None:
    """Puts a module into a cache as another program does."""
    with cache.storage.create(f"{cache.folder(KEY)}/{name}") as file:
        file.write(memoryview(b"abc"))


def visible(cache: Cache) -> list[str]:
    return [name for name in cache.storage.names(cache.root) if name != ".hubmodule"]


def temporaries(cache: Cache) -> list[str]:
    return cache.storage.names(f"{cache.root}/.hubmodule/tmp")


@pytest.mark.parametrize("first", ["prepare", "use"])
def test_a_group_shares_all_of_a_cache(tmp_path: pathlib.Path, first: str) -> None:
    root = tmp_path / "shared"
    root.mkdir()
    root.chmod(0o2770)
    cache = Cache(str(root))
    cache_foreign(cache)
    if first == "prepare":
        cache.prepare()
    cache.use(KEY, HANDLE, 0)
    folders = [root / ".hubmodule", *(root / ".hubmodule").iterdir()]
    folders.append(root / ".hubmodule" / "uses" / KEY)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o2770}


def test_what_is_published_is_complete(cache: Cache) -> None:
    publish(cache)
    health = cache.health(KEY)
    assert (health.state, health.detail, health.manifest) == (State.COMPLETE, "", MANIFEST)
    assert health.usable
    assert cache.storage.files(cache.folder(KEY)) == {"saved_model.pb": 3}
    assert visible(cache) == [KEY, f"{KEY}.descriptor.txt", f"{KEY}.manifest.json"]
    assert temporaries(cache) == []
    assert cache.storage.names(f"{cache.root}/.hubmodule/incomplete") == []


def test_the_descriptor_is_as_tensorflow_hub_writes_it(cache: Cache) -> None:
    publish(cache)
    text = cache.storage.read(f"{cache.root}/{KEY}.descriptor.txt").decode()
    assert re.fullmatch(
        r"Module: https://h/m\nDownload Time: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\n"
        rf"Downloader Hostname: \S+ \(PID:{os.getpid()}\)",
        text,
    )


def test_what_is_not_there_is_missing(cache: Cache) -> None:
    assert cache.health(KEY).state is State.MISSING
    assert not cache.health(KEY).usable
    assert cache.handle(KEY) is None
    assert cache.all_keys() == []


def test_a_folder_that_is_not_published_goes(cache: Cache) -> None:
    with pytest.raises(KeyError), cache.new_folder(KEY):
        raise KeyError
    assert (visible(cache), temporaries(cache)) == ([], [])


def test_damage_is_seen(cache: Cache) -> None:
    publish(cache)
    cache.storage.remove(f"{cache.folder(KEY)}/saved_model.pb")
    health = cache.health(KEY)
    assert (health.state, health.detail) == (State.DAMAGED, "saved_model.pb is missing")
    assert not health.usable


def test_a_module_that_was_emptied_is_damaged(cache: Cache) -> None:
    publish(cache)
    cache.storage.remove(cache.folder(KEY))
    assert cache.health(KEY).state is State.DAMAGED


def test_damage_is_replaced(cache: Cache) -> None:
    publish(cache)
    cache.storage.remove(f"{cache.folder(KEY)}/saved_model.pb")
    with cache.storage.create(f"{cache.folder(KEY)}/other") as file:
        file.write(memoryview(b""))
    publish(cache)
    assert cache.health(KEY).state is State.COMPLETE
    assert cache.storage.files(cache.folder(KEY)) == {"saved_model.pb": 3}


def test_what_is_whole_is_not_replaced(cache: Cache) -> None:
    publish(cache)
    publish(cache, manifest=Manifest("slower", MANIFEST.fetched, MANIFEST.files))
    assert cache.handle(KEY) == HANDLE


def test_an_empty_folder_is_replaced(cache: Cache) -> None:
    cache.storage.make_folder(cache.folder(KEY))
    publish(cache)
    assert cache.health(KEY).state is State.COMPLETE


def test_what_can_neither_be_used_nor_replaced(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_foreign(local, "nothing of use")
    monkeypatch.setattr(local, "discard", lambda key: None)
    with pytest.raises(CacheError) as caught:
        publish(local)
    assert str(caught.value) == (
        f"{local.folder(KEY)} is damaged and cannot be replaced. Remove it, or choose another "
        "place. Choose a directory of your own:\n"
        "    export TFHUB_CACHE_DIR=$HOME/.cache/tfhub_modules"
    )


def test_what_another_program_cached_is_used(cache: Cache) -> None:
    cache_foreign(cache)
    assert cache.health(KEY).state is State.ADOPTED
    assert cache.health(KEY).usable


def test_what_another_program_cached_in_part_is_damaged(cache: Cache) -> None:
    cache_foreign(cache, "variables/variables.index")
    health = cache.health(KEY)
    assert (health.state, health.detail) == (State.DAMAGED, "saved_model.pb is missing")


def test_the_first_use_notes_what_another_program_cached(local: Cache) -> None:
    cache_foreign(local)
    assert local.use(KEY, HANDLE, 0).usable
    noted = local.manifest(KEY)
    assert noted is not None
    assert (noted.handle, noted.files) == (HANDLE, (FileRecord("saved_model.pb", 3, None),))
    assert local.health(KEY).state is State.ADOPTED
    assert temporaries(local) == []
    assert (local.storage.read(f"{local.root}/{KEY}.descriptor.txt")).startswith(b"Module: https")


def test_noting_does_not_replace_what_is_noted(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(local)
    # As for a process that looked before another one wrote the manifest.
    monkeypatch.setattr(local, "health", lambda key: local_health)
    local_health = Cache(local.root).health(OTHER).__class__(State.ADOPTED)
    local.use(KEY, "another", 0)
    assert local.manifest(KEY) == MANIFEST


def test_damage_to_what_another_program_cached_is_seen_from_then_on(local: Cache) -> None:
    cache_foreign(local)
    cache_foreign(local, "assets/words")
    local.use(KEY, HANDLE, 0)
    shutil.rmtree(f"{local.folder(KEY)}/assets")
    assert local.health(KEY).detail == "assets/words is missing"


def test_a_use_is_noted(local: Cache) -> None:
    publish(local)
    path = f"{local.root}/{KEY}.manifest.json"
    os.utime(path, (1, 1))
    assert local.last_use(KEY) == 1
    local.use(KEY, HANDLE, 0)
    assert local.last_use(KEY) > 1
    assert local.uses.is_used(KEY)


def test_the_last_use_of_what_has_no_manifest(local: Cache) -> None:
    cache_foreign(local)
    os.utime(local.folder(KEY), (7, 7))
    assert local.last_use(KEY) == 7
    assert local.last_use(OTHER) > 7


def test_a_cache_that_may_only_be_read_is_used(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_foreign(local)

    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError

    for name in ("makedirs", "mkdir", "open"):
        monkeypatch.setattr(os, name, refuse)
    assert local.use(KEY, HANDLE, 0).usable
    assert local.manifest(KEY) is None


def test_a_cache_that_is_not_there_stays_away(tmp_path: pathlib.Path) -> None:
    cache = Cache(str(tmp_path / "cache"))
    assert cache.use(KEY, HANDLE, 0).state is State.MISSING
    assert not (tmp_path / "cache").exists()


def test_the_handle_comes_from_the_descriptor_where_there_is_no_manifest(cache: Cache) -> None:
    cache_foreign(cache)
    assert cache.handle(KEY) is None
    cache.storage.write(f"{cache.root}/{KEY}.descriptor.txt", b"Module: https://h/x\nDownload")
    assert cache.handle(KEY) == "https://h/x"
    cache.storage.write(f"{cache.root}/{KEY}.descriptor.txt", b"something else")
    assert cache.handle(KEY) is None


@pytest.mark.parametrize("thing", ["file", "link", "loop"])
def test_what_is_no_directory_is_replaced(local: Cache, thing: str) -> None:
    path = local.folder(KEY)
    if thing == "file":
        pathlib.Path(path).touch()
    else:
        os.symlink(path if thing == "loop" else "/nowhere", path)
    assert local.health(KEY).detail == "it is no directory"
    publish(local)
    assert local.health(KEY).state is State.COMPLETE


@pytest.mark.parametrize("name", ["manifest.json", "descriptor.txt"])
def test_a_directory_at_the_place_of_a_file_beside_a_module(local: Cache, name: str) -> None:
    cache_foreign(local)
    os.makedirs(f"{local.folder(KEY)}.{name}/x")
    assert local.use(KEY, "h", 0).usable
    assert local.handle(KEY) in ("h", None)
    local.discard(KEY)
    os.makedirs(f"{local.folder(KEY)}.{name}/x")
    publish(local)
    assert local.health(KEY).state is State.COMPLETE


def test_a_pipe_is_no_file_of_a_module(local: Cache) -> None:
    os.makedirs(local.folder(KEY))
    os.mkfifo(f"{local.folder(KEY)}/saved_model.pb")
    assert local.health(KEY).detail == "saved_model.pb is missing"


def test_what_this_user_may_not_see_is_not_swept(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: str) -> list[str]:
        raise PermissionError(folder)

    publish(local)
    monkeypatch.setattr(local.storage, "names", refuse)
    local.sweep()
    assert local.health(KEY).usable


def test_a_manifest_that_this_user_may_not_read_is_none(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, path: str) -> bytes:
        raise PermissionError(path)

    publish(local)
    monkeypatch.setattr("hubmodule.resolver.storage.LocalStorage.read", refuse)
    assert local.health(KEY).state is State.ADOPTED


def test_all_keys(cache: Cache) -> None:
    publish(cache)
    cache.storage.write(f"{cache.root}/{OTHER}.manifest.json", b"")
    cache.storage.write(f"{cache.root}/{'ef' * 20}.lock", b"")
    cache.storage.write(f"{cache.root}/notes.txt", b"")
    assert cache.all_keys() == [KEY, OTHER]


def test_all_of_a_module_is_discarded(cache: Cache) -> None:
    publish(cache)
    cache.discard(KEY)
    cache.discard(OTHER)
    assert (visible(cache), temporaries(cache)) == ([], [])
    assert cache.storage.names(f"{cache.root}/.hubmodule/incomplete") == []


def test_a_manifest_that_cannot_be_read_is_none(cache: Cache) -> None:
    publish(cache)
    cache.storage.write(f"{cache.root}/{KEY}.manifest.json", b"{")
    assert cache.health(KEY).state is State.ADOPTED


def test_without_the_marker_a_module_that_moves_is_incomplete(ram: Cache) -> None:
    publish(ram)
    ram.storage.write(f"{ram.root}/.hubmodule/incomplete/{KEY}", b"")
    assert ram.health(KEY).state is State.COMPLETE
    ram.storage.remove(f"{ram.root}/{KEY}.manifest.json")
    health = ram.health(KEY)
    assert (health.state, health.detail) == (State.INCOMPLETE, "it was not moved here completely")
    assert not health.usable
    publish(ram)
    assert ram.health(KEY).state is State.COMPLETE


class Stopped(Exception):
    """Stands for the end of a process."""


@pytest.mark.parametrize("moment", range(40))
def test_a_remote_cache_is_never_half_there(
    ram: Cache, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    # A process that is killed does nothing more; ram:// ends with it, so one is played here.
    publish(ram)
    ram.storage.remove(f"{ram.folder(KEY)}/saved_model.pb")
    with ram.storage.create(f"{ram.folder(KEY)}/stale") as file:
        file.write(memoryview(b""))
    left = [moment]

    def stopping(method):
        def call(*arguments, **named):
            left[0] -= 1
            if left[0] < 0:
                raise Stopped
            return method(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        for name in ("write", "remove", "move_folder", "make_folder", "create"):
            patch.setattr(ram.storage, name, stopping(getattr(ram.storage, name)))
        patch.setattr(ram.storage._gfile, "rename", stopping(ram.storage._gfile.rename))
        with contextlib.suppress(Stopped):
            publish(ram)
    health = ram.health(KEY)
    if health.usable:
        assert ram.storage.read(f"{ram.folder(KEY)}/saved_model.pb") == b"abc"
    publish(ram)
    assert ram.health(KEY).state is State.COMPLETE
    assert ram.storage.files(ram.folder(KEY)) == {"saved_model.pb": 3}


def test_litter_of_ended_processes_is_swept(cache: Cache) -> None:
    me = owners.this_process()
    dead = owners.Owner(me.place, me.pid, me.started + 1)
    folder = f"{cache.root}/.hubmodule/tmp"
    for owner in (me, dead):
        with cache.storage.create(f"{folder}/{KEY}.{owner.token}.01/saved_model.pb") as file:
            file.write(memoryview(b""))
    cache.sweep()
    assert temporaries(cache) == [f"{KEY}.{me.token}.01"]


def test_litter_of_other_machines_is_swept_after_a_day(local: Cache) -> None:
    hour = 3600
    for name, age in ((f"{KEY}.far-1-2.01", 23), (f"{KEY}.far-1-2.02", 25), ("odd", 25)):
        path = pathlib.Path(local.root, ".hubmodule", "tmp", name)
        path.touch()
        then = path.stat().st_mtime - age * hour
        os.utime(path, (then, then))
    local.sweep()
    assert temporaries(local) == [f"{KEY}.far-1-2.01"]


def test_litter_that_another_process_sweeps(local: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.storage, "names", lambda folder: ["vanished"])
    local.sweep()
    assert temporaries(local) == ["vanished"]


def test_removing_what_nobody_uses(local: Cache) -> None:
    publish(local)
    with local.removing(KEY) as may_remove:
        assert may_remove
        assert os.path.exists(f"{local.root}/.hubmodule/pruning/{KEY}")
    assert not os.path.exists(f"{local.root}/.hubmodule/pruning/{KEY}")


def test_not_removing_what_somebody_uses(local: Cache) -> None:
    publish(local)
    local.use(KEY, HANDLE, 0)
    with local.removing(KEY) as may_remove:
        assert not may_remove


def test_not_removing_what_somebody_fetches(local: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def busy(path: str, timeout: float, what: str):
        yield False

    monkeypatch.setattr("hubmodule.resolver.cache.work_saving_lock", busy)
    with local.removing(KEY) as may_remove:
        assert not may_remove


def test_who_meets_a_removal_waits_for_its_end(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(local)
    waited = []

    @contextlib.contextmanager
    def remove_meanwhile(path: str, timeout: float, what: str):
        waited.append(timeout)
        local.discard(KEY)
        yield True

    local.storage.write(f"{local.root}/.hubmodule/pruning/{KEY}", b"")
    monkeypatch.setattr("hubmodule.resolver.cache.work_saving_lock", remove_meanwhile)
    assert local.use(KEY, HANDLE, 5.0).state is State.MISSING
    assert waited == [5.0]
    assert not os.path.exists(f"{local.root}/.hubmodule/pruning/{KEY}")


def test_there_is_no_lock_on_a_remote_cache(ram: Cache) -> None:
    with ram.lock(KEY, 60, HANDLE) as held:
        assert not held


def test_a_cache_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / ".hubmodule").touch()
    cache = Cache(str(tmp_path / "cache"))
    with pytest.raises(CacheError) as caught, cache.accessed():
        cache.prepare()
    assert str(caught.value) == (
        f"Cannot use the cache directory {tmp_path}/cache: File exists. Free space or get the "
        "permission to read and write there, or choose another place. "
        "Choose a directory of your own:\n    export TFHUB_CACHE_DIR=$HOME/.cache/tfhub_modules"
    )


def test_a_full_disk(local: Cache) -> None:
    with (
        pytest.raises(CacheError, match=r": No space left on device\. Free space"),
        local.accessed(),
    ):
        raise OSError(28, "No space left on device")


def test_errors_of_ours_are_not_about_writing(local: Cache) -> None:
    with pytest.raises(ArchiveRefusedError, match=r"^refused$"), local.accessed():
        raise ArchiveRefusedError("refused")


def test_a_place_that_is_not_safe(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    with pytest.raises(CacheError, match="in a place where everybody may write"):
        Cache(str(tmp_path / "cache"))


def test_the_time_of_a_manifest_is_now() -> None:
    assert manifest.now().endswith("+00:00")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
