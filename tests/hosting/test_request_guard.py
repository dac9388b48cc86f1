"""Tests of hubmodule.hosting.request_guard, on a real server."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import pytest

from hubmodule.hosting.hub_directory import HubDirectory
from tests.hosting.hubs import add_version
from tests.hosting.web_servers import WebServer, serving

SMUGGLED = b"GET /index.json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    hub = HubDirectory(tmp_path_factory.mktemp("hub"))
    add_version(hub, "team/encoder/1")
    with serving(hub) as server:
        yield server


def make_request(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"GET / HTTP/1.1", b"Host: h", *headers, b"", body))


@pytest.mark.parametrize(
    "headers",
    [
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 5"],
        [b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding : chunked"],
        [b"Transfer-Encoding: chunked, identity"],
        [b"Content-Length: 57"],
        [b"Content-Length: -1"],
        [b"Content-Length: +5"],
        [b"Content-Length: 0x5"],
        [b"Host: other"],
        [b"X: a\0b"],
        [b"X: a\rContent-Length: 5"],
        [b" folded: x"],
    ],
    ids=lambda headers: b", ".join(headers).decode("latin-1"),
)
def test_a_request_that_two_servers_may_read_differently(
    server: WebServer, headers: list[bytes]
) -> None:
    received = server.send(make_request(*headers, body=b"0\r\n\r\n" + SMUGGLED))
    assert received.startswith(b"HTTP/1.1 400 ")
    # The connection is closed, so that what follows is not read as a request.
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET  HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\r\n\r\n",
        b"G\0T / HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
    ids=["no host", "TLS", "no address", "HTTP/0.9", "no method"],
)
def test_bytes_that_are_not_a_request(server: WebServer, request_bytes: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(request_bytes)
        connection.shutdown(1)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        make_request(b"Connection: close", b"X: " + b"a" * 17000),
        make_request(b"Connection: close", *[b"X: a"] * 6000),
        b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /?" + b"a" * 17000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
    ids=["one header", "many headers", "address", "query"],
)
def test_long_headers(server: WebServer, request_bytes: bytes) -> None:
    assert server.send(request_bytes)[:13] in (b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")


@pytest.mark.parametrize("body", [b"zz\r\nabc\r\n", b"5\r\nabcdeXX\r\n", b"-5\r\n", b"F" * 30])
def test_a_body_in_damaged_pieces(
    server: WebServer, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert server.send(head + body + b"\r\n").startswith(b"HTTP/1.1 400 ")
    assert server.get("/healthz").status == 200
    lines = [record for record in caplog.records if "healthz" not in record.getMessage()]
    assert [record.getMessage() for record in lines] == ["Invalid HTTP request received."]


def test_headers_that_do_not_end(server: WebServer) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n")
        # The server ends the connection, long before it has read all of this.
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                connection.sendall(b"X: " + b"a" * 10000 + b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert connection.recv(13) in (b"HTTP/1.1 400 ", b"")
    assert server.get("/healthz").status == 200


@pytest.mark.parametrize("target", [b"http://evil.example/", b"//evil.example/", b"*", b"/\xff"])
def test_addresses_that_are_not_paths(server: WebServer, target: bytes) -> None:
    received = server.send(b"GET " + target + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert received[:13] in (b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")
    assert b"location" not in received.lower()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
