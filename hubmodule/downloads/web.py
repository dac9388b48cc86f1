"""Sends the requests for one handle: follows redirects, sends tokens, and explains failures."""

from __future__ import annotations

import logging
import os
import socket
import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hubmodule import urls
from hubmodule._plain_errors import DownloadError, HttpStatusError
from hubmodule.downloads.retries import Transient
from hubmodule.downloads.tokens import find_token, read_tokens
from hubmodule.handles import ARCHIVE_SUFFIXES, WebHandle
from hubmodule.settings import Settings

if TYPE_CHECKING:
    import requests

logger = logging.getLogger("hubmodule")

_MOST_REDIRECTS = 10
# A name server that does not answer may do so a moment later; a name that is wrong stays wrong.
_MOST_LOOK_UPS = 2
_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT = (408, 429, 500, 502, 503, 504)
# requests knows the first two; OpenSSL's own are what Python's urllib obeys.
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")

_LOGIN_ADVICE = (
    "The model may be private, or its licence not accepted yet: open the address in a browser. "
    "A user name and password for a host go into ~/.netrc, a token into "
    "HUBMODULE_TOKENS=host=token."
)
_REFUSED_TOKEN = (
    "The server refused the token that HUBMODULE_TOKENS or HUBMODULE_TOKENS_FILE has for it: it "
    "may have expired, or not allow this. Ask the owner of the server for another."
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


class Web:
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
        self._tokens = read_tokens()
        self._url = handle.url
        # Whether no redirect has led to another scheme, host or port.
        self._is_origin = True

    def close(self) -> None:
        """Closes the connections."""
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
        self._is_origin = True
        origin = urls.get_origin(self._url)
        for _ in range(_MOST_REDIRECTS):
            self._is_origin = self._is_origin and urls.get_origin(self._url) == origin
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
        """Makes an error that names the handle and the address."""
        return DownloadError(
            f"Cannot fetch {urls.redact(self._handle.text)} from "
            f"{urls.redact(self._url)}: {urls.escape_controls(what)}",
            urls.redact(self._url),
        )

    def make_status_error(self, response: requests.Response, what: str = "") -> HttpStatusError:
        """Makes the error for a response; `what` went wrong, or its status is not a success."""
        code = response.status_code
        advice = _ADVICE.get(code, _LATER if code >= 500 else _OTHER)
        if advice is _LOGIN_ADVICE:
            advice = self._explain_token(response) or advice
        what = what or f"the server answered {describe_status(response)}. {advice}"
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
            if token := self._find_token(request.url or "", options["proxies"]):
                # It replaces what ~/.netrc has for the host.
                request.headers["Authorization"] = f"Bearer {token}"
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

    def _find_token(self, url: str, proxies: Mapping[str, str]) -> str | None:
        """Returns the token to send to an address, which no redirect to elsewhere led to."""
        import requests

        has_proxy = requests.utils.select_proxy(url, proxies) is not None
        return find_token(self._tokens, url, has_proxy) if self._is_origin else None

    def _explain_token(self, response: requests.Response) -> str | None:
        """Says why the token of a host did not help; returns None if there is none."""
        if str(response.request.headers.get("Authorization", "")).startswith("Bearer "):
            return _REFUSED_TOKEN
        _, host, port = urls.get_origin(self._url)
        if (host, port) not in self._tokens and (host, None) not in self._tokens:
            return None
        return (
            f"HUBMODULE_TOKENS or HUBMODULE_TOKENS_FILE has a token for {host}, which is only sent "
            "over https, and not after a redirect from another scheme, host or port, nor beside a "
            "user name. Use the https address that asks for it."
        )

    def _follow_redirect(self, response: requests.Response) -> str:
        location = response.headers.get("Location")
        response.close()
        if location is None:
            raise self.make_error(
                f"it redirects ({describe_status(response)}) to nowhere. {_OTHER}"
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
            f"it redirects ({describe_status(response)}) to Kaggle's front page "
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


def describe_status(response: requests.Response) -> str:
    """Describes the status of a response, without secrets, e.g. "404 Not Found"."""
    return urls.redact_all(f"{response.status_code} {response.reason}").strip()


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
