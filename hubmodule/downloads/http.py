"""Downloads archives: tries again, and resumes after cut connections."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hubmodule import urls
from hubmodule._plain_errors import DownloadError, UncompressedReadError
from hubmodule.downloads.retries import Retries, Transient
from hubmodule.downloads.web import Web, describe_status
from hubmodule.handles import WebHandle
from hubmodule.settings import Settings

if TYPE_CHECKING:
    import requests

_PIECE = 1 << 18
_LONGEST_LOCATION = 4096
_LONGEST_LENGTH = 19  # digits: it fits into 63 bits
# What a server sends as an ETag (RFC 9110); it is sent back as a header.
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')


class NotModified(Exception):
    """The archive is still the one with the known ETag."""


class StartAgain(Exception):
    """A connection was cut, and the server cannot resume: read the pieces from the start."""


class Download:
    """A context manager that downloads the archive of a handle.

    Args:
        handle: Handle of the archive.
        settings: Time-outs, and whether to check certificates.
        retries: Counter of failures, which pauses after each.
        report: Function to call with the number of bytes received so far, and of all bytes;
            the second is None if it is not known.
        known_etag: ETag of an archive that need not be sent again; "" if there is none.

    Attributes:
        etag: ETag of the archive; "" if the server has sent none, or nothing yet.
    """

    def __init__(
        self,
        handle: WebHandle,
        settings: Settings,
        retries: Retries,
        report: Callable[[int, int | None], None] = lambda received, total: None,
        known_etag: str = "",
    ):
        self.etag = ""
        self._known_etag = known_etag
        self._web = Web(handle, settings)
        self._retries = retries
        self._report = report
        self._response: requests.Response | None = None
        self._received = 0
        self._furthest = 0
        self._total: int | None = None
        self._validator: str | None = None
        self._is_aborted = False

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *error: object) -> None:
        self._close_response()
        self._web.close()

    @property
    def answer(self) -> str:
        """Description of the last answer and its address, for a message."""
        if self._response is None:
            return "nothing"
        kind = self._response.headers.get("Content-Type", "no content type")
        said = f"{describe_status(self._response)} with {kind}"
        return f"{urls.redact(self._response.url)} answered {urls.escape_controls(said)}"

    @property
    def is_web_page(self) -> bool:
        """Whether the last answer says that it is a web page."""
        headers = self._response.headers if self._response is not None else {}
        return headers.get("Content-Type", "").lower().startswith("text/html")

    def abort(self) -> None:
        """Cuts the connection, which wakes a thread that reads from it."""
        self._is_aborted = True
        if self._response is not None:
            # Only urllib3 2.3 and newer can; elsewhere the thread ends with its next piece.
            with contextlib.suppress(AttributeError, ValueError, RuntimeError, OSError):
                self._response.raw.shutdown()

    def read_pieces(self) -> Iterator[bytes]:
        """Reads the archive as it comes, and resumes where a connection was cut.

        Raises:
            DownloadError: If the server does not send it.
            StartAgain: If the server cannot resume; read from the start then.
            NotModified: If it is the archive with the known ETag.
        """
        self._received = 0
        while True:
            try:
                yield from self._read_body(self._resume() if self._received else self._start())
                return
            except Transient as failure:
                if self._is_aborted:
                    return
                self._close_response()
                self._retries.wait_or_raise(failure)

    def _start(self) -> requests.Response:
        headers = {"If-None-Match": self._known_etag} if self._known_etag else {}
        response = self._response = self._web.get("compressed", headers)
        if response.status_code == 304 and self._known_etag:
            raise NotModified
        if response.status_code != 200:
            raise self._web.make_status_error(response)
        self._total = _get_length(response)
        self._validator = _get_validator(response)
        etag = response.headers.get("ETag", "")
        self.etag = etag if _ETAG.fullmatch(etag) else ""
        return response

    def _resume(self) -> requests.Response:
        headers = {"Range": f"bytes={self._received}-"}
        if self._validator:
            headers["If-Range"] = self._validator
        response = self._response = self._web.get("compressed", headers)
        if response.status_code == 416:
            raise self._make_cut_error()
        if response.status_code == 206 and self._is_rest(response):
            return response
        if response.status_code in (200, 206):
            response.close()
            raise StartAgain
        raise self._web.make_status_error(response)

    def _close_response(self) -> None:
        if self._response is not None:
            self._response.close()

    def _is_rest(self, response: requests.Response) -> bool:
        """Whether an answer is the rest of the same archive."""
        said = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if said is None or said[1] != str(self._received):
            return False
        # Not every server obeys If-Range.
        if self._validator and _get_validator(response) not in (None, self._validator):
            return False
        return said[2] == "*" or self._total is None or said[2] == str(self._total)

    def _read_body(self, response: requests.Response) -> Iterator[bytes]:
        self._report(self._received, self._total)
        while chunk := self._web.read(response, _PIECE):
            self._received += len(chunk)
            if self._received > self._furthest:
                self._furthest = self._received
                self._retries.reset()
            self._report(self._received, self._total)
            yield chunk
        if self._total is not None and self._received < self._total:
            raise Transient(self._make_cut_error())

    def _make_cut_error(self) -> DownloadError:
        return self._web.make_error(
            f"the connection ended after {self._received} of {self._total} bytes, again and again. "
            "Try again later, or from another network."
        )


def find_uncompressed(handle: WebHandle, settings: Settings, retries: Retries) -> str:
    """Asks a server for the gs:// path of the unpacked module of a handle.

    Args:
        handle: Handle whose address to ask.
        settings: Time-outs, and whether to check certificates.
        retries: Counter of failures, which pauses after each.

    Raises:
        UncompressedReadError: If the server does not name a path.
        DownloadError: If it does not answer.
    """
    web = Web(handle, settings)
    while True:
        try:
            response = web.get("uncompressed", {}, final=(303,))
            break
        except Transient as failure:
            retries.wait_or_raise(failure)
    try:
        body = web.read(response, _LONGEST_LOCATION).decode("utf-8", "replace").strip()
    finally:
        web.close()
    if response.status_code == 303 and body.startswith("gs://"):
        return body
    raise UncompressedReadError(
        f"{urls.redact(response.url)} answered {describe_status(response)} where a 303 with a "
        f"gs:// path was expected, so {urls.redact(handle.text)} cannot be read uncompressed. "
        "Unset TFHUB_MODEL_LOAD_FORMAT to download it."
    )


def _get_length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_LENGTH
    return int(text) if is_number else None


def _get_validator(response: requests.Response) -> str | None:
    """Returns what changes with the archive: its ETag if it is not weak, or its date."""
    tag = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):
        return tag
    return response.headers.get("Last-Modified")
