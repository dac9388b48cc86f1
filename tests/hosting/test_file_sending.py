"""Tests of hubmodule.hosting.file_sending, on a real server."""

from __future__ import annotations

import contextlib
import http.client
import pathlib
import select
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from hubmodule.hosting import file_sending
from hubmodule.hosting.hub_directory import HubDirectory
from tests.hosting.hubs import add_version
from tests.hosting.web_servers import TIMEOUT, WebServer, serving

ARCHIVE = bytes(range(256)) * 40000  # 10 MB, more than is sent at once
PATH = "/team/encoder/1?tf-hub-format=compressed"
REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


@pytest.fixture
def hub(tmp_path: pathlib.Path) -> HubDirectory:
    hub = HubDirectory(tmp_path)
    add_version(hub, "team/encoder/1", ARCHIVE)
    add_version(hub, "team/empty/1", b"")
    return hub


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the files that the thread has begun to send."""
    sizes: list[int] = []
    send_file = file_sending.Connection.send_file

    async def record(self, file, part, thread):
        sizes.append(len(part))
        await send_file(self, file, part, thread)

    monkeypatch.setattr(file_sending.Connection, "send_file", record)
    return sizes


@pytest.fixture
def server(hub: HubDirectory, sent: list[int]) -> Iterator[WebServer]:
    with serving(hub) as server:
        yield server


def test_several_files_on_one_connection(server: WebServer, sent: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
    bodies = []
    for path in (PATH, "/team/empty/1/module.tar.gz", "/healthz", PATH):
        connection.request("GET", path)
        bodies.append(connection.getresponse().read())
    connection.close()
    assert bodies == [ARCHIVE, b"", b"ok\n", ARCHIVE]
    assert sent == [len(ARCHIVE), 0, len(ARCHIVE)]


def test_small_answers_are_sent_at_once(hub: HubDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    delays: list[int] = []
    connection_made = file_sending.FileSendingProtocol.connection_made

    def record(self, transport):
        connection_made(self, transport)
        client = transport.get_extra_info("socket")
        delays.append(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(file_sending.FileSendingProtocol, "connection_made", record)
    with serving(hub) as server:
        server.get("/healthz")
    assert delays == [1]


def test_requests_that_do_not_wait_for_answers(server: WebServer) -> None:
    last = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    received = server.send(REQUEST * 3 + last)
    assert received.count(ARCHIVE) == 4
    assert received.endswith(ARCHIVE)


def test_head_and_old_clients(server: WebServer, sent: list[int]) -> None:
    assert server.get(PATH, "HEAD").body == b""
    assert sent == []
    received = server.send(f"GET {PATH} HTTP/1.0\r\n\r\n".encode())
    assert received.partition(b"\r\n\r\n")[2] == ARCHIVE


def test_without_sendfile(
    hub: HubDirectory, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_sending, "_HAS_SENDFILE", False)
    with serving(hub) as server:
        assert server.get(PATH).body == ARCHIVE
        assert server.get("/team/empty/1/module.tar.gz").body == b""
        assert server.get(PATH, Range="bytes=5-9").body == ARCHIVE[5:10]
    assert sent == []


def test_a_part_of_a_file(server: WebServer, sent: list[int]) -> None:
    assert server.get(PATH, Range="bytes=1000-").body == ARCHIVE[1000:]
    assert sent == [len(ARCHIVE) - 1000]


def test_one_thread_sends_to_all_clients(server: WebServer) -> None:
    with contextlib.ExitStack() as connections:
        clients = [connections.enter_context(server.connect()) for _ in range(30)]
        for client in clients:
            client.sendall(REQUEST)
        for client in clients:
            assert client.recv(1) == b"H"
        names = [thread.name for thread in threading.enumerate()]
    assert names.count("sending") == 1


def test_the_thread_ends_with_the_server(hub: HubDirectory) -> None:
    with serving(hub) as server:
        server.get(PATH)
    assert "sending" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="needs Linux")
def test_a_client_that_takes_nothing(hub: HubDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_sending, "_LONGEST_PAUSE", 0.001)
    large = pathlib.Path(add_version(hub, "team/large/1"), "module.tar.gz")
    with large.open("wb") as file:
        file.truncate(64 << 20)
    with serving(hub) as server, server.connect() as connection:
        connection.sendall(REQUEST.replace(b"encoder", b"large"))
        # The server ends the connection, whose buffers have a part of the file.
        end = select.poll()
        end.register(connection, select.POLLRDHUP)
        assert end.poll(1000 * TIMEOUT)
        assert server.get("/healthz").status == 200


def test_a_file_that_is_cut_while_it_is_sent(
    hub: HubDirectory, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sendfile = file_sending.os.sendfile

    def cut(out: int, file: int, offset: int, count: int) -> int:
        return 0 if offset else sendfile(out, file, offset, min(count, 1000))

    monkeypatch.setattr(file_sending.os, "sendfile", cut)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        server.get(PATH)
    monkeypatch.undo()
    assert server.get(PATH).body == ARCHIVE


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
