"""Refuses requests that no client of a hub sends, and protects browsers by headers."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_HOST = re.compile(r"[A-Za-z0-9._\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
LONGEST_HEADERS = 16 << 10  # bytes of the address and all headers


class RequestGuard:
    """An application that answers the requests of clients, and passes on those that are fine.

    Args:
        app: Answers them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http":  # the start and the end of the server
            await self._app(scope, receive, send)
            return
        app = _find_fault(scope) or self._app
        await app(scope, receive, send_with_headers)


def _find_fault(scope: Scope) -> Response | None:
    """Returns the answer to a request that is refused; None if it is fine."""
    # With ": " and the end of the line.
    sizes = (len(name) + len(value) + 4 for name, value in scope["headers"])
    if len(scope["raw_path"]) + len(scope["query_string"]) + sum(sizes) > LONGEST_HEADERS:
        return _refuse(431, "The address or the headers are too long.")
    headers = Headers(scope=scope)
    # A body could be another request to a server behind this one, or in front of it.
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        return _refuse(400, "A hub takes requests without a body only.")
    # It is shown in pages.
    if not _HOST.fullmatch(headers.get("host", "localhost")):
        return _refuse(400, "The Host header is neither a name nor an address.")
    return None


def _refuse(status: int, reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", status, headers={"Connection": "close"})
