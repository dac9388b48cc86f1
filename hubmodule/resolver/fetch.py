"""Fetches an archive and unpacks it into a folder, both at the same time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from hubmodule._plain_errors import (
    ArchiveDamagedError,
    ArchiveError,
    DownloadError,
)
from hubmodule.resolver import decompress, urls
from hubmodule.resolver.archive import Limits, unpack
from hubmodule.resolver.decompress import NotAnArchiveError
from hubmodule.resolver.handles import ArchiveHandle, WebHandle
from hubmodule.resolver.http import Download, StartAgain
from hubmodule.resolver.manifest import FileRecord
from hubmodule.resolver.pipeline import Ahead
from hubmodule.resolver.progress import progress_for
from hubmodule.resolver.retries import Retries
from hubmodule.resolver.sources import check_exists, unreadable
from hubmodule.resolver.storage import Storage, storage_for
from hubmodule.settings import Settings

# Chunks of a quarter, and pieces of up to one MiB.
_CHUNKS_AHEAD = 16
_PIECES_AHEAD = 8


class Target:
    """The folder of a storage that an archive is unpacked into."""

    def __init__(self, storage: Storage, folder: str):
        self._storage = storage
        self._folder = folder

    def create(self, path: str) -> BinaryIO:
        """Opens a new file for writing. Raises FileExistsError."""
        return self._storage.create(f"{self._folder}/{path}")

    def remove(self, path: str) -> None:
        """Removes a file."""
        self._storage.remove(f"{self._folder}/{path}")

    def make_folder(self, path: str) -> None:
        """Makes a folder and its parents, where they are missing."""
        self._storage.make_folder(f"{self._folder}/{path}")

    def clear(self) -> None:
        """Removes all that is in it."""
        self._storage.remove(self._folder)
        self._storage.make_folder(self._folder)


def fetch(
    handle: WebHandle | ArchiveHandle, settings: Settings, target: Target
) -> list[FileRecord]:
    """Fetches the archive of a handle and unpacks it into an empty folder.

    Returns:
        The files, with their digests.

    Raises:
        DownloadError, HandleNotFoundError, ArchiveError: if that is not possible. The
            folder may then hold anything.
    """
    if isinstance(handle, WebHandle):
        return _fetch_from_web(handle, settings, target)
    return _fetch_from_file(handle, settings, target)


def _fetch_from_web(handle: WebHandle, settings: Settings, target: Target) -> list[FileRecord]:
    name = urls.shown(handle.text)
    progress = progress_for(name, settings.show_progress)
    try:
        with Download(handle, settings, Retries(settings.retries), progress.report) as download:
            try:
                return _until_done(handle, download, settings, target)
            except NotAnArchiveError as error:
                raise _not_an_archive(name, download, error) from error
            except ArchiveError as error:
                message = f"Cannot unpack {name}, where {download.answer}: {error}"
                raise type(error)(message) from error
    finally:
        progress.close()


def _until_done(
    handle: WebHandle, download: Download, settings: Settings, target: Target
) -> list[FileRecord]:
    while True:
        try:
            return _unpack(download.chunks(), settings, target, handle.sha256, abort=download.abort)
        except StartAgain:
            target.clear()


def _fetch_from_file(handle: ArchiveHandle, settings: Settings, target: Target) -> list[FileRecord]:
    check_exists(handle.path)
    storage, path = storage_for(handle.path)
    try:
        return _unpack(
            _readable(storage.chunks(path), handle.path), settings, target, handle.sha256
        )
    except ArchiveError as error:
        raise type(error)(f"Cannot unpack {handle.path}: {error}") from error


def _unpack(
    chunks: Iterator[bytes],
    settings: Settings,
    target: Target,
    sha256: str | None,
    abort: Callable[[], None] = lambda: None,
) -> list[FileRecord]:
    digest = hashlib.sha256()
    if sha256:
        chunks = _hashed(chunks, digest.update)
    limits = Limits(settings.max_archive_entries, settings.max_archive_bytes)
    with Ahead(chunks, _CHUNKS_AHEAD, abort) as received:
        tar = decompress.tar_pieces(received)
        with Ahead(tar.pieces, _PIECES_AHEAD) as pieces:
            records = unpack(pieces, target, limits, needs_end=not tar.checked)
    if sha256 and digest.hexdigest() != sha256:
        raise ArchiveDamagedError(
            f"The archive has the sha256 {digest.hexdigest()}, but the handle pins {sha256}. It "
            "was changed or damaged: do not use it, or pin the new one if you trust it."
        )
    return records


def _readable(chunks: Iterable[bytes], path: str) -> Iterator[bytes]:
    try:
        yield from chunks
    except OSError as error:
        raise unreadable(path, error) from error


def _hashed(chunks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def _not_an_archive(name: str, download: Download, error: NotAnArchiveError) -> Exception:
    start = error.start.lstrip()[:64].lower()
    if download.is_web_page or start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return DownloadError(
            f"Cannot fetch {name}: {download.answer}, a web page instead of an archive. The model "
            "may be gone, need a login, or not offer this format: open the address in a browser, "
            "and use the address of a .tar.gz."
        )
    return NotAnArchiveError(f"Cannot unpack {name}, where {download.answer}: {error}", error.start)
