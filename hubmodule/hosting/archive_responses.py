"""Answers requests for archives: whole, in ranges, or not at all if the client has them."""

from __future__ import annotations

import os

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from hubmodule.hosting.file_sending import FileSender, SendingThread
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName

_TYPE = "application/gzip"
_FOR_EVER = "public, max-age=31536000, immutable"


class _RangeResponse(FileResponse):
    """A part of a local file, in pieces that keep 64 downloads at once within 100 MB."""

    chunk_size = 256 << 10  # bytes


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
        HandleNotFoundError: if there is no such version.
        HubError: if its facts are damaged.
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
    status = os.fstat(file.fileno())
    if "range" in request.headers:
        file.close()
        return _RangeResponse(path, headers=headers, media_type=_TYPE, stat_result=status)
    headers |= {"Content-Length": str(status.st_size), "Accept-Ranges": "bytes"}
    return FileSender(file, headers, thread)


def has_etag(request: Request, etag: str) -> bool:
    """Whether the client says that it has the content with this ETag."""
    stated = ",".join(request.headers.getlist("if-none-match"))
    tags = {tag.strip().removeprefix("W/") for tag in stated.split(",")}
    return etag in tags or "*" in tags
