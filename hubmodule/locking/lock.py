"""Makes lock files, and compares what is resolved with them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping

from hubmodule import urls
from hubmodule._plain_errors import HubModuleError, LockError
from hubmodule.cache import manifest as manifests
from hubmodule.cache.cache import Cache
from hubmodule.cache.maintenance import read_digests
from hubmodule.handles import parse
from hubmodule.resolver import lock_file
from hubmodule.resolver.lock_file import LockedModule
from hubmodule.resolver.resolvers import UseCache, carry_out, get_path_in_place, make_plan
from hubmodule.settings import Settings


def lock_modules(handles: Iterable[str], settings: Settings) -> dict[str, LockedModule]:
    """Resolves handles; returns what a lock file holds about them.

    Args:
        handles: Addresses and archives.
        settings: The settings; their lock file is not used.

    Raises:
        LockError: If a handle is of a directory, which is used in place, or has a password or
            a query.
        HubModuleError: As `resolvers.resolve` raises them.
    """
    settings = dataclasses.replace(settings, lock="")
    return dict(_lock_module(handle, settings) for handle in handles)


def write_lock(path: str, modules: Mapping[str, LockedModule]) -> None:
    """Writes a lock file, whole or not at all; a file there is replaced.

    Raises:
        LockError: If it cannot be written.
    """
    parent, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(parent, f".{uuid.uuid4().hex[:12]}-{name[-50:]}")
    try:
        with open(temporary, "xb") as file:
            file.write(lock_file.encode(modules))
        os.replace(temporary, path)
    except OSError as error:
        raise LockError(f"The lock file {path} cannot be written: {error.strerror}.") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def find_differences(path: str, settings: Settings) -> Iterator[tuple[str, HubModuleError | None]]:
    """Resolves all modules of a lock file, and reads each of their files.

    Yields:
        Handle of each module, and why it is not the locked one, or None.

    Raises:
        LockError: If the lock file cannot be read.
    """
    settings = dataclasses.replace(settings, lock=path)
    for handle in lock_file.read(path):
        try:
            _check_files(handle, settings)
        except HubModuleError as error:
            yield handle, error
        else:
            yield handle, None


def _lock_module(handle: str, settings: Settings) -> tuple[str, LockedModule]:
    parsed = parse(handle)
    lock_file.check_handle(parsed.text)
    plan = make_plan(parsed, settings)
    if not isinstance(plan, UseCache) or get_path_in_place(plan) is not None:
        raise LockError(
            f"{handle} is used in place, and a lock file holds what is fetched into the cache. "
            "Pack the directory and use the handle of the archive, or leave it out; unset "
            "TFHUB_MODEL_LOAD_FORMAT if it is UNCOMPRESSED."
        )
    carry_out(plan, settings)
    manifest = read_digests(Cache(settings.cache_dir), plan.key, parsed.text)
    digest = manifest.content_digest or ""
    return parsed.text, LockedModule(digest, manifest.archive_sha256 or None)


def _check_files(handle: str, settings: Settings) -> None:
    plan = make_plan(parse(handle), settings)
    directory = carry_out(plan, settings)
    cache = Cache(settings.cache_dir)
    with cache.explain_errors():
        listed = manifests.list_files(cache.file_system, directory, urls.redact(handle))
        found = manifests.add_digests(listed, cache.file_system, directory)
    lock_file.check_digest(settings.lock, handle, found.content_digest or "", directory)
