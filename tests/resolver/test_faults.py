"""Processes that are killed at every moment: nothing is lost, half there, or waited for.

Each test goes through all moments at which one process can die, one by one, each time
in a fresh copy of the cache; then another process resolves the handle, without waiting,
and everything must be as if the first had never been.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hubmodule.cache import maintenance
from hubmodule.cache.cache import Cache, EntryState
from hubmodule.handles import make_cache_key
from hubmodule.settings import Settings
from tests.resolver import archives, servers

ROOT = pathlib.Path(__file__).parents[2]


class Zygote:
    """Runs children that can be told when to die."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.resolver.zygote"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.faults = 0

    def run(self, *orders: dict[str, Any]) -> list[dict[str, Any]]:
        """Runs children at the same time, and says what became of them."""
        self.start(*orders)
        return self.results()

    def start(self, *orders: dict[str, Any]) -> list[int]:
        """Starts children, and returns their process ids."""
        self._send(orders)
        return [self._receive()["pid"] for _ in orders]

    def results(self) -> list[dict[str, Any]]:
        """What became of the children that were started."""
        return self._receive()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _send(self, value: Any) -> None:
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def _receive(self) -> Any:
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def shared_zygote() -> Iterator[Zygote]:
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture
def zygote(
    shared_zygote: Zygote, record_property: Callable[[str, object], None]
) -> Iterator[Zygote]:
    """A zygote whose faults are counted."""
    shared_zygote.faults = 0
    yield shared_zygote
    record_property("faults", shared_zygote.faults)


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.serving({"/m": servers.whole(archives.tar_gz())}) as server:
        yield server


def kill_everywhere(
    zygote: Zygote,
    order: dict[str, Any],
    before: pathlib.Path | None,
    place: pathlib.Path,
    check: Callable[[pathlib.Path], None],
) -> int:
    """Kills the process that does `order` at each moment, each time in a copy of a cache.

    Args:
        zygote: runs it.
        order: what it does.
        before: the cache to copy; None for none.
        place: where to put copies.
        check: is called after each death, with the cache.

    Returns:
        How many moments there were.
    """
    for moment in itertools.count(1):
        cache = place / f"cache{moment}"
        if before is not None:
            shutil.copytree(before, cache)
        result = zygote.run({**order, "cache": str(cache), "die_before": moment})[0]
        if "died" in result:
            assert result["signal"] == signal.SIGKILL
            zygote.faults += 1
            check(cache)
        shutil.rmtree(cache)
        if "died" not in result:
            assert "error" not in result
            return moment - 1
    raise AssertionError


def assert_heals(zygote: Zygote, cache: pathlib.Path, handle: str) -> None:
    """The next call works at once and leaves a cache that is whole and without litter."""
    result = zygote.run({"job": "resolve", "handle": handle, "cache": str(cache)})[0]
    assert result.get("path") == str(cache / make_cache_key(handle)), result
    assert_pristine(cache, handle)


def assert_pristine(cache: pathlib.Path, handle: str) -> None:
    key = make_cache_key(handle)
    opened = Cache(str(cache))
    [module] = maintenance.list_modules(opened)
    assert module.handle == handle
    assert maintenance.verify(opened, module).problems == {}
    assert content(cache / key) == archives.MODULE
    beside = {key, f"{key}.manifest.json", f"{key}.descriptor.txt", ".hubmodule"}
    assert set(os.listdir(cache)) == beside
    assert os.listdir(cache / ".hubmodule" / "tmp") == []


def content(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def filled(zygote: Zygote, server: servers.Server, tmp_path: pathlib.Path) -> pathlib.Path:
    """A cache with one module, which no living process uses."""
    cache = tmp_path / "filled"
    [result] = zygote.run({"job": "resolve", "handle": f"{server.url}/m", "cache": str(cache)})
    assert "path" in result
    return cache


def test_killed_while_fetching(
    zygote: Zygote, server: servers.Server, tmp_path: pathlib.Path
) -> None:
    handle = f"{server.url}/m"
    moments = kill_everywhere(
        zygote,
        {"job": "resolve", "handle": handle},
        None,
        tmp_path,
        functools.partial(assert_heals, zygote, handle=handle),
    )
    assert moments > 30


@pytest.mark.parametrize(
    "damage", ["variables/variables.index", "saved_model.pb", "assets", "variables", "."]
)
def test_killed_while_repairing(
    zygote: Zygote,
    server: servers.Server,
    filled: pathlib.Path,
    tmp_path: pathlib.Path,
    damage: str,
) -> None:
    handle = f"{server.url}/m"
    Cache(str(filled)).file_system.remove(os.path.join(filled, make_cache_key(handle), damage))
    moments = kill_everywhere(
        zygote,
        {"job": "resolve", "handle": handle},
        filled,
        tmp_path,
        functools.partial(assert_heals, zygote, handle=handle),
    )
    assert moments > 30


def test_killed_while_sweeping_what_the_killed_left(
    zygote: Zygote, server: servers.Server, tmp_path: pathlib.Path
) -> None:
    handle = f"{server.url}/m"
    before = tmp_path / "littered"
    order = {"job": "resolve", "handle": handle}
    littering = 0
    for stage in range(1, 40, 3):
        zygote.run({**order, "cache": str(before), "die_before": stage})
        if Cache(str(before)).file_system.list_names(str(before / ".hubmodule" / "tmp")):
            littering += 1
            heals = functools.partial(assert_heals, zygote, handle=handle)
            kill_everywhere(zygote, order, before, tmp_path, heals)
        shutil.rmtree(before, ignore_errors=True)
    assert littering > 3


def test_killed_while_using_what_is_cached(
    zygote: Zygote, server: servers.Server, filled: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    handle = f"{server.url}/m"
    asked = len(server.requests)
    moments = kill_everywhere(
        zygote,
        {"job": "resolve", "handle": handle},
        filled,
        tmp_path,
        functools.partial(assert_heals, zygote, handle=handle),
    )
    assert moments > 3
    assert len(server.requests) == asked


def test_killed_while_adopting_what_tensorflow_hub_cached(
    zygote: Zygote, server: servers.Server, filled: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    handle = f"{server.url}/m"
    key = make_cache_key(handle)
    shutil.rmtree(filled / ".hubmodule")
    (filled / f"{key}.manifest.json").unlink()
    asked = len(server.requests)
    moments = kill_everywhere(
        zygote,
        {"job": "resolve", "handle": handle},
        filled,
        tmp_path,
        functools.partial(assert_heals, zygote, handle=handle),
    )
    assert moments > 10
    assert len(server.requests) == asked


def test_killed_while_copying_from_a_mirror(zygote: Zygote, tmp_path: pathlib.Path) -> None:
    for name, data in archives.MODULE.items():
        path = tmp_path / "store" / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    order = {"job": "resolve", "handle": "https://h/m", "mirrors": f"https://h/={tmp_path}/store"}

    def check(cache: pathlib.Path) -> None:
        [result] = zygote.run({**order, "cache": str(cache)})
        assert result.get("path") == str(cache / make_cache_key("https://h/m")), result
        assert_pristine(cache, "https://h/m")

    assert kill_everywhere(zygote, order, None, tmp_path, check) > 30


def test_killed_while_refreshing(
    zygote: Zygote, filled: pathlib.Path, tmp_path: pathlib.Path, server: servers.Server
) -> None:
    handle = f"{server.url}/m"
    (filled / make_cache_key(handle) / "tfhub_module.pb").write_bytes(b"\x08\x04")
    # Other content, so that it is replaced: what is cached is none of the server's.
    manifest = filled / f"{make_cache_key(handle)}.manifest.json"
    known = hashlib.sha256(b"\x08\x03").hexdigest()
    other = hashlib.sha256(b"\x08\x04").hexdigest()
    manifest.write_text(manifest.read_text().replace(known, other))

    def check(cache: pathlib.Path) -> None:
        # The old content or the new, each whole.
        [result] = zygote.run({"job": "resolve", "handle": handle, "cache": str(cache)})
        assert "path" in result, result
        opened = Cache(str(cache))
        [module] = maintenance.list_modules(opened)
        assert maintenance.verify(opened, module).problems == {}
        assert os.listdir(cache / ".hubmodule" / "tmp") == []

    order = {"job": "refresh", "handle": handle}
    assert (
        zygote.run({**order, "cache": str(shutil.copytree(filled, tmp_path / "copy"))})[0]["change"]
        == "new content"
    )
    assert kill_everywhere(zygote, order, filled, tmp_path, check) > 30


def test_killed_while_a_bundle_is_installed(
    zygote: Zygote, filled: pathlib.Path, tmp_path: pathlib.Path, server: servers.Server
) -> None:
    from hubmodule.locking.bundle import write_bundle
    from hubmodule.locking.lock import lock_modules, write_lock

    handle = f"{server.url}/m"
    settings = Settings(str(filled))
    write_lock(f"{tmp_path}/lock", lock_modules([handle], settings))
    write_bundle(f"{tmp_path}/lock", f"{tmp_path}/b.tar", settings)
    order = {"job": "unbundle", "bundle": f"{tmp_path}/b.tar"}

    def check(cache: pathlib.Path) -> None:
        [result] = zygote.run({**order, "cache": str(cache)})
        assert list(result["installed"]) == [handle], result
        assert_pristine(cache, handle)

    assert kill_everywhere(zygote, order, None, tmp_path, check) > 30


def test_killed_while_pruning(
    zygote: Zygote, server: servers.Server, filled: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    handle = f"{server.url}/m"
    moments = kill_everywhere(
        zygote,
        {"job": "prune"},
        filled,
        tmp_path,
        functools.partial(assert_heals, zygote, handle=handle),
    )
    assert moments > 20


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.999])
def test_killed_while_bytes_come(zygote: Zygote, cache_dir: pathlib.Path, share: float) -> None:
    body = archives.tar_gz({**archives.MODULE, "big": os.urandom(3 << 20)})
    gate = servers.Gate(body, int(len(body) * share))
    with servers.serving({"/m": [gate, servers.whole(archives.tar_gz())]}) as server:
        handle = f"{server.url}/m"
        order = {"job": "resolve", "handle": handle, "cache": str(cache_dir)}
        [pid] = zygote.start(order)
        gate.reached.wait()
        os.kill(pid, signal.SIGKILL)
        assert zygote.results() == [{"died": True, "signal": signal.SIGKILL}]
        zygote.faults += 1
        gate.open.set()
        assert_heals(zygote, cache_dir, handle)


def test_who_waits_for_the_killed_goes_on(zygote: Zygote, cache_dir: pathlib.Path) -> None:
    body = archives.tar_gz()
    gate = servers.Gate(body, 100)
    with servers.serving({"/m": [gate, servers.whole(body)]}) as server:
        handle = f"{server.url}/m"
        order = {"job": "resolve", "handle": handle, "cache": str(cache_dir), "may_wait": True}
        first, *_ = zygote.start(order, order, order, order)
        gate.reached.wait()
        # Only the holder of the lock has asked the server. Whoever that is dies.
        holder = _holder(cache_dir, [first, *_])
        os.kill(holder, signal.SIGKILL)
        gate.open.set()
        zygote.faults += 1
        results = zygote.results()
        assert sum("died" in result for result in results) == 1
        assert sum("path" in result for result in results) == 3
        assert len(server.requests) == 2
        assert_heals(zygote, cache_dir, handle)


def _holder(cache: pathlib.Path, pids: list[int]) -> int:
    """Finds the one of some processes that has marked what it makes."""
    [name] = os.listdir(cache / ".hubmodule" / "tmp")
    place = os.stat(cache / ".hubmodule" / "tmp" / name)
    for pid in pids:
        for file in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if os.path.samestat(file.stat(), place):
                    return pid
    raise AssertionError(f"none of {pids} works on {name}")


def test_eight_processes_make_one_download(zygote: Zygote, cache_dir: pathlib.Path) -> None:
    with servers.serving({"/m": servers.whole(archives.tar_gz())}) as server:
        handle = f"{server.url}/m"
        order = {"job": "resolve", "handle": handle, "cache": str(cache_dir), "may_wait": True}
        results = zygote.run(*[order] * 8)
        assert {result.get("path") for result in results} == {
            str(cache_dir / make_cache_key(handle))
        }
        assert len(server.requests) == 1
        assert_pristine(cache_dir, handle)


def test_eight_processes_that_find_damage_warn_and_fetch_once(
    zygote: Zygote, filled: pathlib.Path, server: servers.Server
) -> None:
    handle = f"{server.url}/m"
    folder = filled / make_cache_key(handle)
    shutil.rmtree(folder / "variables")
    asked = len(server.requests)
    order = {"job": "resolve", "handle": handle, "cache": str(filled), "may_wait": True}
    results = zygote.run(*[order] * 8)
    assert {result.get("path") for result in results} == {str(folder)}
    warnings = [line for result in results for line in result["log"] if "WARNING" in line]
    assert warnings == [
        f"WARNING: {folder} of {handle} is damaged (variables/variables.index is missing); "
        "fetching it again."
    ]
    assert len(server.requests) == asked + 1
    assert_pristine(filled, handle)


@pytest.mark.parametrize("how_many", [2, 8])
def test_processes_without_locks_throw_all_but_one_away(
    zygote: Zygote, cache_dir: pathlib.Path, how_many: int
) -> None:
    with servers.serving({"/m": servers.whole(archives.tar_gz())}) as server:
        handle = f"{server.url}/m"
        order = {"job": "resolve", "handle": handle, "cache": str(cache_dir), "no_locks": True}
        results = zygote.run(*[order] * how_many)
        assert {result.get("path") for result in results} == {
            str(cache_dir / make_cache_key(handle))
        }
        assert_pristine(cache_dir, handle)


def test_nobody_waits_for_a_dead_tensorflow_hub(
    zygote: Zygote, cache_dir: pathlib.Path, server: servers.Server
) -> None:
    handle = f"{server.url}/m"
    key = make_cache_key(handle)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    cache_dir.mkdir()
    (cache_dir / f"{key}.lock").write_text(f"{socket.gethostname()}.{dead.pid}.0123abcd")
    (cache_dir / f"{key}.0123abcd.tmp").mkdir()
    (cache_dir / f"{key}.0123abcd.tmp" / "saved_model.pb").write_bytes(b"half")
    zygote.faults += 1
    assert_heals(zygote, cache_dir, handle)


def test_nobody_waits_for_a_living_tensorflow_hub_either(
    zygote: Zygote, cache_dir: pathlib.Path, server: servers.Server
) -> None:
    handle = f"{server.url}/m"
    lock = cache_dir / f"{make_cache_key(handle)}.lock"
    cache_dir.mkdir()
    lock.write_text(f"{socket.gethostname()}.{os.getpid()}.0123abcd")
    [result] = zygote.run({"job": "resolve", "handle": handle, "cache": str(cache_dir)})
    assert result["path"] == str(cache_dir / make_cache_key(handle))
    assert lock.exists()


def test_what_a_living_process_resolved_is_not_pruned(
    zygote: Zygote, server: servers.Server, filled: pathlib.Path
) -> None:
    handle = f"{server.url}/m"
    key = make_cache_key(handle)
    program = f"import hubmodule as hub; hub.resolve({handle!r}); print(1, flush=True); input()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TFHUB_CACHE_DIR": str(filled)}
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe) as user:
        user.stdout.readline()
        [kept] = zygote.run({"job": "prune", "cache": str(filled)})
        user.kill()
    zygote.faults += 1
    [removed] = zygote.run({"job": "prune", "cache": str(filled)})
    assert (kept["removed"], kept["in_use"]) == (0, 1)
    assert (removed["removed"], removed["in_use"]) == (1, 0)
    assert Cache(str(filled)).check_health(key).state is EntryState.MISSING


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
