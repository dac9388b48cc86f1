"""Fetches the archive of a handle, and unpacks it into a directory as it arrives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from hubmodule import urls
from hubmodule._plain_errors import (
    ArchiveDamagedError,
    ArchiveError,
    DownloadError,
    HandleNotFoundError,
)
from hubmodule.cache.manifest import FileRecord, Manifest, find_foreign_damage, get_time
from hubmodule.downloads.http import Download, StartAgain
from hubmodule.downloads.progress import Report, open_progress
from hubmodule.downloads.read_ahead import read_ahead
from hubmodule.downloads.retries import Retries
from hubmodule.file_systems import FileSystem, find_file_system
from hubmodule.handles import (
    PathHandle,
    WebHandle,
    check_exists,
    make_unreadable_error,
)
from hubmodule.resolver.archive import NotAnArchiveError, is_portable, unpack, write_file
from hubmodule.resolver.mirrors import Place, StorePath, locate
from hubmodule.settings import Settings

_PIECES_AHEAD = 16  # of at most 1 MiB
_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml")


def fetch(
    place: Place,
    settings: Settings,
    file_system: FileSystem,
    directory: str,
    known: Manifest | None = None,
) -> Manifest:
    """Fetches a module from a place into a directory, which it empties first.

    Args:
        place: Where the module is.
        settings: Time-outs, retries, limits and progress.
        file_system: File system of `directory`.
        directory: Path of the directory.
        known: Manifest of a module that need not be sent again; None if there is none.

    Returns:
        The manifest of the module, without a source.

    Raises:
        DownloadError: If a server does not send the archive.
        HandleNotFoundError: If the module is missing or cannot be read.
        ArchiveError: If it cannot be unpacked. The directory may then hold anything.
        NotModified: If the server says that it is the known one.
    """
    _empty(file_system, directory)
    if isinstance(place, WebHandle):
        return _fetch_from_web(place, settings, file_system, directory, known)
    found = locate(place) if isinstance(place, StorePath) else place
    name = urls.redact(found.text)
    if isinstance(found, PathHandle):
        with open_progress(name, settings.show_progress) as report:
            records = _copy_directory(found.path, file_system, directory, report)
        return Manifest(name, get_time(), tuple(records), address=found.path)
    pieces = read_archive(found.path)
    try:
        records, digest = _unpack(pieces, found.sha256, settings, file_system, directory)
    except ArchiveError as error:
        raise type(error)(f"Cannot unpack {found.path}: {error}") from error
    return Manifest(
        name, get_time(), tuple(records), archive_sha256=digest, address=urls.redact(found.path)
    )


def read_archive(path: str) -> Iterator[bytes]:
    """Reads an archive on any file system in pieces, whose errors name it.

    Raises:
        HandleNotFoundError: If it is missing, or cannot be read.
    """
    check_exists(path)
    file_system, found = find_file_system(path)
    return _translate_errors(file_system.read_pieces(found), path)


def _fetch_from_web(
    handle: WebHandle,
    settings: Settings,
    file_system: FileSystem,
    directory: str,
    known: Manifest | None,
) -> Manifest:
    name, address = urls.redact(handle.text), urls.redact(handle.url)
    etag = known.etag if known is not None and known.address == address else ""
    with (
        open_progress(name, settings.show_progress) as report,
        Download(handle, settings, Retries(settings.retries), report, etag) as download,
    ):
        try:
            while True:
                try:
                    pieces, abort = download.read_pieces(), download.abort
                    records, digest = _unpack(
                        pieces, handle.sha256, settings, file_system, directory, abort
                    )
                    return Manifest(
                        name,
                        get_time(),
                        tuple(records),
                        archive_sha256=digest,
                        address=address,
                        etag=download.etag,
                    )
                except StartAgain:
                    _empty(file_system, directory)
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
    pin: str | None,
    settings: Settings,
    file_system: FileSystem,
    directory: str,
    abort: Callable[[], None] = lambda: None,
) -> tuple[list[FileRecord], str]:
    """Unpacks an archive; returns its files, and its digest, which is that of the pin."""
    digest = hashlib.sha256()
    with read_ahead(_tee(pieces, digest.update), _PIECES_AHEAD, abort) as pieces_ahead:
        records = unpack(
            pieces_ahead,
            file_system,
            directory,
            settings.max_archive_entries,
            settings.max_archive_bytes,
        )
    if pin and digest.hexdigest() != pin:
        raise ArchiveDamagedError(
            f"The archive has the sha256 {digest.hexdigest()}, but the handle pins {pin}. It was "
            "changed or damaged: do not use it, or pin the new one if you trust it."
        )
    return records, digest.hexdigest()


def _copy_directory(
    path: str, file_system: FileSystem, directory: str, report: Report
) -> list[FileRecord]:
    source, path = find_file_system(path)
    try:
        sizes = source.list_sizes(path)
    except OSError as error:
        raise make_unreadable_error(path, error) from error
    if damage := find_foreign_damage(sizes):
        raise HandleNotFoundError(f"{path} is not a complete module: {damage}.")
    for name in sizes:
        if not is_portable(name):
            raise HandleNotFoundError(
                f"{path} has the file {name!r}, whose name not every file system can hold."
            )
    received, total = 0, sum(sizes.values())

    def count(piece: bytes) -> None:
        nonlocal received
        received += len(piece)
        report(received, total)

    records = []
    for name in sorted(sizes):
        out = file_system.open_new(f"{directory}/{name}")
        pieces = _translate_errors(source.read_pieces(f"{path}/{name}"), f"{path}/{name}")
        records.append(write_file(out, _tee(pieces, count), name))
    return records


def _empty(file_system: FileSystem, directory: str) -> None:
    """Removes what is in a directory, but not the directory, which is marked as used."""
    for name in file_system.list_names(directory):
        file_system.remove(f"{directory}/{name}")


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
