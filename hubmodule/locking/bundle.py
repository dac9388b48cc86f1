"""Bundles: a tar of a lock file and its modules, for machines without a network.

modules.lock            the lock file
<key>/saved_model.pb    the files of a module; key = sha1 of the handle, as in the cache
…
"""

from __future__ import annotations

import dataclasses
import hashlib
import posixpath
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from hubmodule import urls
from hubmodule._plain_errors import (
    ArchiveError,
    ArchiveRefusedError,
    CacheDamagedError,
    HubModuleError,
    LockError,
)
from hubmodule.cache import manifest as manifests
from hubmodule.cache.cache import Cache
from hubmodule.cache.maintenance import read_digests
from hubmodule.cache.manifest import FileRecord, Manifest
from hubmodule.file_systems import find_file_system
from hubmodule.handles import make_cache_key
from hubmodule.resolver import lock_file
from hubmodule.resolver.archive import unpack
from hubmodule.resolver.fetch import read_archive
from hubmodule.resolver.lock_file import LockedModule
from hubmodule.resolver.resolvers import resolve_with
from hubmodule.settings import Settings
from hubmodule.tar_writer import TarWriter

_LOCK_NAME = "modules.lock"
_SUFFIX = ".tar"


def write_bundle(lock: str, out: str, settings: Settings) -> list[str]:
    """Writes a bundle, whole or not at all, and always the same bytes for the same lock file.

    Args:
        lock: Path of the lock file.
        out: Path of the bundle on any TensorFlow file system; a file there is replaced.
        settings: The settings; modules that are not in the cache are fetched.

    Returns:
        The handles of the modules.

    Raises:
        LockError: If the lock file cannot be read, or a module is not the locked one.
        CacheDamagedError: If a file in the cache has other bytes than when it was fetched.
        HubModuleError: As `resolvers.resolve` raises them.
    """
    if not out.endswith(_SUFFIX):
        raise ArchiveError(f"A bundle is a {_SUFFIX}; choose another name than {out}.")
    modules = lock_file.read(lock)
    settings = dataclasses.replace(settings, lock=lock)
    for handle in modules:
        resolve_with(handle, settings)
    file_system, path = find_file_system(out)
    parent, name = posixpath.split(path)
    temporary = posixpath.join(parent, f".{uuid.uuid4().hex[:12]}-{name[-50:]}")
    try:
        with file_system.open_new(temporary) as file:
            _write_entries(file, modules, Cache(settings.cache_dir))
        file_system.replace_file(temporary, path)
    except HubModuleError:
        raise
    except OSError as error:
        raise ArchiveError(
            f"The bundle {out} cannot be written: {error.strerror or error}."
        ) from error
    finally:
        file_system.remove(temporary)
    return sorted(modules)


def install_bundle(path: str, settings: Settings) -> dict[str, bool]:
    """Puts all modules of a bundle into the cache, or none if one is not as it should be.

    Args:
        path: Path of the bundle, on any TensorFlow file system; it may be compressed.
        settings: The settings. If they have a lock file, the modules must match that too.

    Returns:
        For each handle, whether the module was in the cache already.

    Raises:
        LockError: If a module is not the one of the lock file in the bundle or in the
            settings, or if the cache has other content for its handle.
        HandleNotFoundError: If the bundle does not exist, or cannot be read.
        ArchiveError: If it is damaged, or not safe to unpack.
        CacheError: If the cache cannot be used.
    """
    pieces = read_archive(path)
    cache = Cache(settings.cache_dir)
    with cache.explain_errors():
        cache.prepare()
        cache.sweep()
        with cache.make_temporary_directory("bundle") as directory:
            records = _unpack(pieces, path, settings, cache, directory)
            found = _check_modules(records, path, settings, cache, directory)
            present = {handle: _is_cached(cache, manifest) for handle, manifest in found.items()}
            for handle, manifest in found.items():
                key = make_cache_key(handle)
                if not present[handle]:
                    with cache.lock(key, settings.lock_timeout, handle):
                        cache.publish(key, f"{directory}/{key}", manifest)
    return present


def _write_entries(file: BinaryIO, modules: Mapping[str, LockedModule], cache: Cache) -> None:
    tar = TarWriter(file.write)
    content = lock_file.encode(modules)
    tar.add(_LOCK_NAME, len(content), [content])
    for handle in sorted(modules):
        key = make_cache_key(handle)
        directory = cache.get_path(key)
        for record in sorted(read_digests(cache, key, handle).files, key=lambda file: file.path):
            path = f"{directory}/{record.path}"
            digest = hashlib.sha256()
            pieces = _update_digest(digest, cache.file_system.read_pieces(path))
            size = tar.add(f"{key}/{record.path}", record.size, pieces)
            if (size, digest.hexdigest()) != (record.size, record.sha256):
                raise CacheDamagedError(
                    f"{path} has other bytes than when it was fetched. Repair it: python -m "
                    f"hubmodule cache verify --repair {urls.redact(handle)}"
                )
    tar.end()


def _update_digest(digest: hashlib._Hash, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yields pieces, and adds each to a digest."""
    for piece in pieces:
        digest.update(piece)
        yield piece


def _unpack(
    pieces: Iterable[bytes], path: str, settings: Settings, cache: Cache, directory: str
) -> list[FileRecord]:
    try:
        return unpack(
            pieces,
            cache.file_system,
            directory,
            settings.max_archive_entries,
            settings.max_archive_bytes,
        )
    except ArchiveError as error:
        raise type(error)(f"Cannot unpack the bundle {path}: {error}") from error


def _check_modules(
    records: Iterable[FileRecord], path: str, settings: Settings, cache: Cache, directory: str
) -> dict[str, Manifest]:
    """Checks the modules of an unpacked bundle; returns their manifests by their handles."""
    files: dict[str, list[FileRecord]] = {}
    for record in records:
        key, _, rest = record.path.partition("/")
        files.setdefault(key, []).append(dataclasses.replace(record, path=rest))
    if [record.path for record in files.pop(_LOCK_NAME, [])] != [""]:
        raise ArchiveRefusedError(
            f"{path} is not a bundle: it has no {_LOCK_NAME}. Make one: python -m hubmodule "
            "bundle modules.lock OUT.tar"
        )
    locked = lock_file.decode(
        cache.file_system.read(f"{directory}/{_LOCK_NAME}"), f"{_LOCK_NAME} of {path}"
    )
    found = {
        handle: Manifest(
            handle,
            manifests.get_time(),
            tuple(files.pop(make_cache_key(handle), [])),
            archive_sha256=module.archive_sha256 or "",
            address=urls.redact(path),
        )
        for handle, module in locked.items()
    }
    if files:
        raise ArchiveRefusedError(
            f"The bundle {path} is refused: it has {sorted(files)[0]!r}, which its {_LOCK_NAME} "
            "does not name. Make it again."
        )
    for handle, manifest in found.items():
        _check_module(handle, manifest, locked[handle], path, settings)
    return found


def _check_module(
    handle: str, manifest: Manifest, locked: LockedModule, path: str, settings: Settings
) -> None:
    lock_file.check_handle(handle)
    if not manifest.files:
        raise LockError(
            f"The bundle {path} has no files of {handle}, which its {_LOCK_NAME} names. Make it "
            "again."
        )
    digest = manifest.content_digest or ""
    if digest != locked.sha256:
        raise LockError(
            f"{handle} in the bundle {path} has the content {digest}, but its {_LOCK_NAME} has "
            f"{locked.sha256}. The bundle is damaged or was changed: do not use it, make it again."
        )
    if settings.lock:
        lock_file.check_digest(settings.lock, handle, digest, f"the bundle {path}")


def _is_cached(cache: Cache, manifest: Manifest) -> bool:
    """Whether the cache has the content of a manifest.

    Raises:
        LockError: If it has other content for the handle.
    """
    key = make_cache_key(manifest.handle)
    if not cache.check_health(key).is_usable:
        return False
    cached = read_digests(cache, key, manifest.handle)
    if cached.content_digest != manifest.content_digest:
        raise LockError(
            f"{manifest.handle} is in the cache {cache.root} with other content: "
            f"{cached.content_digest} instead of {manifest.content_digest}. Nothing was installed. "
            f"To take that of the bundle: python -m hubmodule cache remove {manifest.handle}"
        )
    return True
