"""Where handles are fetched from."""

from __future__ import annotations

import logging
import os
import pathlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hubmodule as hub
from hubmodule._plain_errors import (
    ArchiveDamagedError,
    CacheError,
    DownloadError,
    HandleNotFoundError,
    HttpStatusError,
    InvalidHandleError,
    OfflineError,
    SettingError,
)
from hubmodule.cache.manifest import decode
from hubmodule.handles import ArchiveHandle, PathHandle, WebHandle, make_cache_key, parse
from hubmodule.resolver import mirrors
from hubmodule.resolver.mirrors import (
    Mirror,
    StorePath,
    find_places,
    locate,
    parse_mirrors,
    try_each,
)
from tests.resolver import archives, servers

HANDLE = "https://tfhub.dev/google/nnlm/1"
BODY = archives.tar_gz()
EXAMPLE = "An example: https://tfhub.dev/=https://hub.example.com/|/mnt/modules/"


def write_module(directory: pathlib.Path) -> None:
    for name, content in archives.MODULE.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read_files(directory: str) -> dict[str, bytes]:
    root = pathlib.Path(directory)
    found = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def test_rules_are_parsed_with_the_longest_prefix_first() -> None:
    assert parse_mirrors("https://a/=/m|gs://b/c\n https://a/b=https://h/?sig=x=y ") == (
        Mirror("https://a/b", ("https://h/?sig=x=y",)),
        Mirror("https://a/", ("/m", "gs://b/c")),
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("https://tfhub.dev/", "https://tfhub.dev/"),
        ("tfhub.dev/=/m", "tfhub.dev/=/m"),
        ("https://tfhub.dev/=", "https://tfhub.dev/="),
        ("https://a/=/m||/n", "https://a/=/m||/n"),
        ("=/m", "=/m"),
        ("https://me:secret@a/", "https://a/"),
    ],
)
def test_what_is_not_a_rule(text: str, rule: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_mirrors(text)
    assert str(caught.value) == (
        f"HUBMODULE_MIRRORS has the rule {rule!r}, which is not PREFIX=PLACE or "
        f"PREFIX=PLACE|PLACE. {EXAMPLE}"
    )


def test_two_rules_for_a_prefix() -> None:
    with pytest.raises(SettingError, match=r"two rules for https://a/\. Write its places into one"):
        parse_mirrors("https://a/=/m https://a/=/n")


@pytest.mark.parametrize("place", ["https://", "http://h:x/", "https://h/#a"])
def test_a_place_that_is_not_an_address(place: str) -> None:
    with pytest.raises(SettingError, match=f"has the place '{place}', which is not a valid"):
        parse_mirrors(f"https://a/={place}")


PLAIN = st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x2FF), min_size=1)


@given(
    st.dictionaries(
        st.builds("https://{}/".format, PLAIN),
        st.lists(st.one_of(PLAIN.map("/{}".format), PLAIN.map("https://h/{}=".format)), min_size=1),
        min_size=1,
    )
)
def test_rules_that_are_written_are_read(rules: dict[str, list[str]]) -> None:
    text = " ".join(f"{prefix}={'|'.join(places)}" for prefix, places in rules.items())
    found = parse_mirrors(text)
    assert {mirror.prefix: list(mirror.places) for mirror in found} == rules
    assert sorted(found, key=lambda mirror: -len(mirror.prefix)) == list(found)


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        found = parse_mirrors(text)
    except SettingError:
        return
    assert len(found) == len(text.split())


def places_of(handle: str, rules: str) -> list[str] | None:
    found = find_places(parse(handle), parse_mirrors(rules))
    if found is None:
        return None
    assert {place.text for place in found} == {handle}
    return [place.url if isinstance(place, WebHandle) else place.path for place in found]


@pytest.mark.parametrize(
    ("handle", "rules", "places"),
    [
        (HANDLE, "https://tfhub.dev/=https://h/", ["https://h/google/nnlm/1"]),
        (HANDLE, "https://tfhub.dev=https://h/x", ["https://h/x/google/nnlm/1"]),
        (
            HANDLE,
            "https://tfhub.dev/=/m|https://h|/n/",
            ["/m/google/nnlm/1", "https://h/google/nnlm/1", "/n/google/nnlm/1"],
        ),
        (HANDLE, f"{HANDLE}=/my/nnlm", ["/my/nnlm"]),
        (HANDLE, f"{HANDLE}=/a https://tfhub.dev/=/b", ["/a"]),
        (HANDLE, "https://tfhub.dev/goo=/m", None),
        ("https://tfhub.dev.evil.com/m", "https://tfhub.dev=/m", None),
        ("https://other/m", "https://tfhub.dev/=/m", None),
        ("https://me:pw@tfhub.dev/m?key=1", "https://tfhub.dev/=https://h/", ["https://h/m"]),
        ("https://a/m", "https://a/=https://h/c/?sig=x", ["https://h/c/m?sig=x"]),
        ("https://a/m", "https://a/=gs://b/c", ["gs://b/c/m"]),
        ("ram://a/m.tar.gz", "ram://a/=/m", ["/m/m.tar.gz"]),
        ("ram://a/m", "ram://a/=/m", ["/m/m"]),
        ("/local/m", "https://a/=/m", None),
    ],
)
def test_places(handle: str, rules: str, places: list[str] | None) -> None:
    assert places_of(handle, rules) == places


def test_a_pin_holds_for_each_place() -> None:
    digest = "ab" * 32
    handle = parse(f"{HANDLE}#sha256={digest}")
    found = find_places(handle, parse_mirrors("https://tfhub.dev/=/m|https://h/"))
    assert found == (
        StorePath(handle.text, "/m/google/nnlm/1", digest),
        WebHandle(handle.text, "https://h/google/nnlm/1", digest),
    )


def test_a_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert places_of("https://a/m", "https://a/=~/modules") == ["/home/me/modules/m"]


@pytest.mark.parametrize("rest", ["../x", "a/../../x", "..", "a/../.."])
def test_a_handle_does_not_leave_a_mirror(rest: str) -> None:
    with pytest.raises(InvalidHandleError, match="which leaves the places of HUBMODULE_MIRRORS"):
        places_of(f"https://a/{rest}", "https://a/=/m")


@pytest.mark.parametrize(
    "name",
    ["m/module.tar.gz", "m.tar", "m.tar.gz", "m.tgz", "m.tar.bz2", "m.tar.xz"],
)
def test_an_archive_in_a_directory(tmp_path: pathlib.Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    store = StorePath("h", str(tmp_path / "m"), "ab" * 32)
    assert locate(store) == ArchiveHandle("h", str(path), "ab" * 32)


def test_a_handle_with_the_name_of_an_archive(tmp_path: pathlib.Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(b"")
    path = str(tmp_path / "m.tar.gz")
    assert locate(StorePath("h", path)) == ArchiveHandle("h", path)


def test_a_module_in_a_directory(tmp_path: pathlib.Path) -> None:
    write_module(tmp_path / "m")
    path = str(tmp_path / "m")
    assert locate(StorePath("h", path)) == PathHandle("h", path)
    with pytest.raises(HandleNotFoundError, match="is a directory, and #sha256= pins an archive"):
        locate(StorePath("h", path, "ab" * 32))


def test_nothing_in_a_directory(tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        with pytest.raises(HandleNotFoundError, match=f"{name} is not there, or is neither"):
            locate(StorePath("h", str(tmp_path / name)))


def test_a_handle_is_fetched_from_a_server(
    monkeypatch: pytest.MonkeyPatch, cache_dir: pathlib.Path
) -> None:
    with servers.serving({"/hub/google/nnlm/1": servers.whole(BODY)}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://tfhub.dev/={server.url}/hub/")
        path = hub.resolve(HANDLE)
        assert hub.resolve(HANDLE) == path
        [request] = server.requests
    assert request.query == "tf-hub-format=compressed"
    assert path == str(cache_dir / make_cache_key(HANDLE))
    assert read_files(path) == archives.MODULE
    manifest = decode(pathlib.Path(f"{path}.manifest.json").read_bytes())
    assert manifest is not None
    assert (manifest.handle, manifest.address) == (HANDLE, f"{server.url}/hub/google/nnlm/1")


@pytest.mark.parametrize("layout", ["directory", "hub", "archive"])
@pytest.mark.parametrize("scheme", ["", "file://", "ram://"])
def test_a_handle_is_fetched_from_a_directory(
    layout: str, scheme: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    root = f"{scheme}{tmp_path}/store"
    path = f"{root}/google/nnlm/1"
    files = {
        "directory": {f"{path}/{name}": data for name, data in archives.MODULE.items()},
        "hub": {f"{path}/module.tar.gz": BODY},
        "archive": {f"{path}.tar.gz": BODY},
    }[layout]
    for name, data in files.items():
        tf.io.gfile.makedirs(name.rpartition("/")[0])
        with tf.io.gfile.GFile(name, "wb") as file:
            file.write(data)
    monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://tfhub.dev/={root}")
    # Neither of these is on the network.
    monkeypatch.setenv("HUBMODULE_OFFLINE", "1")
    assert read_files(hub.resolve(HANDLE)) == archives.MODULE


def test_a_handle_of_another_file_system_is_fetched_from_its_mirror(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, cache_dir: pathlib.Path
) -> None:
    write_module(tmp_path / "m")
    monkeypatch.setenv("HUBMODULE_MIRRORS", f"gs://no-such-bucket/={tmp_path}")
    assert hub.resolve("gs://no-such-bucket/m") == str(
        cache_dir / make_cache_key("gs://no-such-bucket/m")
    )


def test_a_directory_that_lacks_a_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, cache_dir: pathlib.Path
) -> None:
    write_module(tmp_path / "m")
    (tmp_path / "m" / "variables" / "variables.index").unlink()
    monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://a/={tmp_path}")
    with pytest.raises(
        HandleNotFoundError, match=r"m is not a complete module: variables/variables\.index is miss"
    ):
        hub.resolve("https://a/m")
    assert not (cache_dir / make_cache_key("https://a/m")).exists()


def test_a_file_whose_name_is_not_utf_8(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_module(tmp_path / "m")
    (tmp_path / "m" / "assets" / os.fsdecode(b"\xff")).write_bytes(b"")
    monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://a/={tmp_path}")
    with pytest.raises(HandleNotFoundError, match=r"has the file 'assets/\\udcff', whose name"):
        hub.resolve("https://a/m")


def test_a_wrong_setting_is_not_the_fault_of_a_place(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_module(tmp_path / "m")
    monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://a/=https://h.invalid/|{tmp_path}")
    monkeypatch.setenv("HUBMODULE_TOKENS", "nonsense")
    with pytest.raises(SettingError, match="Entry 1 of HUBMODULE_TOKENS"):
        hub.resolve("https://a/m")


def test_the_next_place_is_tried(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    archive = tmp_path / "google" / "nnlm" / "1.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(BODY)
    damaged = {"/d/google/nnlm/1": servers.whole(BODY[:-9])}
    with servers.serving(damaged) as server:
        monkeypatch.setenv(
            "HUBMODULE_MIRRORS", f"https://tfhub.dev/={server.url}|{server.url}/d|{tmp_path}"
        )
        assert read_files(hub.resolve(HANDLE)) == archives.MODULE
    tried = [message for message in caplog.messages if message.endswith("HUBMODULE_MIRRORS.")]
    assert ["404 Not Found" in tried[0], "cut off" in tried[1], len(tried)] == [True, True, 2]


def test_an_error_lists_each_place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving({}) as server:
        url = server.url.replace("http://", "http://me:secret@")
        rules = f"https://tfhub.dev/={url}/a?key=secret|{tmp_path}"
        monkeypatch.setenv("HUBMODULE_MIRRORS", rules)
        with pytest.raises(DownloadError) as caught:
            hub.resolve(f"{HANDLE}?key=secret")
        assert len(server.requests) == 1
    first, second, third = str(caught.value).split("\n")
    assert first == f"Cannot fetch {HANDLE} from any place of HUBMODULE_MIRRORS:"
    assert second.startswith(
        f"    Cannot fetch {HANDLE} from {server.url}/a/google/nnlm/1: the server answered 404"
    )
    assert third.startswith(f"    {tmp_path}/google/nnlm/1 is not there, or is neither a module")


def test_a_single_place_raises_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving({}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://tfhub.dev/={server.url}")
        with pytest.raises(HttpStatusError) as caught:
            hub.resolve(HANDLE)
    assert caught.value.code == 404


def test_a_full_disk_is_not_the_fault_of_a_place() -> None:
    tried = []

    def use(place: int) -> None:
        tried.append(place)
        raise CacheError("No space left on device")

    with pytest.raises(CacheError):
        try_each("h", [1, 2], use)
    assert tried == [1]


def test_each_place_gets_an_empty_directory(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = archives.tar_gz({"left-over": b"1"})[:-9]
    with servers.serving({"/a/m": servers.whole(other), "/b/m": servers.whole(BODY)}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={server.url}/a|{server.url}/b")
        assert read_files(hub.resolve("https://h/m")) == archives.MODULE


def test_offline_a_mirror_on_the_network_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={server.url}/")
        monkeypatch.setenv("HUBMODULE_OFFLINE", "1")
        with pytest.raises(OfflineError):
            hub.resolve("https://h/m")
        assert server.requests == []


def test_a_mirror_says_where_the_unpacked_module_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving({"/m": servers.status(303, b"gs://b/m")}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={server.url}/x|{server.url}/")
        monkeypatch.setenv("TFHUB_MODEL_LOAD_FORMAT", "UNCOMPRESSED")
        with pytest.raises(DownloadError):
            hub.resolve("https://h/n")
        assert hub.resolve("https://h/m") == "gs://b/m"


def test_a_module_of_a_mirror_gets_the_rights_of_the_group(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, cache_dir: pathlib.Path
) -> None:
    cache_dir.mkdir()
    cache_dir.chmod(0o2770)
    write_module(tmp_path / "store" / "m")
    (tmp_path / "store" / "m" / "assets").chmod(0o700)
    monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={tmp_path}/store")
    path = pathlib.Path(hub.resolve("https://h/m"))
    modes = {found.stat().st_mode & 0o070 for found in path.rglob("*") if found.is_dir()}
    assert modes == {0o070}
    assert {f.stat().st_mode & 0o060 for f in path.rglob("*") if f.is_file()} == {0o060}


def test_a_damaged_archive_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving({"/m": servers.whole(BODY[:-9])}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://h/={server.url}")
        with pytest.raises(ArchiveDamagedError, match=f"unpack https://h/m, where {server.url}/m"):
            hub.resolve("https://h/m")


def test_the_rules_are_parsed_once() -> None:
    parse_mirrors.cache_clear()
    for _ in range(3):
        mirrors.parse_mirrors("https://a/=/m")
    assert parse_mirrors.cache_info().misses == 1


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
