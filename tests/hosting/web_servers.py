"""Real servers of hubs on loopback, in a thread of the test."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from hubmodule.hosting.serving import listen, make_server

TIMEOUT = 30  # seconds, after which a test has failed


class StubPages:
    """Pages that say what they were made from, and count how often they were made."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def render_front_page(self, index: dict[str, Any]) -> str:
        self.made.append("front")
        return f"front page of {[module['name'] for module in index['modules']]}"

    def render_module_page(
        self,
        hub: HubDirectory,
        name: ModuleName,
        version: int,
        base_url: str,
        index: Mapping[str, Any],
    ) -> str:
        hub.read_facts(name, version)
        self.made.append(f"{name}/{version}")
        return f"page of {base_url}{name}/{version}"

    def render_message_page(self, title: str, message: str, root: str) -> str:
        return f"{title}: {message} {root}"

    def list_static_files(self) -> Mapping[str, bytes]:
        return {"static/hub.css": b"p {}", "static/hub.js": b"// js"}


class Answer:
    """What a server answered."""

    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


class WebServer:
    """A server that runs."""

    def __init__(self, host: str, port: int, pages: StubPages):
        self.host, self.port, self.pages = host, port, pages

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Asks for a path, which is sent as it is."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        with contextlib.closing(connection):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=names)
            return Answer(connection.getresponse())

    def connect(self) -> socket.socket:
        """Opens a connection for bytes that no client library would send."""
        return socket.create_connection((self.host, self.port), timeout=TIMEOUT)

    def send(self, request: bytes) -> bytes:
        """Sends bytes on a new connection; returns all that comes until the server closes it."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@contextlib.contextmanager
def serving(hub: HubDirectory, prefix: str = "") -> Iterator[WebServer]:
    """Serves a hub while the block runs."""
    pages = StubPages()
    with listen("127.0.0.1", 0) as listener:
        server = make_server(hub, pages, prefix)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield WebServer("127.0.0.1", listener.getsockname()[1], pages)
        finally:
            server.should_exit = True
            thread.join()
