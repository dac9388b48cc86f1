"""Downloads archives: follows redirects, tries again, and resumes after cut connections."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import urllib.parse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hubmodule._plain_errors import DownloadError, HttpStatusError, UncompressedReadError
from hubmodule.resolver import urls
from hubmodule.resolver.handles import ARCHIVE_SUFFIXES, WebHandle
from hubmodule.resolver.retries import Retries, Transient
from hubmodule.settings import Settings

if TYPE_CHECKING:
    import requests

logger = logging.getLogger("hubmodule")

_PIECE = 1 << 18
_MOST_REDIRECTS = 10
# A name server that does not answer may do so a moment later; a name that is wrong stays wrong.
_MOST_LOOK_UPS = 2
_LONGEST_LOCATION = 4096
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_LENGTH = 19  # digits: it fits into 63 bits
_TRANSIENT = (408, 429, 500, 502, 503, 504)
# requests knows the first two; OpenSSL's own are what Python's urllib obeys.
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")

_LOGIN_ADVICE = (
    "The model may be private, or its licence not accepted yet: open the address in a browser. "
    "A user name and password for a host go into ~/.netrc."
)
_ADVICE = {
    401: _LOGIN_ADVICE,
    403: _LOGIN_ADVICE,
    404: "Check the spelling and the version; models of tfhub.dev are now at "
    "https://www.kaggle.com/models.",
    410: "The model was deleted; look for another at https://www.kaggle.com/models.",
    407: "The proxy wants a user name and a password: HTTPS_PROXY=http://user:password@host:port.",
    429: "The server has too many requests; try again later.",
}
_LATER = "The server has a problem; try again later."
_OTHER = "Open the address in a browser to see what it is."


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
    """

    def __init__(
        self,
        handle: WebHandle,
        settings: Settings,
        retries: Retries,
        report: Callable[[int, int | None], None] = lambda received, total: None,
    ):
        self._web = _Web(handle, settings)
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
        said = f"{_describe_status(self._response)} with {kind}"
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
        response = self._response = self._web.get("compressed", {})
        if response.status_code != 200:
            raise self._web.make_status_error(response)
        self._total = _get_length(response)
        self._validator = _get_validator(response)
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
    web = _Web(handle, settings)
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
        f"{urls.redact(response.url)} answered {_describe_status(response)} where a 303 with a "
        f"gs:// path was expected, so {urls.redact(handle.text)} cannot be read uncompressed. "
        "Unset TFHUB_MODEL_LOAD_FORMAT to download it."
    )


class _Web:
    """Sends the requests for one handle.

    Errors of requests and urllib3 hold whole addresses, with their queries. Errors raised here
    do not have them as their cause, because a traceback would show it.
    """

    def __init__(self, handle: WebHandle, settings: Settings):
        # requests takes longer to import than a cached module to resolve.
        import requests

        if not settings.verify_tls:
            logger.warning(
                "TFHUB_DISABLE_CERT_VALIDATION is set: nothing proves that %s is genuine.",
                urls.redact(handle.text),
            )
        self._session = requests.Session()
        self._handle = handle
        self._settings = settings
        self._url = handle.url

    def close(self) -> None:
        self._session.close()

    def get(
        self, wanted: str, headers: dict[str, str], final: tuple[int, ...] = ()
    ) -> requests.Response:
        """Requests the address of the handle, and follows redirects.

        Args:
            wanted: Format to ask for, "compressed" or "uncompressed".
            headers: Headers to add to the request.
            final: Status codes of redirects that are not followed.

        Returns:
            The last response; its body is not read.
        """
        self._url = self._handle.url
        if wanted != "compressed" or urls.accepts_format(self._url, ARCHIVE_SUFFIXES):
            self._url = urls.set_format(self._url, wanted)
        for _ in range(_MOST_REDIRECTS):
            response = self._send(headers)
            if response.status_code in _TRANSIENT:
                raise Transient(self.make_status_error(response), _get_retry_after(response))
            if response.status_code not in _REDIRECTS or response.status_code in final:
                return response
            self._url = self._follow_redirect(response)
        raise self.make_error(f"it redirects more than {_MOST_REDIRECTS} times. {_OTHER}")

    def read(self, response: requests.Response, size: int) -> bytes:
        """Reads up to `size` bytes of a body without decoding it; b"" at the end."""
        import requests
        import urllib3

        try:
            # Content-Encoding stays: a .tar.gz is often served as a tar encoded with gzip.
            return response.raw.read(size, decode_content=False)
        except (
            urllib3.exceptions.HTTPError,
            requests.RequestException,
            OSError,
            ValueError,  # from a chunk of a negative length
        ) as error:
            raise Transient(self._make_unreachable_error(error)) from None

    def make_error(self, what: str) -> DownloadError:
        return DownloadError(
            f"Cannot fetch {urls.redact(self._handle.text)} from "
            f"{urls.redact(self._url)}: {urls.escape_controls(what)}",
            urls.redact(self._url),
        )

    def make_status_error(self, response: requests.Response, what: str = "") -> HttpStatusError:
        """Makes the error for a response; `what` went wrong, or its status is not a success."""
        code = response.status_code
        advice = _ADVICE.get(code, _LATER if code >= 500 else _OTHER)
        what = what or f"the server answered {_describe_status(response)}. {advice}"
        response.close()
        return HttpStatusError(self.make_error(what).message, urls.redact(self._url), code)

    def _send(self, headers: dict[str, str]) -> requests.Response:
        import requests

        headers = {"Accept-Encoding": "identity", "User-Agent": "hubmodule", **headers}
        timeouts = (self._settings.connect_timeout, self._settings.read_timeout)
        session = self._session
        try:
            request = session.prepare_request(requests.Request("GET", self._url, headers=headers))
            options = session.merge_environment_settings(
                request.url, {}, True, _choose_verification(self._settings), None
            )
            # Not session.send, which would read the whole body of a redirect.
            response = session.get_adapter(self._url).send(request, timeout=timeouts, **options)
        except (requests.ConnectionError, requests.Timeout) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise self._make_untrusted_error(error) from None
            most_retries = _MOST_LOOK_UPS - 1 if _is_unknown_host(error) else None
            raise Transient(
                self._make_unreachable_error(error), most_retries=most_retries
            ) from None
        except (requests.RequestException, OSError, ValueError) as error:
            raise self.make_error(
                f"{_describe_cause(error)}. Check the address, the proxy and REQUESTS_CA_BUNDLE."
            ) from None
        session.cookies.update(response.cookies)
        # Download counts the bytes itself, as it can resume after a cut.
        response.raw.enforce_content_length = False
        return response

    def _follow_redirect(self, response: requests.Response) -> str:
        location = response.headers.get("Location")
        response.close()
        if location is None:
            raise self.make_error(
                f"it redirects ({_describe_status(response)}) to nowhere. {_OTHER}"
            )
        target, objection = urls.follow_redirect(self._url, location)
        if objection:
            raise self.make_error(
                f"it redirects to {urls.redact(target)}, and {objection}. Use the address of a "
                "server that you trust."
            )
        if urls.is_kaggle_front_page(target):
            raise self._make_gone_error(response, target)
        return target

    def _make_gone_error(self, response: requests.Response, target: str) -> HttpStatusError:
        # https://www.kaggle.com/models/<owner>/<model>/…
        parts = urllib.parse.urlsplit(self._url).path.strip("/").split("/")
        name = "/".join(parts[1:3]) if urls.is_kaggle(self._url) else "this model"
        return self.make_status_error(
            response,
            f"it redirects ({_describe_status(response)}) to Kaggle's front page "
            f"{urls.redact(target)}, which means that {name} was deleted or never there. Look "
            "for its new name at https://www.kaggle.com/models, or use a copy of your own.",
        )

    def _make_unreachable_error(self, error: Exception) -> DownloadError:
        return self.make_error(
            f"{_describe_cause(error)}. Check the network and the proxy (HTTPS_PROXY, HTTP_PROXY, "
            "NO_PROXY); HUBMODULE_OFFLINE=1 uses only what is cached."
        )

    def _make_untrusted_error(self, error: Exception) -> DownloadError:
        return self.make_error(
            f"its certificate is not trusted ({_describe_cause(error)}). If your network has a "
            "certificate authority of its own, set REQUESTS_CA_BUNDLE to its file; "
            "TFHUB_DISABLE_CERT_VALIDATION=true turns the check off."
        )


def _choose_verification(settings: Settings) -> bool | str:
    if not settings.verify_tls:
        return False
    named = (os.environ.get(variable) for variable in _CA_VARIABLES)
    return next((path for path in named if path), True)


def _describe_status(response: requests.Response) -> str:
    return urls.redact_all(f"{response.status_code} {response.reason}").strip()


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


def _get_retry_after(response: requests.Response) -> float | None:
    """Returns the seconds that a Retry-After header asks for; None if it says nothing readable."""
    import urllib3

    header = response.headers.get("Retry-After")
    try:
        return urllib3.Retry().parse_retry_after(header) if header else None
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None


def _is_unknown_host(error: BaseException | None) -> bool:
    """Whether the address of a host or proxy could not be looked up."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = _find_inner(error) or error.__cause__ or error.__context__
    return False


def _describe_cause(error: BaseException) -> str:
    """Describes the cause of an error, which requests wraps in several others."""
    while (inner := _find_inner(error)) is not None:
        error = inner
    return urls.redact_all(str(error)).strip(".") or type(error).__name__


def _find_inner(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return reason
    nested = [arg for arg in error.args if isinstance(arg, BaseException)]
    return nested[0] if nested else None
