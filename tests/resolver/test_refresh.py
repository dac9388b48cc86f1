"""Cached modules that are fetched again."""

from __future__ import annotations

import logging
import os
import pathlib
import sys
from collections.abc import Iterator

import pytest

import hubmodule as hub
from hubmodule import settings
from hubmodule._plain_errors import (
    CacheDamagedError,
    CacheError,
    DownloadError,
    LockError,
    OfflineError,
)
from hubmodule.cache import cache as caches
from hubmodule.cache import manifest as manifests
from hubmodule.cache.manifest import Manifest
from hubmodule.handles import make_cache_key
from hubmodule.resolver.refresh import Change, Refreshed, refresh, repair
from tests.resolver import archives, servers

BODY = archives.tar_gz()
OTHER = archives.tar_gz({**archives.MODULE, "tfhub_module.pb": b"\x08\x04"})
REPACKED = archives.tar(archives.MODULE)


def let_go() -> None:
    """Ends this process's use of all modules, as if another process did the rest."""
    for mark in filter(None, caches._marks.values()):
        os.close(mark)
    caches._marks.clear()


@pytest.fixture(autouse=True)
def other_process() -> Iterator[None]:
    let_go()
    yield
    let_go()


def resolve(handle: str) -> pathlib.Path:
    path = pathlib.Path(hub.resolve(handle))
    let_go()
    return path


def refreshed(handle: str) -> Refreshed:
    return refresh(handle, settings.read())


def read_manifest(path: pathlib.Path) -> Manifest:
    manifest = manifests.decode(pathlib.Path(f"{path}.manifest.json").read_bytes())
    assert manifest is not None
    return manifest


def answer_with_etag(body: bytes, etag: str) -> servers.Answer:
    def answer(handler: servers.Handler) -> None:
        if handler.headers.get("If-None-Match") == etag:
            handler.answer(304, ETag=etag)
        else:
            handler.answer(200, body, ETag=etag)

    return answer


def test_a_module_that_is_not_cached_is_fetched(cache_dir: pathlib.Path) -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        handle = f"{server.url}/m"
        assert refreshed(handle) == Refreshed(
            str(cache_dir / make_cache_key(handle)), Change.FETCHED
        )


@pytest.mark.parametrize("etag", ['"a"', 'W/"a"', '""'])
def test_a_server_says_that_nothing_has_changed(etag: str) -> None:
    with servers.serving({"/m": answer_with_etag(BODY, etag)}) as server:
        path = resolve(f"{server.url}/m")
        assert refreshed(f"{server.url}/m").change is Change.UNCHANGED
        sent = [request.headers.get("If-None-Match") for request in server.requests]
    assert sent == [None, etag]
    assert read_manifest(path).etag == etag


def test_an_etag_that_cannot_be_sent_back_is_not_kept() -> None:
    with servers.serving({"/m": servers.whole(BODY, ETag="a b")}) as server:
        path = resolve(f"{server.url}/m")
        refreshed(f"{server.url}/m")
        assert [request.headers.get("If-None-Match") for request in server.requests] == [None] * 2
    assert read_manifest(path).etag == ""


def test_other_content_replaces_the_module() -> None:
    answers = [answer_with_etag(BODY, '"1"'), answer_with_etag(OTHER, '"2"')]
    with servers.serving({"/m": answers}) as server:
        path = resolve(f"{server.url}/m")
        assert refreshed(f"{server.url}/m") == Refreshed(str(path), Change.REPLACED)
    assert (path / "tfhub_module.pb").read_bytes() == b"\x08\x04"
    assert read_manifest(path).etag == '"2"'


def test_the_same_content_in_another_archive() -> None:
    answers = [answer_with_etag(BODY, '"1"'), answer_with_etag(REPACKED, '"2"')]
    with servers.serving({"/m": answers}) as server:
        path = resolve(f"{server.url}/m")
        inode = path.stat().st_ino
        assert refreshed(f"{server.url}/m").change is Change.UNCHANGED
        assert refreshed(f"{server.url}/m").change is Change.UNCHANGED
        sent = [request.headers.get("If-None-Match") for request in server.requests]
    assert sent == [None, '"1"', '"2"']
    assert path.stat().st_ino == inode


def test_the_etag_of_one_mirror_is_not_sent_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"/a/m": answer_with_etag(BODY, '"1"'), "/b/m": answer_with_etag(OTHER, '"1"')}
    with servers.serving(answers) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={server.url}/a")
        resolve("https://h/m")
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={server.url}/b")
        assert refreshed("https://h/m").change is Change.REPLACED
        assert "If-None-Match" not in server.requests[1].headers


def test_a_module_in_use_is_not_replaced() -> None:
    answers = [servers.whole(BODY), servers.whole(OTHER)]
    with servers.serving({"/m": answers}) as server:
        path = pathlib.Path(hub.resolve(f"{server.url}/m"))  # used until this process ends
        with pytest.raises(CacheError, match="has changed, but a running process uses the content"):
            refreshed(f"{server.url}/m")
    assert (path / "tfhub_module.pb").read_bytes() == b"\x08\x03"


def test_a_module_in_use_may_be_asked_for() -> None:
    with servers.serving({"/m": answer_with_etag(BODY, '"1"')}) as server:
        hub.resolve(f"{server.url}/m")
        assert refreshed(f"{server.url}/m").change is Change.UNCHANGED


def test_a_server_that_is_gone_leaves_the_module() -> None:
    with servers.serving({"/m": [servers.whole(BODY), servers.status(404)]}) as server:
        path = resolve(f"{server.url}/m")
        with pytest.raises(DownloadError):
            refreshed(f"{server.url}/m")
    assert (path / "tfhub_module.pb").read_bytes() == b"\x08\x03"


def test_what_tensorflow_hub_cached_is_compared(cache_dir: pathlib.Path) -> None:
    with servers.serving({"/m": [servers.whole(BODY), servers.whole(OTHER)]}) as server:
        directory = cache_dir / make_cache_key(f"{server.url}/m")
        for name, data in archives.MODULE.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(data)
        assert refreshed(f"{server.url}/m").change is Change.UNCHANGED
        assert refreshed(f"{server.url}/m").change is Change.REPLACED


def test_a_locked_module_is_not_replaced(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hubmodule.locking.lock import lock_modules, write_lock

    with servers.serving({"/m": [servers.whole(BODY), servers.whole(OTHER)]}) as server:
        handle = f"{server.url}/m"
        write_lock(str(tmp_path / "lock"), lock_modules([handle], settings.read()))
        let_go()
        monkeypatch.setenv("HUBMODULE_LOCK", str(tmp_path / "lock"))
        with pytest.raises(LockError):
            refreshed(handle)
        assert (resolve(handle) / "tfhub_module.pb").read_bytes() == b"\x08\x03"


def test_a_path_is_used_in_place(tmp_path: pathlib.Path) -> None:
    (tmp_path / "m.tar.gz").mkdir()
    for path in (tmp_path, tmp_path / "m.tar.gz"):
        assert refreshed(str(path)) == Refreshed(str(path), Change.IN_PLACE)


def test_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBMODULE_OFFLINE", "1")
    with pytest.raises(OfflineError, match="https://h/m cannot be fetched again while HUBMODULE_O"):
        refreshed("https://h/m?key=secret")


def test_a_remote_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    monkeypatch.setenv("TFHUB_CACHE_DIR", "ram://test_refresh/cache")
    with servers.serving({"/m": [servers.whole(BODY), servers.whole(OTHER)]}) as server:
        path = hub.resolve(f"{server.url}/m")
        assert refreshed(f"{server.url}/m").change is Change.REPLACED
    assert tf.io.gfile.GFile(f"{path}/tfhub_module.pb", "rb").read() == b"\x08\x04"


def damage(path: pathlib.Path) -> None:
    (path / "tfhub_module.pb").write_bytes(b"\x08\x05")


def test_a_repair_brings_the_same_content() -> None:
    with servers.serving({"/m": answer_with_etag(BODY, '"1"')}) as server:
        path = resolve(f"{server.url}/m")
        damage(path)
        assert repair(f"{server.url}/m", settings.read()) == Refreshed(str(path), Change.UNCHANGED)
        assert "If-None-Match" not in server.requests[1].headers
    assert (path / "tfhub_module.pb").read_bytes() == b"\x08\x03"


@pytest.mark.parametrize("is_missing", [False, True])
def test_a_repair_never_brings_other_content(is_missing: bool) -> None:
    with servers.serving({"/m": [servers.whole(BODY), servers.whole(OTHER)]}) as server:
        path = resolve(f"{server.url}/m")
        damage(path)
        if is_missing:
            (path / "saved_model.pb").unlink()
        before = read_manifest(path)
        with pytest.raises(CacheDamagedError) as caught:
            repair(f"{server.url}/m", settings.read())
    assert str(caught.value).startswith(
        f"{path} of {server.url}/m is damaged, and {server.url}/m now has other content: "
    )
    assert str(caught.value).endswith(f"python -m hubmodule resolve --refresh {server.url}/m")
    assert read_manifest(path) == before
    assert (path / "tfhub_module.pb").read_bytes() == b"\x08\x05"


def test_a_repair_of_unknown_digests_says_so(cache_dir: pathlib.Path) -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        directory = cache_dir / make_cache_key(f"{server.url}/m")
        directory.mkdir(parents=True)
        assert repair(f"{server.url}/m", settings.read()) == Refreshed(
            str(directory), Change.REPLACED, was_known=False
        )


def test_other_content_after_damage_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with servers.serving({"/m": [servers.whole(BODY), servers.whole(OTHER)]}) as server:
        path = resolve(f"{server.url}/m")
        fetched = read_manifest(path).fetched
        (path / "saved_model.pb").unlink()
        resolve(f"{server.url}/m")
    assert caplog.messages[1:] == [
        f"{server.url}/m has other content than the damaged copy, which was fetched on {fetched} "
        f"from {server.url}/m."
    ]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
