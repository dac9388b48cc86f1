"""Tests of hubmodule.hosting.web_app, on a real server."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import sys
import urllib.parse
from collections.abc import Iterator

import pytest

from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from tests.hosting.hubs import add_version
from tests.hosting.web_servers import WebServer, serving

ARCHIVE = bytes(range(256)) * 4096  # 1 MiB
COMPRESSED = "tf-hub-format=compressed"


@pytest.fixture
def hub(tmp_path: pathlib.Path) -> HubDirectory:
    hub = HubDirectory(tmp_path / "hub")
    add_version(hub, "team/encoder/2", b"two")
    add_version(hub, "team/encoder/10", ARCHIVE)
    hub.rebuild_index()
    return hub


@pytest.fixture
def server(hub: HubDirectory) -> Iterator[WebServer]:
    with serving(hub) as server:
        yield server


def test_pages(server: WebServer) -> None:
    front = server.get("/")
    assert (front.status, front.body) == (200, b"front page of ['encoder']")
    assert front.headers["content-type"] == "text/html; charset=utf-8"
    page = server.get("/team/encoder/2")
    assert (page.status, page.body) == (200, f"page of {server.url}/team/encoder/2".encode())


def test_a_page_names_the_address_that_the_client_used(server: WebServer) -> None:
    page = server.get("/team/encoder/2", Host="hub.example.com")
    assert page.body == b"page of http://hub.example.com/team/encoder/2"
    page = server.get("/team/encoder/2", Host="hub.example.com", X_Forwarded_Proto="https")
    assert page.body == b"page of https://hub.example.com/team/encoder/2"


@pytest.mark.parametrize("host", ["module_hub:8501", "[::1]:8501", "a-b.c:1"])
def test_a_host_that_is_a_name_or_an_address(server: WebServer, host: str) -> None:
    page = server.get("/team/encoder/2", Host=host)
    assert page.body == f"page of http://{host}/team/encoder/2".encode()


@pytest.mark.parametrize("host", ["<script>", "a b", "a@b", "x" * 300, "a/b", "h:123456", "[::1"])
def test_a_host_that_is_neither_a_name_nor_an_address(server: WebServer, host: str) -> None:
    answer = server.get("/team/encoder/2", Host=host)
    assert answer.status == 400
    assert host.encode() not in answer.body


def test_every_answer_has_the_headers_that_protect_a_browser(server: WebServer) -> None:
    for path in ("/", "/no/such/1", "/static/hub.css", f"/team/encoder/2?{COMPRESSED}"):
        headers = server.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'; script-src 'self';" in headers["content-security-policy"]
        assert "server" not in headers


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/team/encoder", "../team/encoder/10"),
        ("/team/encoder/", "../../team/encoder/10"),
        (f"/team/encoder?{COMPRESSED}", f"../team/encoder/10?{COMPRESSED}"),
        ("/team/encoder/2/", "../../../team/encoder/2"),
        ("/team%2Fencoder", "team/encoder/10"),
    ],
)
def test_redirects_hold_below_any_path(server: WebServer, path: str, location: str) -> None:
    answer = server.get(path)
    assert (answer.status, answer.headers["location"]) == (302, location)
    for prefix in ("", "/hub", "/a/b"):
        address = urllib.parse.urljoin(f"https://hub.example.com{prefix}{path}", location)
        assert address.startswith(f"https://hub.example.com{prefix}/team/encoder/")


def test_a_page_behind_a_prefix(hub: HubDirectory) -> None:
    with serving(hub, "/hub") as server:
        page = server.get("/team/encoder/2", Host="example.com")
    assert page.body == b"page of http://example.com/hub/team/encoder/2"


def test_the_archive(server: WebServer) -> None:
    answer = server.get(f"/team/encoder/10?{COMPRESSED}")
    assert (answer.status, answer.body) == (200, ARCHIVE)
    assert answer.headers["content-type"] == "application/gzip"
    assert answer.headers["content-length"] == str(len(ARCHIVE))
    assert answer.headers["content-encoding"] is None
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["etag"] == f'"{hashlib.sha256(ARCHIVE).hexdigest()}"'
    assert "encoder-10.tar.gz" in answer.headers["content-disposition"]
    assert server.get("/team/encoder/10/module.tar.gz").body == ARCHIVE


def test_other_parameters_do_not_matter(server: WebServer) -> None:
    assert server.get(f"/team/encoder/2?token=x&{COMPRESSED}").body == b"two"


def test_where_the_module_is_unpacked(
    hub: HubDirectory, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/team/encoder/2?tf-hub-format=uncompressed"
    refused = server.get(path)
    assert refused.status == 406
    assert b"archives only" in refused.body
    monkeypatch.setattr(hub, "unpacked_path", lambda *_: "gs://bucket/team/encoder/2/module")
    answer = server.get(path)
    assert (answer.status, answer.body) == (303, b"gs://bucket/team/encoder/2/module")
    assert answer.headers["location"] is None


def test_an_unknown_format(server: WebServer) -> None:
    answer = server.get("/team/encoder/2?tf-hub-format=zip")
    assert (answer.status, answer.body) == (400, b"tf-hub-format is compressed or uncompressed.")


def test_the_index_and_the_facts(hub: HubDirectory, server: WebServer) -> None:
    index = server.get("/index.json")
    assert json.loads(index.body) == hub.read_index()
    assert index.headers["content-type"] == "application/json"
    facts = json.loads(server.get("/team/encoder/10/facts.json").body)
    assert facts["archive"]["bytes"] == len(ARCHIVE)


def test_static_files(server: WebServer) -> None:
    answer = server.get("/static/hub.css")
    assert (answer.status, answer.body) == (200, b"p {}")
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert server.get("/static/other.css").status == 404


@pytest.mark.parametrize("path", ["/", "/team/encoder/2", "/index.json", "/static/hub.js"])
def test_what_a_client_has_is_not_sent_again(server: WebServer, path: str) -> None:
    first = server.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = server.get(path, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert server.get(path, If_None_Match='"other"').status == 200


def test_head(server: WebServer) -> None:
    for path in ("/", "/team/encoder/10", f"/team/encoder/10?{COMPRESSED}", "/index.json"):
        get, head = server.get(path), server.get(path, "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(get.body))
        assert head.headers["etag"] == get.headers["etag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_it_only_reads(server: WebServer, method: str) -> None:
    for path in ("/", "/team/encoder/2", "/team/encoder/2/module.tar.gz"):
        assert server.get(path, method).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/team/encoder/3",
        f"/team/encoder/3?{COMPRESSED}",
        "/team/encoder/3/module.tar.gz",
        "/team/other",
        "/team",
        "/a/b/c/d/e",
        "/team/encoder/02",
        "/team/encoder/-2",
        "/team/encoder/%D9%A2",
        "/team/encoder/99999999999999999999",
        "/team/<b>/1",
        "/team/%3Cscript%3E/1",
    ],
)
def test_what_does_not_exist(server: WebServer, path: str, tmp_path: pathlib.Path) -> None:
    answer = server.get(path)
    assert answer.status == 404
    assert str(tmp_path).encode() not in answer.body
    assert b"script" not in answer.body


UP = (
    "..",
    "%2e%2e",
    ".%2e",
    "%2E.",
    "%252e%252e",
    "..%2f..",
    "..%5c..",
    "..\\..",
    "%c0%ae%c0%ae",
    "%u002e%u002e",
    "..;",
    "..%00",
    "....//",
    "/etc",
    "%2fetc",
    "C:",
    "file:",
)


@pytest.mark.parametrize(
    "pattern",
    [
        "/{}/secret/1?tf-hub-format=compressed",
        "/team/{}/1",
        "/team/{}/secret/1",
        "/team/encoder/{}",
        "/team/encoder/2/{}/secret",
        "/static/{}/secret.txt",
        "/{}/{}/{}/etc/passwd",
        "/{}",
    ],
)
def test_no_path_leaves_the_hub(server: WebServer, tmp_path: pathlib.Path, pattern: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    add_version(str(tmp_path), "secret/secret/1", b"secret")
    answers = [server.get(pattern.format(up, up, up)) for up in UP]
    assert {answer.status for answer in answers} == {404}
    assert not any(b"secret" in answer.body for answer in answers)


def test_a_link_out_of_the_hub_is_not_followed(server: WebServer, tmp_path: pathlib.Path) -> None:
    add_version(str(tmp_path / "other"), "x/y/1", b"secret")
    (tmp_path / "hub/x").symlink_to(tmp_path / "other/x")
    archive = tmp_path / "hub/team/encoder/2/module.tar.gz"
    archive.unlink()
    archive.symlink_to("/etc/passwd")
    assert server.get(f"/x/y/1?{COMPRESSED}").status == 404
    assert server.get(f"/team/encoder/2?{COMPRESSED}").status == 404


def test_a_new_version_is_seen_without_a_restart(hub: HubDirectory, server: WebServer) -> None:
    assert server.get("/").body == b"front page of ['encoder']"
    add_version(hub, "team/new/1", b"new")
    # Its page and its archive do not need the index.
    assert server.get(f"/team/new/1?{COMPRESSED}").body == b"new"
    hub.rebuild_index()
    assert server.get("/").body == b"front page of ['encoder', 'new']"


def test_pages_are_made_once_until_the_index_changes(hub: HubDirectory, server: WebServer) -> None:
    for path in ("/", "/", "/team/encoder/2", "/team/encoder/2"):
        assert server.get(path).status == 200
    assert server.pages.made == ["front", "team/encoder/2"]
    hub.rebuild_index()
    server.get("/team/encoder/2")
    assert server.pages.made == ["front", "team/encoder/2", "team/encoder/2"]


def test_the_index_is_read_once_until_it_changes(
    hub: HubDirectory, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read_index = HubDirectory.read_index
    monkeypatch.setattr(
        HubDirectory, "read_index", lambda self: reads.append(1) or read_index(self)
    )
    for path in ("/", "/team/encoder/2", "/team/encoder/10", "/index.json", "/search.json"):
        assert server.get(path).status == 200
    assert len(reads) == 1


def test_a_hub_that_changes_while_it_is_read(hub: HubDirectory, server: WebServer) -> None:
    with server.connect() as connection:
        request = f"GET /team/encoder/10?{COMPRESSED} HTTP/1.0\r\nHost: h\r\n\r\n"
        connection.sendall(request.encode())
        received = b""
        while not received.partition(b"\r\n\r\n")[2]:
            received += connection.recv(1000)
        # Its files are removed, and another version comes, while the archive is sent.
        hub.file_system.remove(hub.locate_version(ModuleName("team", "encoder"), 10))
        add_version(hub, "team/encoder/11", b"eleven")
        hub.rebuild_index()
        received += b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.partition(b"\r\n\r\n")[2] == ARCHIVE
    assert server.get(f"/team/encoder/10?{COMPRESSED}").status == 404
    assert server.get("/team/encoder").headers["location"] == "../team/encoder/11"


def test_a_damaged_version(hub: HubDirectory, server: WebServer, tmp_path: pathlib.Path) -> None:
    path = add_version(hub, "team/broken/1")
    hub.file_system.write(f"{path}/facts.json", b"{")
    answer = server.get(f"/team/broken/1?{COMPRESSED}")
    assert (answer.status, answer.body) == (500, b"The hub cannot be read; its log says why.\n")
    assert server.get(f"/team/encoder/2?{COMPRESSED}").status == 200


def test_an_archive_that_is_missing(hub: HubDirectory, server: WebServer) -> None:
    os.remove(f"{hub.path}/team/encoder/2/module.tar.gz")
    assert server.get(f"/team/encoder/2?{COMPRESSED}").status == 404
    assert server.get("/team/encoder/2").status == 200


def test_health(hub: HubDirectory, server: WebServer) -> None:
    answer = server.get("/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")
    hub.file_system.remove(hub.path)
    assert server.get("/healthz").status == 500


def test_the_texts_that_the_front_page_searches(server: WebServer) -> None:
    answer = server.get("/search.json")
    assert json.loads(answer.body).keys() == {"schema", "texts"}
    assert answer.headers["content-type"] == "application/json"
    assert server.get("/search.json", If_None_Match=answer.headers["etag"]).status == 304


def test_pictures_of_a_page(hub: HubDirectory, server: WebServer) -> None:
    directory = pathlib.Path(hub.path) / "team" / "encoder" / "2"
    (directory / "p").mkdir()
    (directory / "p" / "a b.png").write_bytes(b"picture")
    (directory / "a.svg").write_bytes(b"<svg/>")
    answer = server.get("/team/encoder/2/p/a%20b.png")
    assert (answer.status, answer.body) == (200, b"picture")
    assert answer.headers["content-type"] == "image/png"
    for path in ("a.svg", "none.png", "README.md", "p/..%2f..%2f10%2fa.png", "%2fetc%2fx.png"):
        assert server.get(f"/team/encoder/2/{path}").status == 404


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/team", ""),
        ("/team/", "../"),
        ("/team/none", "../"),
        ("/team/encoder/3", "../../"),
        ("/a/b%3C/1", "../../"),
    ],
)
def test_a_page_for_what_is_not_there(server: WebServer, path: str, root: str) -> None:
    answer = server.get(path, Accept="text/html,*/*;q=0.8")
    assert answer.status == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.body.decode() == (
        f"No such module: There is no such module or version in this hub. {root}"
    )
    assert server.get(path).headers["content-type"] == "text/plain; charset=utf-8"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
