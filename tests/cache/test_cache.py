"""The cache directory, piece by piece; test_faults kills processes in it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import threading
import time

import pytest

from hubmodule._plain_errors import ArchiveRefusedError, CacheError
from hubmodule.cache import locks, manifest
from hubmodule.cache.cache import Cache, EntryState
from hubmodule.cache.manifest import FileRecord, Manifest

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
    with cache.make_temporary_directory(key) as folder:
        with cache.file_system.open_new(f"{folder}/saved_model.pb") as file:
            file.write(b"abc")
        cache.publish(key, folder, manifest)


def cache_foreign(cache: Cache, name: str = "saved_model.pb") -> None:
    """Puts a module into a cache as another program does."""
    with cache.file_system.open_new(f"{cache.get_path(KEY)}/{name}") as file:
        file.write(b"abc")


def is_used(cache: Cache) -> bool:
    with cache.claim(KEY) as is_unused:
        return not is_unused


def visible(cache: Cache) -> list[str]:
    return [name for name in cache.file_system.list_names(cache.root) if name != ".hubmodule"]


def temporaries(cache: Cache) -> list[str]:
    return cache.file_system.list_names(f"{cache.root}/.hubmodule/tmp")


@pytest.mark.parametrize("first", ["prepare", "use"])
def test_a_group_shares_all_of_a_cache(tmp_path: pathlib.Path, first: str) -> None:
    root = tmp_path / "shared"
    root.mkdir()
    root.chmod(0o2770)
    cache = Cache(str(root))
    cache_foreign(cache)
    if first == "prepare":
        cache.prepare()
    cache.use(KEY, HANDLE, 60)
    folders = [root / ".hubmodule", *(root / ".hubmodule").iterdir()]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o2770}


def test_what_is_published_is_complete(cache: Cache) -> None:
    publish(cache)
    health = cache.check_health(KEY)
    assert (health.state, health.detail, health.manifest) == (EntryState.COMPLETE, "", MANIFEST)
    assert health.is_usable
    assert cache.file_system.list_sizes(cache.get_path(KEY)) == {"saved_model.pb": 3}
    assert visible(cache) == [KEY, f"{KEY}.descriptor.txt", f"{KEY}.manifest.json"]
    assert temporaries(cache) == []


def test_the_descriptor_is_as_tensorflow_hub_writes_it(cache: Cache) -> None:
    publish(cache)
    text = cache.file_system.read(f"{cache.root}/{KEY}.descriptor.txt").decode()
    assert re.fullmatch(
        r"Module: https://h/m\nDownload Time: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\n"
        rf"Downloader Hostname: \S+ \(PID:{os.getpid()}\)",
        text,
    )


def test_what_is_not_there_is_missing(cache: Cache) -> None:
    assert cache.check_health(KEY).state is EntryState.MISSING
    assert not cache.check_health(KEY).is_usable
    assert cache.read_handle(KEY) is None
    assert cache.list_keys() == []


def test_a_folder_that_is_not_published_goes(cache: Cache) -> None:
    with pytest.raises(KeyError), cache.make_temporary_directory(KEY):
        raise KeyError
    assert (visible(cache), temporaries(cache)) == ([], [])


def test_damage_is_seen(cache: Cache) -> None:
    publish(cache)
    cache.file_system.remove(f"{cache.get_path(KEY)}/saved_model.pb")
    health = cache.check_health(KEY)
    assert (health.state, health.detail) == (EntryState.DAMAGED, "saved_model.pb is missing")
    assert not health.is_usable


def test_a_module_that_was_emptied_is_damaged(cache: Cache) -> None:
    publish(cache)
    cache.file_system.remove(cache.get_path(KEY))
    assert cache.check_health(KEY).state is EntryState.DAMAGED


def test_damage_is_replaced(cache: Cache) -> None:
    publish(cache)
    cache.file_system.remove(f"{cache.get_path(KEY)}/saved_model.pb")
    with cache.file_system.open_new(f"{cache.get_path(KEY)}/other") as file:
        file.write(b"")
    publish(cache)
    assert cache.check_health(KEY).state is EntryState.COMPLETE
    assert cache.file_system.list_sizes(cache.get_path(KEY)) == {"saved_model.pb": 3}


def test_what_is_whole_is_not_replaced(cache: Cache) -> None:
    publish(cache)
    publish(cache, manifest=Manifest("slower", MANIFEST.fetched, MANIFEST.files))
    assert cache.read_handle(KEY) == HANDLE


def test_an_empty_folder_is_replaced(cache: Cache) -> None:
    cache.file_system.make_directory(cache.get_path(KEY))
    publish(cache)
    assert cache.check_health(KEY).state is EntryState.COMPLETE


def test_what_can_neither_be_used_nor_replaced(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_foreign(local, "nothing of use")
    monkeypatch.setattr(local, "discard", lambda key: None)
    with pytest.raises(CacheError) as caught:
        publish(local)
    assert str(caught.value) == (
        f"{local.get_path(KEY)} is damaged and cannot be replaced. Remove it, or choose another "
        "place. Choose a directory of your own:\n"
        "    export TFHUB_CACHE_DIR=$HOME/.cache/tfhub_modules"
    )


def test_what_another_program_cached_is_used(cache: Cache) -> None:
    cache_foreign(cache)
    assert cache.check_health(KEY).state is EntryState.ADOPTED
    assert cache.check_health(KEY).is_usable


def test_what_another_program_cached_in_part_is_damaged(cache: Cache) -> None:
    cache_foreign(cache, "variables/variables.index")
    health = cache.check_health(KEY)
    assert (health.state, health.detail) == (EntryState.DAMAGED, "saved_model.pb is missing")


def test_the_first_use_notes_what_another_program_cached(local: Cache) -> None:
    cache_foreign(local)
    assert local.use(KEY, HANDLE, 60).is_usable
    noted = local.read_manifest(KEY)
    assert noted is not None
    assert (noted.handle, noted.files) == (HANDLE, (FileRecord("saved_model.pb", 3, None),))
    assert local.check_health(KEY).state is EntryState.ADOPTED
    assert temporaries(local) == []
    assert (local.file_system.read(f"{local.root}/{KEY}.descriptor.txt")).startswith(
        b"Module: https"
    )


def test_noting_does_not_replace_what_is_noted(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(local)
    # As for a process that looked before another one wrote the manifest.
    monkeypatch.setattr(local, "check_health", lambda key: local_health)
    local_health = Cache(local.root).check_health(OTHER).__class__(EntryState.ADOPTED)
    local.use(KEY, "another", 60)
    assert local.read_manifest(KEY) == MANIFEST


def test_damage_to_what_another_program_cached_is_seen_from_then_on(local: Cache) -> None:
    cache_foreign(local)
    cache_foreign(local, "assets/words")
    local.use(KEY, HANDLE, 60)
    shutil.rmtree(f"{local.get_path(KEY)}/assets")
    assert local.check_health(KEY).detail == "assets/words is missing"


def test_a_use_is_noted(local: Cache) -> None:
    publish(local)
    path = f"{local.root}/{KEY}.manifest.json"
    os.utime(path, (1, 1))
    assert local.get_last_use(KEY) == 1
    local.use(KEY, HANDLE, 60)
    assert local.get_last_use(KEY) > 1
    assert is_used(local)


def test_the_last_use_of_what_has_no_manifest(local: Cache) -> None:
    cache_foreign(local)
    os.utime(local.get_path(KEY), (7, 7))
    assert local.get_last_use(KEY) == 7
    assert local.get_last_use(OTHER) > 7


def test_a_cache_that_may_only_be_read_is_used(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_foreign(local)

    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError

    for name in ("makedirs", "mkdir", "open"):
        monkeypatch.setattr(os, name, refuse)
    assert local.use(KEY, HANDLE, 60).is_usable
    assert local.read_manifest(KEY) is None


def test_a_cache_that_is_not_there_stays_away(tmp_path: pathlib.Path) -> None:
    cache = Cache(str(tmp_path / "cache"))
    assert cache.use(KEY, HANDLE, 60).state is EntryState.MISSING
    assert not (tmp_path / "cache").exists()


def test_the_handle_comes_from_the_descriptor_where_there_is_no_manifest(cache: Cache) -> None:
    cache_foreign(cache)
    assert cache.read_handle(KEY) is None
    cache.file_system.write(f"{cache.root}/{KEY}.descriptor.txt", b"Module: https://h/x\nDownload")
    assert cache.read_handle(KEY) == "https://h/x"
    cache.file_system.write(f"{cache.root}/{KEY}.descriptor.txt", b"something else")
    assert cache.read_handle(KEY) is None


@pytest.mark.parametrize("thing", ["file", "link", "loop"])
def test_what_is_no_directory_is_replaced(local: Cache, thing: str) -> None:
    path = local.get_path(KEY)
    if thing == "file":
        pathlib.Path(path).touch()
    else:
        os.symlink(path if thing == "loop" else "/nowhere", path)
    assert local.check_health(KEY).detail == "it is not a directory"
    publish(local)
    assert local.check_health(KEY).state is EntryState.COMPLETE


@pytest.mark.parametrize("name", ["manifest.json", "descriptor.txt"])
def test_a_directory_at_the_place_of_a_file_beside_a_module(local: Cache, name: str) -> None:
    cache_foreign(local)
    os.makedirs(f"{local.get_path(KEY)}.{name}/x")
    assert local.use(KEY, "h", 60).is_usable
    assert local.read_handle(KEY) in ("h", None)
    local.discard(KEY)
    os.makedirs(f"{local.get_path(KEY)}.{name}/x")
    publish(local)
    assert local.check_health(KEY).state is EntryState.COMPLETE


def test_a_pipe_is_no_file_of_a_module(local: Cache) -> None:
    os.makedirs(local.get_path(KEY))
    os.mkfifo(f"{local.get_path(KEY)}/saved_model.pb")
    assert local.check_health(KEY).detail == "saved_model.pb is missing"


def test_what_this_user_may_not_see_is_not_swept(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: str) -> list[str]:
        raise PermissionError(folder)

    publish(local)
    monkeypatch.setattr(local.file_system, "list_names", refuse)
    local.sweep()
    assert local.check_health(KEY).is_usable


def test_a_manifest_that_this_user_may_not_read_is_none(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, path: str) -> bytes:
        raise PermissionError(path)

    publish(local)
    monkeypatch.setattr("hubmodule.file_systems.LocalFileSystem.read", refuse)
    assert local.check_health(KEY).state is EntryState.ADOPTED


def test_all_keys(cache: Cache) -> None:
    publish(cache)
    cache.file_system.write(f"{cache.root}/{OTHER}.manifest.json", b"")
    cache.file_system.write(f"{cache.root}/{'ef' * 20}.lock", b"")
    cache.file_system.write(f"{cache.root}/notes.txt", b"")
    assert cache.list_keys() == [KEY, OTHER]


def test_all_of_a_module_is_discarded(cache: Cache) -> None:
    publish(cache)
    cache.discard(KEY)
    cache.discard(OTHER)
    assert (visible(cache), temporaries(cache)) == ([], [])


def test_a_manifest_that_cannot_be_read_is_none(cache: Cache) -> None:
    publish(cache)
    cache.file_system.write(f"{cache.root}/{KEY}.manifest.json", b"{")
    assert cache.check_health(KEY).state is EntryState.ADOPTED


class Stopped(Exception):
    """Stands for the end of a process."""


@pytest.mark.parametrize("moment", range(40))
def test_a_remote_cache_is_never_half_there(
    ram: Cache, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    # A process that is killed does nothing more; ram:// ends with it, so one is played here.
    publish(ram)
    ram.file_system.remove(f"{ram.get_path(KEY)}/saved_model.pb")
    with ram.file_system.open_new(f"{ram.get_path(KEY)}/stale") as file:
        file.write(b"")
    left = [moment]

    def stopping(method):
        def call(*arguments, **named):
            left[0] -= 1
            if left[0] < 0:
                raise Stopped
            return method(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        for name in ("write", "remove", "move_directory", "make_directory", "open_new"):
            patch.setattr(ram.file_system, name, stopping(getattr(ram.file_system, name)))
        patch.setattr(ram.file_system._gfile, "rename", stopping(ram.file_system._gfile.rename))
        with contextlib.suppress(Stopped):
            publish(ram)
    health = ram.check_health(KEY)
    if health.is_usable:
        assert ram.file_system.read(f"{ram.get_path(KEY)}/saved_model.pb") == b"abc"
    publish(ram)
    assert ram.check_health(KEY).state is EntryState.COMPLETE
    assert ram.file_system.list_sizes(ram.get_path(KEY)) == {"saved_model.pb": 3}


def test_litter_of_ended_processes_is_swept(local: Cache) -> None:
    program = f"""
from hubmodule.cache.cache import Cache
with Cache({local.root!r}).make_temporary_directory({KEY!r}) as directory:
    print(directory, flush=True)
    input()
"""
    with local.make_temporary_directory(KEY) as mine:
        child = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        theirs = child.stdout.readline().strip()
        local.sweep()
        both = sorted([os.path.basename(mine), os.path.basename(theirs)])
        assert temporaries(local) == both
        child.kill()
        child.communicate()
        local.sweep()
        assert temporaries(local) == [os.path.basename(mine)]


def test_a_directory_that_is_swept_before_it_is_marked_is_made_again(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, swept = locks.mark, []

    def sweep_first(path: str, wait: bool) -> int | None:
        if not swept:
            swept.append(path)
            os.rmdir(path)
        return mark(path, wait)

    monkeypatch.setattr(locks, "mark", sweep_first)
    with local.make_temporary_directory(KEY) as directory:
        assert os.path.isdir(directory)
    assert swept == [directory]


def test_a_directory_that_is_swept_while_it_is_made_is_made_again(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, failures = local.file_system.make_directory, [FileNotFoundError("swept")]

    def fail_first(path: str) -> None:
        if failures:
            raise failures.pop()
        make(path)

    monkeypatch.setattr(local.file_system, "make_directory", fail_first)
    with local.make_temporary_directory(KEY) as directory:
        assert os.path.isdir(directory)


def test_a_directory_that_cannot_be_kept(local: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.file_system, "make_directory", lambda path: None)
    with (
        pytest.raises(CacheError, match="It was removed again and again"),
        local.explain_errors(),
        local.make_temporary_directory(KEY),
    ):
        raise AssertionError


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
    monkeypatch.setattr(local.file_system, "list_names", lambda folder: ["vanished"])
    local.sweep()
    assert temporaries(local) == ["vanished"]


def test_unused_modules_are_discarded(local: Cache) -> None:
    publish(local)
    assert local.discard_unused(KEY)
    assert (visible(local), temporaries(local)) == ([], [])


def test_used_modules_are_not_discarded(local: Cache) -> None:
    publish(local)
    local.use(KEY, HANDLE, 60)
    assert not local.discard_unused(KEY)
    assert local.check_health(KEY).is_usable


def test_a_module_whose_users_cannot_be_seen_counts_as_used_for_a_week(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    publish(local)
    monkeypatch.setattr("fcntl.flock", fail)
    local.use(KEY, HANDLE, 60)
    now = time.time()
    for days, expected in ((6, True), (8, False)):
        os.utime(f"{local.root}/{KEY}.manifest.json", (now, now - days * 24 * 3600))
        assert is_used(local) is expected


def test_what_cannot_be_marked_counts_as_used_for_a_week(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process has a limit of open files.
    publish(local)
    monkeypatch.setattr("hubmodule.cache.cache._MOST_MARKS", 0)
    local.use(KEY, HANDLE, 60)
    for days, expected in ((6, True), (8, False)):
        set_age(f"{local.root}/{KEY}.manifest.json", days)
        assert is_used(local) is expected


def test_another_machine_may_use_a_module_for_a_week(local: Cache) -> None:
    publish(local)
    pathlib.Path(local.root, ".hubmodule", "used", f"{KEY}.far").touch()
    for days, expected in ((6, True), (8, False)):
        set_age(f"{local.root}/{KEY}.manifest.json", days)
        assert is_used(local) is expected


def set_age(path: str, days: float) -> None:
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))


def test_one_mark_is_enough(local: Cache) -> None:
    publish(local)
    assert [local.mark_used(KEY, HANDLE), local.mark_used(KEY, HANDLE)] == [True, False]


def test_a_forked_process_needs_its_own_mark(local: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(local)
    assert local.mark_used(KEY, HANDLE)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert local.mark_used(KEY, HANDLE)


def test_a_mark_is_made_again_where_it_was_removed(local: Cache) -> None:
    local.mark_used(KEY, HANDLE)
    shutil.rmtree(f"{local.root}/.hubmodule")
    assert not is_used(local)
    assert local.mark_used(KEY, HANDLE, again=True)
    assert is_used(local)


def test_what_another_process_fetches_is_not_discarded(local: Cache) -> None:
    publish(local)
    local.mark_used(KEY, HANDLE)
    assert not local.discard_unused(KEY)
    assert local.check_health(KEY).is_usable


def test_a_use_that_begins_during_a_removal_waits_and_finds_nothing(
    local: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(local)
    hold_lock, waits = locks.hold_lock, threading.Event()
    users: list[concurrent.futures.Future[EntryState]] = []

    @contextlib.contextmanager
    def watch(path: str, timeout: float, what: str):
        if timeout:
            waits.set()
        with hold_lock(path, timeout, what) as held:
            yield held

    monkeypatch.setattr(locks, "hold_lock", watch)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        discard = local.discard

        def use_and_discard(key: str) -> None:
            users.append(pool.submit(lambda: local.use(KEY, HANDLE, 60).state))
            assert waits.wait(60)
            discard(key)

        monkeypatch.setattr(local, "discard", use_and_discard)
        assert local.discard_unused(KEY)
        assert users[0].result() is EntryState.MISSING
    # Its mark is not the one that was removed.
    assert is_used(local)


def test_a_removal_that_never_ends_is_not_waited_for(local: Cache) -> None:
    publish(local)
    with local.claim(KEY):
        assert local.use(KEY, HANDLE, 0).is_usable
    assert is_used(local)


def test_there_is_no_lock_on_a_remote_cache(ram: Cache) -> None:
    with ram.lock(KEY, 60, HANDLE) as held:
        assert not held


def test_a_cache_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / ".hubmodule").touch()
    cache = Cache(str(tmp_path / "cache"))
    with pytest.raises(CacheError) as caught, cache.explain_errors():
        cache.prepare()
    assert str(caught.value) == (
        f"Cannot use the cache directory {tmp_path}/cache: File exists. Free space or get the "
        "permission to read and write there, or choose another place. "
        "Choose a directory of your own:\n    export TFHUB_CACHE_DIR=$HOME/.cache/tfhub_modules"
    )


def test_a_full_disk(local: Cache) -> None:
    with (
        pytest.raises(CacheError, match=r": No space left on device\. Free space"),
        local.explain_errors(),
    ):
        raise OSError(28, "No space left on device")


def test_errors_of_ours_are_not_about_writing(local: Cache) -> None:
    with pytest.raises(ArchiveRefusedError, match=r"^refused$"), local.explain_errors():
        raise ArchiveRefusedError("refused")


def test_a_place_that_is_not_safe(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    with pytest.raises(CacheError, match="in a place where all users may write"):
        Cache(str(tmp_path / "cache"))


def test_the_time_of_a_manifest_is_now() -> None:
    assert manifest.get_time().endswith("+00:00")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
