"""Fetches the archive of a handle and unpacks it into a directory, while it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from hubmodule._plain_errors import ArchiveDamagedError, ArchiveError, DownloadError
from hubmodule.file_systems import FileSystem, find_file_system
from hubmodule.resolver import urls
from hubmodule.resolver.archive import Limits, NotAnArchiveError, unpack
from hubmodule.resolver.handles import ArchiveHandle, WebHandle
from hubmodule.resolver.http import Download, StartAgain
from hubmodule.resolver.manifest import FileRecord
from hubmodule.resolver.progress import open_progress
from hubmodule.resolver.read_ahead import read_ahead
from hubmodule.resolver.retries import Retries
from hubmodule.resolver.sources import check_exists, make_unreadable_error
from hubmodule.settings import Settings

_PIECES_AHEAD = 16  # of at most 1 MiB
_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml")


def fetch(
    handle: WebHandle | ArchiveHandle, settings: Settings, file_system: FileSystem, directory: str
) -> list[FileRecord]:
    """Fetches the archive of a handle and unpacks it into an empty directory.

    Args:
        handle: Where the archive is.
        settings: Time-outs, retries, limits and progress.
        file_system: File system of `directory`.
        directory: Path of the empty directory.

    Returns:
        The files, with their digests.

    Raises:
        DownloadError: if a server does not send the archive.
        HandleNotFoundError: if the archive is missing or cannot be read.
        ArchiveError: if it cannot be unpacked. The directory may then hold anything.
    """
    unpacker = _Unpacker(handle.sha256, settings, file_system, directory)
    if isinstance(handle, WebHandle):
        return _fetch_from_web(handle, settings, unpacker)
    check_exists(handle.path)
    source, path = find_file_system(handle.path)
    pieces = _translate_errors(source.read_pieces(path), handle.path)
    try:
        return unpacker.unpack(pieces)
    except ArchiveError as error:
        raise type(error)(f"Cannot unpack {handle.path}: {error}") from error


class _Unpacker:
    """Unpacks archives into one directory, and checks the digest that a handle pins."""

    def __init__(
        self, sha256: str | None, settings: Settings, file_system: FileSystem, directory: str
    ):
        self._sha256 = sha256
        self._limits = Limits(settings.max_archive_entries, settings.max_archive_bytes)
        self._file_system = file_system
        self._directory = directory

    def clear(self) -> None:
        """Empties the directory."""
        self._file_system.remove(self._directory)
        self._file_system.make_directory(self._directory)

    def unpack(
        self, pieces: Iterable[bytes], abort: Callable[[], None] = lambda: None
    ) -> list[FileRecord]:
        """Unpacks the pieces of an archive; calls `abort` if that fails."""
        digest = hashlib.sha256()
        if self._sha256:
            pieces = _tee(pieces, digest.update)
        with read_ahead(pieces, _PIECES_AHEAD, abort) as pieces_ahead:
            records = unpack(pieces_ahead, self._file_system, self._directory, self._limits)
        if self._sha256 and digest.hexdigest() != self._sha256:
            raise ArchiveDamagedError(
                f"The archive has the sha256 {digest.hexdigest()}, but the handle pins "
                f"{self._sha256}. It was changed or damaged: do not use it, or pin the new one if "
                "you trust it."
            )
        return records


def _fetch_from_web(handle: WebHandle, settings: Settings, unpacker: _Unpacker) -> list[FileRecord]:
    name = urls.redact(handle.text)
    with (
        open_progress(name, settings.show_progress) as report,
        Download(handle, settings, Retries(settings.retries), report) as download,
    ):
        try:
            while True:
                try:
                    return unpacker.unpack(download.read_pieces(), download.abort)
                except StartAgain:
                    unpacker.clear()
        except ArchiveError as error:
            if _is_web_page(download, error):
                raise DownloadError(
                    f"Cannot fetch {name}: {download.answer}, a web page instead of an archive. "
                    "The model may be gone, need a login, or not offer this format: open the "
                    "address in a browser, and use the address of a .tar.gz."
                ) from error
            message = f"Cannot unpack {name}, where {download.answer}: {error}"
            raise type(error)(message) from error


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
