"""Fetches the archive of a handle, and unpacks it into a directory as it arrives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from hubmodule._plain_errors import ArchiveDamagedError, ArchiveError, DownloadError
from hubmodule.file_systems import FileSystem, find_file_system
from hubmodule.resolver import urls
from hubmodule.resolver.archive import NotAnArchiveError, unpack
from hubmodule.resolver.handles import (
    ArchiveHandle,
    WebHandle,
    check_exists,
    make_unreadable_error,
)
from hubmodule.resolver.http import Download, StartAgain
from hubmodule.resolver.manifest import FileRecord
from hubmodule.resolver.progress import open_progress
from hubmodule.resolver.read_ahead import read_ahead
from hubmodule.resolver.retries import Retries
from hubmodule.settings import Settings

_PIECES_AHEAD = 16  # of at most 1 MiB
_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml")


def fetch(
    handle: WebHandle | ArchiveHandle, settings: Settings, file_system: FileSystem, directory: str
) -> list[FileRecord]:
    """Fetches the archive of a handle and unpacks it into an empty directory.

    Args:
        handle: Handle of the archive.
        settings: Time-outs, retries, limits and progress.
        file_system: File system of `directory`.
        directory: Path of the empty directory.

    Returns:
        The files, with their digests.

    Raises:
        DownloadError: If a server does not send the archive.
        HandleNotFoundError: If the archive is missing or cannot be read.
        ArchiveError: If it cannot be unpacked. The directory may then hold anything.
    """
    if isinstance(handle, WebHandle):
        return _fetch_from_web(handle, settings, file_system, directory)
    check_exists(handle.path)
    source, path = find_file_system(handle.path)
    pieces = _translate_errors(source.read_pieces(path), handle.path)
    try:
        return _unpack(pieces, handle, settings, file_system, directory)
    except ArchiveError as error:
        raise type(error)(f"Cannot unpack {handle.path}: {error}") from error


def _fetch_from_web(
    handle: WebHandle, settings: Settings, file_system: FileSystem, directory: str
) -> list[FileRecord]:
    name = urls.redact(handle.text)
    with (
        open_progress(name, settings.show_progress) as report,
        Download(handle, settings, Retries(settings.retries), report) as download,
    ):
        try:
            while True:
                try:
                    pieces, abort = download.read_pieces(), download.abort
                    return _unpack(pieces, handle, settings, file_system, directory, abort)
                except StartAgain:
                    file_system.remove(directory)
                    file_system.make_directory(directory)
        except ArchiveError as error:
            if _is_web_page(download, error):
                raise DownloadError(
                    f"Cannot fetch {name}: {download.answer}, a web page instead of an archive. "
                    "The model may be gone, need a login, or not offer this format: open the "
                    "address in a browser, and use the address of a .tar.gz."
                ) from error
            message = f"Cannot unpack {name}, where {download.answer}: {error}"
            raise type(error)(message) from error


def _unpack(
    pieces: Iterable[bytes],
    handle: WebHandle | ArchiveHandle,
    settings: Settings,
    file_system: FileSystem,
    directory: str,
    abort: Callable[[], None] = lambda: None,
) -> list[FileRecord]:
    digest = hashlib.sha256()
    if handle.sha256:
        pieces = _tee(pieces, digest.update)
    with read_ahead(pieces, _PIECES_AHEAD, abort) as pieces_ahead:
        records = unpack(
            pieces_ahead,
            file_system,
            directory,
            settings.max_archive_entries,
            settings.max_archive_bytes,
        )
    if handle.sha256 and digest.hexdigest() != handle.sha256:
        raise ArchiveDamagedError(
            f"The archive has the sha256 {digest.hexdigest()}, but the handle pins "
            f"{handle.sha256}. It was changed or damaged: do not use it, or pin the new one if "
            "you trust it."
        )
    return records


def _is_web_page(download: Download, error: ArchiveError) -> bool:
    if not isinstance(error, NotAnArchiveError):
        return False
    return download.is_web_page or error.start.lstrip().lower().startswith(_PAGE_STARTS)


def _tee(pieces: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece


def _translate_errors(pieces: Iterable[bytes], path: str) -> Iterator[bytes]:
    try:
        yield from pieces
    except OSError as error:
        raise make_unreadable_error(path, error) from error
