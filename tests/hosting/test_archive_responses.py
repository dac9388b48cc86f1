"""Tests of hubmodule.hosting.archive_responses, on a real server."""

from __future__ import annotations

import hashlib
import pathlib
import sys
from collections.abc import Iterator

import pytest

from hubmodule.hosting.hub_directory import HubDirectory
from tests.hosting.hubs import add_version
from tests.hosting.web_servers import WebServer, serving

ARCHIVE = bytes(range(256)) * 2048  # 512 KiB, more than a piece
ETAG = f'"{hashlib.sha256(ARCHIVE).hexdigest()}"'
PATH = "/team/encoder/1?tf-hub-format=compressed"


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[WebServer]:
    hub = HubDirectory(tmp_path)
    add_version(hub, "team/encoder/1", ARCHIVE)
    with serving(hub) as server:
        yield server


@pytest.fixture
def remote_server(request: pytest.FixtureRequest) -> Iterator[WebServer]:
    hub = HubDirectory(f"ram://{request.node.name}")
    add_version(hub, "team/encoder/1", ARCHIVE)
    with serving(hub) as server:
        yield server


@pytest.mark.parametrize(
    ("stated", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=100-", 100, len(ARCHIVE)),
        ("bytes=-7", len(ARCHIVE) - 7, len(ARCHIVE)),
        ("bytes=5-99999999", 5, len(ARCHIVE)),
        ("bytes=-99999999", 0, len(ARCHIVE)),
        ("BYTES = 0 - 0", 0, 1),
    ],
)
def test_a_range(server: WebServer, stated: str, start: int, end: int) -> None:
    answer = server.get(PATH, Range=stated)
    assert (answer.status, answer.body) == (206, ARCHIVE[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(ARCHIVE)}"
    assert answer.headers["etag"] == ETAG


@pytest.mark.parametrize("stated", [f"bytes={len(ARCHIVE)}-", "bytes=-0"])
def test_a_range_beyond_the_end(server: WebServer, stated: str) -> None:
    answer = server.get(PATH, Range=stated)
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(ARCHIVE)}")


@pytest.mark.parametrize(
    "stated",
    [
        "bytes=" + ",".join(["0-"] * 90),
        "bytes=0-1,5-6",
        "bytes=5-2",
        "bytes=a-b",
        "bytes=-",
        "bytes=",
        "items=0-5",
        "bytes=+1-5",
        "bytes=1_0-20",
        "bytes=0-" + "9" * 5000,
    ],
)
def test_a_range_that_is_not_understood_is_ignored(server: WebServer, stated: str) -> None:
    answer = server.get(PATH, Range=stated)
    assert (answer.status, answer.body) == (200, ARCHIVE)
    assert answer.headers["accept-ranges"] == "bytes"


def test_the_head_of_a_range(server: WebServer) -> None:
    answer = server.get(PATH, "HEAD", Range="bytes=0-9")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (206, b"", "10")


def test_a_range_of_the_archive_that_the_client_began_to_load(server: WebServer) -> None:
    assert server.get(PATH, Range="bytes=9-", If_Range=ETAG).status == 206
    whole = server.get(PATH, Range="bytes=9-", If_Range='"other"')
    assert (whole.status, whole.body) == (200, ARCHIVE)


@pytest.mark.parametrize("stated", [ETAG, f"W/{ETAG}", f'"a", {ETAG}', "*"])
def test_an_archive_that_the_client_has(server: WebServer, stated: str) -> None:
    answer = server.get(PATH, If_None_Match=stated)
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", ETAG)


@pytest.mark.parametrize("stated", ['"other"', ETAG[:-2], ""])
def test_an_archive_that_the_client_does_not_have(server: WebServer, stated: str) -> None:
    assert server.get(PATH, If_None_Match=stated).body == ARCHIVE


def test_a_hub_on_another_file_system(remote_server: WebServer) -> None:
    answer = remote_server.get(PATH)
    assert (answer.status, answer.body) == (200, ARCHIVE)
    assert (answer.headers["content-length"], answer.headers["etag"]) == (str(len(ARCHIVE)), ETAG)
    assert answer.headers["accept-ranges"] == "none"
    assert remote_server.get(PATH, Range="bytes=0-1").body == ARCHIVE
    assert remote_server.get(PATH, If_None_Match=ETAG).status == 304
    head = remote_server.get(PATH, "HEAD")
    assert (head.body, head.headers["content-length"]) == (b"", str(len(ARCHIVE)))
    assert remote_server.get("/").body == b"front page of ['encoder']"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
