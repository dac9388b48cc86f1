"""Real servers on loopback that answer as they are told, well or badly."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import re
import select
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Request:
    """What a server was asked."""

    path: str
    query: str
    headers: Mapping[str, str]


Answer = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what the server has for the path."""

    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        # A proxy is asked for whole addresses.
        name = self.path.partition("?")[0] if parts.scheme else parts.path
        answer = self.server.next_answer(Request(name, parts.query, dict(self.headers)))
        with contextlib.suppress(ConnectionError):
            answer(self)

    def do_CONNECT(self) -> None:
        self.server.next_answer(Request(self.path, "", dict(self.headers)))
        with socket.create_connection(self.server.tunnel_to) as other:
            self.send_response(200)
            self.end_headers()
            _pump(self.connection, other)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Sends a whole answer."""
        self.start(status, len(body), **headers)
        self.wfile.write(body)

    def start(self, status: int, length: int | None, **headers: str) -> None:
        """Sends the head of an answer."""
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def hang_up(self) -> None:
        """Cuts the connection."""
        self.wfile.flush()
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    tunnel_to: tuple[str, int]

    def __init__(self, answers: Mapping[str, Answer | Sequence[Answer]]):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._answers = {
            path: [given] if callable(given) else list(given) for path, given in answers.items()
        }

    def next_answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            answers = self._answers.get(request.path, [status(404)])
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: clients cut connections here on purpose."""


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    listener: _Listener

    @property
    def requests(self) -> list[Request]:
        """What it was asked so far."""
        return self.listener.requests

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.listener.server_address[0], self.listener.server_address[1]


@contextlib.contextmanager
def serving(
    answers: Mapping[str, Answer | Sequence[Answer]],
    tls: ssl.SSLContext | None = None,
    tunnel_to: tuple[str, int] = ("127.0.0.1", 1),
) -> Iterator[Server]:
    """Runs a server.

    Args:
        answers: by path, what to answer; of several answers each is given once, and the
            last one again. Any other path gets a 404.
        tls: makes it an https server.
        tunnel_to: where a CONNECT leads.
    """
    listener = _Listener(answers)
    listener.tunnel_to = tunnel_to
    if tls is not None:
        listener.socket = tls.wrap_socket(listener.socket, server_side=True)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scheme = "http" if tls is None else "https"
    try:
        yield Server(f"{scheme}://127.0.0.1:{listener.server_address[1]}", listener)
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def whole(body: bytes, **headers: str) -> Answer:
    """All of it."""
    return lambda handler: handler.answer(200, body, **headers)


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """A status."""
    return lambda handler: handler.answer(code, body, **headers)


def redirect(to: str, code: int = 302) -> Answer:
    """A redirect."""
    return status(code, Location=to)


def cut(body: bytes, after: int, announced: int | None = -1, **headers: str) -> Answer:
    """The first bytes, then silence: `announced` is the length it claims, None for no claim."""

    def answer(handler: Handler) -> None:
        handler.start(200, len(body) if announced == -1 else announced, **headers)
        handler.wfile.write(body[:after])
        handler.hang_up()

    return answer


def rest(body: bytes, after: int | None = None, **headers: str) -> Answer:
    """What a Range asks for, up to the byte `after`, with a 206."""

    def answer(handler: Handler) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if asked is None:
            handler.start(200, len(body), **headers)
        else:
            span = f"bytes {start}-{len(body) - 1}/{len(body)}"
            handler.start(206, len(body) - start, Content_Range=span, **headers)
        handler.wfile.write(body[start:after])
        if after is not None:
            handler.hang_up()

    return answer


class Gate:
    """An answer that stops after some bytes until it is told to go on."""

    def __init__(self, body: bytes, after: int):
        self._body = body
        self._after = after
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, handler: Handler) -> None:
        handler.start(200, len(self._body))
        handler.wfile.write(self._body[: self._after])
        handler.wfile.flush()
        self.reached.set()
        self.open.wait(60)
        handler.wfile.write(self._body[self._after :])


def _pump(one: socket.socket, other: socket.socket) -> None:
    peers = {one: other, other: one}
    while True:
        readable, _, _ = select.select(list(peers), [], [], 10)
        for sock in readable:
            data = sock.recv(1 << 16)
            if not data:
                return
            peers[sock].sendall(data)
        if not readable:
            return
