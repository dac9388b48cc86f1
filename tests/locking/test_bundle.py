"""Bundles: written whole, and unpacked only if all in them is as it should be."""

from __future__ import annotations

import concurrent.futures
import io
import os
import pathlib
import subprocess
import sys
import tarfile

import pytest

import hubmodule as hub
from hubmodule import settings
from hubmodule._plain_errors import (
    ArchiveDamagedError,
    ArchiveError,
    ArchiveRefusedError,
    CacheDamagedError,
    HandleNotFoundError,
    LockError,
)
from hubmodule.cache.manifest import compute_content_digest
from hubmodule.handles import make_cache_key
from hubmodule.locking.bundle import install_bundle, write_bundle
from hubmodule.locking.lock import lock_modules, write_lock
from hubmodule.resolver import lock_file
from hubmodule.resolver.lock_file import LockedModule
from tests.locking.conftest import SMALL
from tests.resolver import archives


@pytest.fixture
def lock(tmp_path: pathlib.Path, handles: list[str]) -> str:
    path = str(tmp_path / "modules.lock")
    write_lock(path, lock_modules(handles, settings.read()))
    return path


@pytest.fixture
def bundle(lock: str, tmp_path: pathlib.Path) -> pathlib.Path:
    write_bundle(lock, str(tmp_path / "out.tar"), settings.read())
    return tmp_path / "out.tar"


@pytest.fixture
def elsewhere(
    bundle: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> pathlib.Path:
    """The empty cache of a machine without a network, where the bundle was brought to."""
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HUBMODULE_OFFLINE", "1")
    return tmp_path / "elsewhere"


def read_files(directory: str) -> dict[str, bytes]:
    root = pathlib.Path(directory)
    found = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def install(bundle: pathlib.Path) -> dict[str, bool]:
    return install_bundle(str(bundle), settings.read())


def list_modules(cache: pathlib.Path) -> list[str]:
    return sorted(name for name in os.listdir(cache) if not name.startswith("."))


def test_what_a_bundle_holds(bundle: pathlib.Path, lock: str, handles: list[str]) -> None:
    key, small = (make_cache_key(handle) for handle in handles)
    with tarfile.open(bundle) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        content = {m.name: tar.extractfile(m).read() for m in members}  # type: ignore[union-attr]
    assert [member.name for member in members] == [
        "modules.lock",
        *(f"{key}/{name}" for name in sorted(archives.MODULE)),
        f"{small}/saved_model.pb",
    ]
    assert {(m.mtime, m.mode, m.uid, m.gid, m.uname, m.gname) for m in members} == {
        (315532800, 0o644, 0, 0, "", "")
    }
    assert content["modules.lock"] == pathlib.Path(lock).read_bytes()
    assert content[f"{small}/saved_model.pb"] == SMALL["saved_model.pb"]


def test_the_same_modules_make_the_same_bundle(
    bundle: pathlib.Path, lock: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "another"))
    write_bundle(lock, str(tmp_path / "second.tar"), settings.read())
    assert (tmp_path / "second.tar").read_bytes() == bundle.read_bytes()


def test_a_bundle_replaces_another(lock: str, bundle: pathlib.Path) -> None:
    content = bundle.read_bytes()
    bundle.write_bytes(b"before")
    write_bundle(lock, str(bundle), settings.read())
    assert bundle.read_bytes() == content


def test_a_bundle_has_the_locked_modules_only(
    lock: str, handles: list[str], tmp_path: pathlib.Path
) -> None:
    wrong = {handles[0]: LockedModule("0" * 64)}
    write_lock(lock, wrong)
    with pytest.raises(LockError):
        write_bundle(lock, str(tmp_path / "out.tar"), settings.read())
    assert not (tmp_path / "out.tar").exists()


def test_a_cached_file_with_other_bytes_is_not_bundled(
    lock: str, handles: list[str], tmp_path: pathlib.Path
) -> None:
    path = pathlib.Path(hub.resolve(handles[0])) / "tfhub_module.pb"
    path.write_bytes(b"\x08\x04")
    with pytest.raises(CacheDamagedError, match=f"^{path} has other bytes than when it was fetche"):
        write_bundle(lock, str(tmp_path / "out.tar"), settings.read())
    assert sorted(os.listdir(tmp_path)) == ["cache", "modules.lock"]


def test_a_bundle_that_cannot_be_written(lock: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    out = f"{tmp_path}/file/out.tar"
    with pytest.raises(ArchiveError, match=f"^The bundle {out} cannot be written: File exists"):
        write_bundle(lock, out, settings.read())


def test_a_bundle_is_a_tar(lock: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ArchiveError, match=r"A bundle is a \.tar; choose another name than out\.z"):
        write_bundle(lock, "out.zip", settings.read())


def test_a_bundle_fills_a_cache(
    bundle: pathlib.Path, elsewhere: pathlib.Path, handles: list[str]
) -> None:
    assert install(bundle) == dict.fromkeys(handles, False)
    assert read_files(hub.resolve(handles[0])) == archives.MODULE
    assert read_files(hub.resolve(handles[1])) == SMALL
    assert install(bundle) == dict.fromkeys(handles, True)
    assert os.listdir(elsewhere / ".hubmodule" / "tmp") == []


def test_a_bundle_keeps_the_digests(
    bundle: pathlib.Path, elsewhere: pathlib.Path, lock: str, handles: list[str]
) -> None:
    install(bundle)
    assert lock_modules(handles, settings.read()) == lock_file.read(lock)


def test_a_bundle_in_other_file_systems(
    lock: str, handles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bundle(lock, "ram://test_bundle/out.tar", settings.read())
    monkeypatch.setenv("TFHUB_CACHE_DIR", "ram://test_bundle/cache")
    present = install_bundle("ram://test_bundle/out.tar", settings.read())
    assert present == dict.fromkeys(handles, False)
    monkeypatch.setenv("HUBMODULE_OFFLINE", "1")
    assert hub.resolve(handles[0]) == f"ram://test_bundle/cache/{make_cache_key(handles[0])}"


def test_a_compressed_bundle(
    bundle: pathlib.Path, elsewhere: pathlib.Path, handles: list[str]
) -> None:
    import gzip

    packed = bundle.with_name("out.tar.gz")
    packed.write_bytes(gzip.compress(bundle.read_bytes()))
    assert install(packed) == dict.fromkeys(handles, False)


def test_a_damaged_module_in_the_cache_is_replaced(
    bundle: pathlib.Path, elsewhere: pathlib.Path, handles: list[str]
) -> None:
    install(bundle)
    path = pathlib.Path(hub.resolve(handles[0])) / "saved_model.pb"
    path.unlink()
    assert install(bundle) == {handles[0]: False, handles[1]: True}
    assert path.read_bytes() == archives.MODULE["saved_model.pb"]


def make_bundle(
    path: pathlib.Path, modules: dict[str, LockedModule], files: dict[str, bytes]
) -> pathlib.Path:
    path.write_bytes(archives.tar({"modules.lock": lock_file.encode(modules), **files}))
    return path


def test_other_content_in_the_cache_is_kept(
    bundle: pathlib.Path, elsewhere: pathlib.Path, handles: list[str]
) -> None:
    directory = elsewhere / make_cache_key(handles[1])
    directory.mkdir(parents=True)
    (directory / "saved_model.pb").write_bytes(b"other")
    with pytest.raises(LockError) as caught:
        install(bundle)
    assert f"{handles[1]} is in the cache {elsewhere} with other content: " in str(caught.value)
    assert str(caught.value).endswith(f"python -m hubmodule cache remove {handles[1]}")
    assert (directory / "saved_model.pb").read_bytes() == b"other"
    assert not (elsewhere / make_cache_key(handles[0])).exists()


def change_last_module(bundle: pathlib.Path, lock: str) -> None:
    content = bundle.read_bytes()
    assert content.count(SMALL["saved_model.pb"]) == 1
    bundle.write_bytes(content.replace(SMALL["saved_model.pb"], SMALL["saved_model.pb"].upper()))


def test_a_changed_module_keeps_all_out(
    bundle: pathlib.Path, elsewhere: pathlib.Path, lock: str, handles: list[str]
) -> None:
    change_last_module(bundle, lock)
    with pytest.raises(LockError) as caught:
        install(bundle)
    assert str(caught.value).startswith(f"{handles[1]} in the bundle {bundle} has the content ")
    assert list_modules(elsewhere) == []
    assert os.listdir(elsewhere / ".hubmodule" / "tmp") == []


@pytest.mark.parametrize("end", [0, 100, 700, 3000, -1600])
def test_a_bundle_that_is_cut_off(end: int, bundle: pathlib.Path, elsewhere: pathlib.Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:end])
    with pytest.raises(ArchiveDamagedError, match=f"^Cannot unpack the bundle {bundle}: "):
        install(bundle)
    assert list_modules(elsewhere) == []


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("../../evil", tarfile.REGTYPE, ""),
        ("{key}/../../evil", tarfile.REGTYPE, ""),
        ("{key}/link", tarfile.SYMTYPE, "/etc/passwd"),
        ("{key}/link", tarfile.LNKTYPE, "modules.lock"),
        ("{key}/device", tarfile.CHRTYPE, ""),
        ("c:/evil", tarfile.REGTYPE, ""),
    ],
)
def test_a_hostile_bundle(
    name: str,
    kind: bytes,
    link: str,
    bundle: pathlib.Path,
    elsewhere: pathlib.Path,
    handles: list[str],
    tmp_path: pathlib.Path,
) -> None:
    out = io.BytesIO(bundle.read_bytes())
    with tarfile.open(fileobj=out, mode="a") as tar:
        archives.add(tar, name.format(key=make_cache_key(handles[0])), b"", kind, link)
    bundle.write_bytes(out.getvalue())
    with pytest.raises(
        ArchiveRefusedError, match=r"^Cannot unpack the bundle .* is refused: its en"
    ):
        install(bundle)
    assert list_modules(elsewhere) == []
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("name", ["more", f"{'ab' * 20}/saved_model.pb", "modules.lock/x"])
def test_a_file_that_no_module_needs(
    name: str, tmp_path: pathlib.Path, elsewhere: pathlib.Path
) -> None:
    bundle = tmp_path / "evil.tar"
    files = (
        {name: b"1"}
        if name.startswith("modules.lock")
        else {"modules.lock": lock_file.encode({}), name: b"1"}
    )
    bundle.write_bytes(archives.tar(files))
    with pytest.raises(ArchiveRefusedError, match=r"it has no modules.lock|does not name"):
        install(bundle)
    assert list_modules(elsewhere) == []


def test_a_module_that_is_missing(tmp_path: pathlib.Path, elsewhere: pathlib.Path) -> None:
    modules = {"https://h/m": LockedModule(compute_content_digest([]))}
    bundle = make_bundle(tmp_path / "b.tar", modules, {})
    with pytest.raises(LockError, match=r"no files of https://h/m, which its modules.lock names"):
        install(bundle)


def test_a_module_archive_is_not_a_bundle(tmp_path: pathlib.Path, elsewhere: pathlib.Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(archives.tar_gz())
    with pytest.raises(ArchiveRefusedError) as caught:
        install(tmp_path / "m.tar.gz")
    assert str(caught.value) == (
        f"{tmp_path}/m.tar.gz is not a bundle: it has no modules.lock. Make one: python -m "
        "hubmodule bundle modules.lock OUT.tar"
    )


def test_a_bundle_without_the_files_of_a_module(
    bundle: pathlib.Path, handles: list[str], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "less.tar"
    with tarfile.open(bundle) as whole, tarfile.open(path, "w") as less:
        less.addfile(whole.getmember("modules.lock"), whole.extractfile("modules.lock"))
    with pytest.raises(LockError, match=f"The bundle {path} has no files of {handles[0]}"):
        install(path)


def test_a_lock_in_a_bundle_that_is_not_one(
    tmp_path: pathlib.Path, elsewhere: pathlib.Path
) -> None:
    (tmp_path / "b.tar").write_bytes(archives.tar({"modules.lock": b"no"}))
    with pytest.raises(LockError, match=f"^modules.lock of {tmp_path}/b.tar is not a lock file"):
        install(tmp_path / "b.tar")


def test_no_bundle(elsewhere: pathlib.Path) -> None:
    with pytest.raises(HandleNotFoundError, match=r"^/no/such\.tar does not exist"):
        install(pathlib.Path("/no/such.tar"))


def test_the_lock_that_is_set_holds_for_a_bundle(
    bundle: pathlib.Path,
    elsewhere: pathlib.Path,
    handles: list[str],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_lock(str(tmp_path / "mine"), {handles[0]: LockedModule("0" * 64)})
    monkeypatch.setenv("HUBMODULE_LOCK", str(tmp_path / "mine"))
    with pytest.raises(LockError, match=f"{handles[0]} in the bundle {bundle} has the content"):
        install(bundle)
    assert list_modules(elsewhere) == []


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_group_can_use_and_remove_what_a_bundle_brought(
    umask: int, bundle: pathlib.Path, elsewhere: pathlib.Path, handles: list[str]
) -> None:
    elsewhere.mkdir()
    elsewhere.chmod(0o2770)
    old = os.umask(umask)
    try:
        install(bundle)
    finally:
        os.umask(old)
    found = list((elsewhere / make_cache_key(handles[0])).rglob("*"))
    found.append(elsewhere / make_cache_key(handles[0]))
    assert {path.stat().st_mode & 0o070 for path in found if path.is_dir()} == {0o070}
    assert {path.stat().st_mode & 0o060 for path in found if path.is_file()} == {0o060}


def test_eight_processes_fill_one_cache(bundle: pathlib.Path, elsewhere: pathlib.Path) -> None:
    def run(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hubmodule", "unbundle", str(bundle)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
        )

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(run, range(8)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 8
    assert len([name for name in list_modules(elsewhere) if "." not in name]) == 2
    assert os.listdir(elsewhere / ".hubmodule" / "tmp") == []


def test_an_interrupted_bundle_leaves_nothing(
    lock: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hubmodule.file_systems import LocalFileSystem

    def interrupt(self: object, source: str, target: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalFileSystem, "replace_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(lock, str(tmp_path / "out.tar"), settings.read())
    assert sorted(os.listdir(tmp_path)) == ["cache", "modules.lock"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
