"""Tests of hubmodule.hosting.serving."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hubmodule._plain_errors import ExtraMissingError, HandleNotFoundError, ServerAddressError
from hubmodule.hosting import extras, serving
from hubmodule.hosting.hub_directory import HubDirectory
from tests.hosting import web_servers
from tests.hosting.hubs import add_version
from tests.hosting.web_servers import TIMEOUT, WebServer
from tests.processes import ROOT

LARGE = 64 << 20  # bytes, more than the buffers of a connection
DOWNLOAD = b"GET /team/large/1?tf-hub-format=compressed HTTP/1.1\r\nHost: h\r\n\r\n"
SERVE = """
import sys
sys.modules["tensorflow"] = sys.modules["absl"] = None
from hubmodule.__main__ import main
sys.exit(main(["serve", *sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> HubDirectory:
    hub = HubDirectory(tmp_path_factory.mktemp("hub"))
    add_version(hub, "team/encoder/1", b"small")
    archive = pathlib.Path(add_version(hub, "team/large/1"), "module.tar.gz")
    with archive.open("wb") as file:
        file.truncate(LARGE)
    return hub


@pytest.fixture
def server(hub: HubDirectory) -> Iterator[WebServer]:
    with web_servers.serving(hub) as server:
        yield server


@contextlib.contextmanager
def running(hub: HubDirectory, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Runs `hubmodule serve` where TensorFlow cannot be imported; yields it and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, hub.path, "--port", "0", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        address = re.fullmatch(r"Serving (.+) at http://.+:(\d+)/\n", line)
        assert address, line + process.stderr.read()
        assert address[1] == hub.path
        yield process, int(address[2])
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(hub: HubDirectory, interruptible: None, stop: signal.Signals) -> None:
    with running(hub) as (process, port):
        assert WebServer("127.0.0.1", port, None).get("/healthz?token=secret").status == 200
        process.send_signal(stop)
        out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert out == ""
    assert re.fullmatch(r'\S+ \S+ INFO 127\.0\.0\.1:\d+ - "GET /healthz\?… HTTP/1\.1" 200\n', err)


def test_it_ends_a_download_that_goes_on_when_it_is_stopped(
    hub: HubDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_LAST_SECONDS", 0)
    with web_servers.serving(hub) as server, server.connect() as connection:
        connection.sendall(DOWNLOAD)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    # It has ended, although nothing read the rest.


def test_another_address(hub: HubDirectory) -> None:
    with running(hub, "--host", "::1") as (_, port):
        connection = http.client.HTTPConnection("::1", port, timeout=TIMEOUT)
        with contextlib.closing(connection):
            connection.request("GET", "/team/encoder/1")
            page = connection.getresponse().read()
    assert f"http://[::1]:{port}/team/encoder/1".encode() in page


def test_a_port_in_use() -> None:
    with serving.listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ServerAddressError) as caught, serving.listen("127.0.0.1", port):
            pass
    assert isinstance(caught.value, OSError)
    assert str(caught.value) == (
        f"Cannot listen at 127.0.0.1, port {port}: Address already in use. Choose another address "
        "with --host and --port, or end what listens there."
    )


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.name.invalid"])
def test_an_address_that_is_not_of_this_machine(host: str) -> None:
    expected = pytest.raises(ServerAddressError, match=f"Cannot listen at {host}, port 0: ")
    with expected, serving.listen(host, 0):
        pass


def test_a_hub_that_does_not_exist(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HandleNotFoundError, match=r"The hub .*/none does not exist"):
        serving.serve(tmp_path / "none")


def test_packages_that_are_missing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExtraMissingError, match="serve needs starlette and uvicorn and jinja2"):
        serving.serve(tmp_path)


def test_clients_that_send_and_read_slowly_do_not_hold_up_others(server: WebServer) -> None:
    with contextlib.ExitStack() as connections:
        for part in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: h\r\n", DOWNLOAD):
            for _ in range(40):  # more than there are threads
                connection = connections.enter_context(server.connect())
                connection.sendall(part)
        assert server.get("/team/encoder/1?tf-hub-format=compressed").body == b"small"
        assert server.get("/").status == 200


def test_a_slow_client_gets_everything(server: WebServer) -> None:
    with server.connect() as connection:
        connection.sendall(DOWNLOAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        head = connection.recv(4096)
        body = len(head.partition(b"\r\n\r\n")[2])
        # Others are served in between.
        assert server.get("/team/encoder/1").status == 200
        while piece := connection.recv(1 << 20):
            body += len(piece)
    assert body == LARGE


def test_connections_that_are_cut(server: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        with server.connect() as connection:
            connection.sendall(DOWNLOAD)
            connection.recv(1000)
            # Sends a reset instead of an end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert server.get("/team/encoder/1?tf-hub-format=compressed").body == b"small"
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_download_goes_on_where_it_was_cut(server: WebServer) -> None:
    path = "/team/large/1?tf-hub-format=compressed"
    etag = server.get(path, "HEAD").headers["etag"]
    rest = server.get(path, Range=f"bytes={LARGE - 5}-", If_Range=etag)
    assert (rest.status, rest.body) == (206, b"\0" * 5)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/a/b/1", "/a/b/1"),
        ("/a/b/1?tf-hub-format=compressed", "/a/b/1?tf-hub-format=compressed"),
        ("/a/b/1?tf-hub-format=compressed&token=x", "/a/b/1?…"),
        ("/a?token=x", "/a?…"),
        ("/" + "a" * 500, "/" + "a" * 199 + "…"),
    ],
)
def test_the_access_log_hides_queries(target: str, shown: str) -> None:
    arguments = ("127.0.0.1:1", "GET", target, "1.1", 200)
    record = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 0, "%s %s %s %s %d", arguments, None
    )
    assert serving.shorten_target(record)
    assert record.getMessage() == f"127.0.0.1:1 GET {shown} 1.1 200"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
