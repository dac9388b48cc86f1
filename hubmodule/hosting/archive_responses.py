"""Answers requests for archives: whole, in ranges, or not at all if the client has them."""

from __future__ import annotations

import os
import re

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hubmodule.hosting.file_sending import FileSender, SendingThread
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName

_TYPE = "application/gzip"
_FOR_EVER = "public, max-age=31536000, immutable"
# Of several ranges, as of others that are not understood, the whole file is the answer.
_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.ASCII | re.IGNORECASE)


def answer_archive(
    request: Request,
    hub: HubDirectory,
    name: ModuleName,
    version: int,
    thread: SendingThread,
) -> Response | FileSender:
    """Makes the answer to a request for the archive of a version.

    Args:
        request: The request.
        hub: The hub.
        name: Name of the module.
        version: Version of the module.
        thread: Sends local files.

    Raises:
        HandleNotFoundError: If the hub lacks this version.
        HubError: If its facts are damaged.
    """
    facts = hub.read_facts(name, version)["archive"]
    headers = {
        "ETag": f'"{facts["sha256"]}"',
        "Cache-Control": _FOR_EVER,
        "Content-Type": _TYPE,
        "Content-Disposition": f'attachment; filename="{name.name}-{version}.tar.gz"',
    }
    if has_etag(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    path = hub.archive_path(name, version)
    if hub.is_local:
        return _answer_file(request, path, headers, thread)
    headers |= {"Content-Length": str(facts["bytes"]), "Accept-Ranges": "none"}
    pieces = () if request.method == "HEAD" else hub.file_system.read_pieces(path)
    return StreamingResponse(pieces, headers=headers)


def _answer_file(
    request: Request, path: str, headers: dict[str, str], thread: SendingThread
) -> Response | FileSender:
    # Open before the answer begins: the version may be removed meanwhile.
    file = open(path, "rb")  # noqa: SIM115
    size = os.fstat(file.fileno()).st_size
    headers |= {"Accept-Ranges": "bytes"}
    wanted = _find_range(request, headers["ETag"], size)
    if wanted is None:
        return FileSender(file, range(size), 200, headers, thread)
    if not wanted:
        file.close()
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers |= {"Content-Range": f"bytes {wanted.start}-{wanted.stop - 1}/{size}"}
    return FileSender(file, wanted, 206, headers, thread)


def _find_range(request: Request, etag: str, size: int) -> range | None:
    """Finds the part of a file that a client asks for.

    Args:
        request: The request.
        etag: The ETag of the file.
        size: The size of the file in bytes.

    Returns:
        The offsets of the bytes, empty if the file has none of them; None for the whole file.
    """
    stated = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if stated is None or request.headers.get("if-range", etag) != etag:
        return None
    first, last = stated.groups()
    if not first:
        return range(max(size - int(last), 0), size) if last else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def has_etag(request: Request, etag: str) -> bool:
    """Whether the client says that it has the content with this ETag."""
    stated = ",".join(request.headers.getlist("if-none-match"))
    tags = {tag.strip().removeprefix("W/") for tag in stated.split(",")}
    return etag in tags or "*" in tags
