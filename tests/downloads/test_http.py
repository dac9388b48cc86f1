"""Requests to real servers on loopback."""

from __future__ import annotations

import logging
import os
import pathlib
import socket
import ssl
import sys
import traceback
import urllib.error
from collections.abc import Iterator

import pytest
import trustme

from hubmodule import settings
from hubmodule._plain_errors import (
    DownloadError,
    HttpStatusError,
    HubModuleError,
    UncompressedReadError,
)
from hubmodule.downloads import http
from hubmodule.downloads.retries import Retries
from hubmodule.handles import WebHandle, parse
from tests.resolver import servers

BODY = os.urandom(100_000)


class Fetched:
    """What came of downloading `url`: the bytes, and the pauses in between."""

    def __init__(self, url: str, retries: int = 3, starts: int = 1):
        self.pauses: list[float] = []
        self.reports: list[tuple[int, int | None]] = []
        patience = Retries(retries, sleep=self.pauses.append, get_random=lambda: 1.0)
        with http.Download(web(url), settings.read(), patience, self.report) as download:
            for _ in range(starts - 1):
                with pytest.raises(http.StartAgain):
                    b"".join(download.read_pieces())
            self.body = b"".join(download.read_pieces())
            self.answer = download.answer

    def report(self, received: int, total: int | None) -> None:
        self.reports.append((received, total))


def web(url: str) -> WebHandle:
    handle = parse(url)
    assert isinstance(handle, WebHandle)
    return handle


def error_of(url: str, retries: int = 0) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        Fetched(url, retries)
    return caught.value


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "www.example.org").configure_cert(context)
    return context


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: pathlib.Path) -> str:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[servers.Server]:
    """A proxy that answers for hosts which only it can reach."""
    answers = {
        "http://example.org/m": servers.whole(BODY),
        "http://example.org/gone": servers.redirect("http://www.kaggle.com/models?tfhub=true"),
        "http://www.kaggle.com/models/google/nnlm/tensorFlow1/en/1": servers.redirect("/models"),
    }
    with servers.serving(answers) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        yield server


def test_asks_for_an_archive_as_it_is() -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        assert Fetched(f"{server.url}/m").body == BODY
        [request] = server.requests
    assert request.query == "tf-hub-format=compressed"
    assert request.headers["Accept-Encoding"] == "identity"


def test_keeps_the_query_of_the_handle() -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        Fetched(f"{server.url}/m?a=b%20c&tf-hub-format=x")
        assert server.requests[0].query == "a=b%20c&tf-hub-format=compressed"


@pytest.mark.parametrize(
    "handle",
    ["m?X-Amz-Date=1&X-Amz-Signature=a%2Fb", "m?sig=a", "m.tar.gz", "m.tgz?a=b&tf-hub-format=x"],
)
def test_leaves_signed_addresses_and_those_of_archives_alone(handle: str) -> None:
    path, _, query = handle.partition("?")
    with servers.serving({f"/{path}": servers.whole(BODY)}) as server:
        Fetched(f"{server.url}/{handle}")
        assert server.requests[0].query == query


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:1?key=secret"])
@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://h.invalid", "http://127.0.0.1:x"]
)
def test_errors_hold_no_query(host: str, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(HubModuleError) as caught:
        Fetched(f"{host}/m?X-Amz-Signature=secret", retries=1)
    # What an uncaught error prints, with its causes.
    assert "secret" not in "".join(traceback.format_exception(caught.value, chain=True)).replace(
        '?X-Amz-Signature=secret", retries=1', ""
    )


def test_reports_what_came_and_what_is_to_come() -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        reports = Fetched(f"{server.url}/m").reports
    assert reports[0] == (0, len(BODY))
    assert reports[-1] == (len(BODY), len(BODY))


def test_says_what_answered() -> None:
    answers = {"/a": servers.redirect("/b?secret=1"), "/b": servers.whole(BODY, Content_Type="x/y")}
    with servers.serving(answers) as server:
        answer = Fetched(f"{server.url}/a").answer
    assert answer == f"{server.url}/b answered 200 OK with x/y"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_follows_redirects(code: int) -> None:
    answers = {"/a": servers.redirect("/b", code), "/b": servers.whole(BODY)}
    with servers.serving(answers) as server:
        assert Fetched(f"{server.url}/a").body == BODY


def test_follows_from_http_to_https(
    tls: ssl.SSLContext, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with (
        servers.serving({"/b": servers.whole(BODY)}, tls) as safe,
        servers.serving({"/a": servers.redirect(f"{safe.url}/b")}) as server,
    ):
        assert Fetched(f"{server.url}/a").body == BODY


def test_does_not_follow_from_https_to_http(
    tls: ssl.SSLContext, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with (
        servers.serving({"/b": servers.whole(BODY)}) as unsafe,
        servers.serving({"/a": servers.redirect(f"{unsafe.url}/b?key=1")}, tls) as server,
    ):
        assert str(error_of(f"{server.url}/a")) == (
            f"Cannot fetch {server.url}/a from {server.url}/a: it redirects to {unsafe.url}/b, and "
            "https:// is not left for http://. Use the address of a server that you trust."
        )
        assert unsafe.requests == []


@pytest.mark.parametrize("scheme", ["file", "ftp", "gs"])
def test_does_not_follow_to_another_scheme(scheme: str) -> None:
    with servers.serving({"/a": servers.redirect(f"{scheme}://host/etc/passwd")}) as server:
        assert str(error_of(f"{server.url}/a")) == (
            f"Cannot fetch {server.url}/a from {server.url}/a: it redirects to "
            f"{scheme}://host/etc/passwd, and {scheme}:// is not followed. "
            "Use the address of a server that you trust."
        )


def test_a_redirect_to_an_invalid_address() -> None:
    with servers.serving({"/a": servers.redirect("http://[")}) as server:
        assert "that is not a valid address" in str(error_of(f"{server.url}/a"))


def test_a_redirect_to_nowhere() -> None:
    with servers.serving({"/a": servers.status(302)}) as server:
        assert str(error_of(f"{server.url}/a")) == (
            f"Cannot fetch {server.url}/a from {server.url}/a: it redirects (302 Found) to nowhere."
            " Open the address in a browser to see what it is."
        )


def test_redirects_for_ever() -> None:
    with servers.serving({"/a": servers.redirect("/a")}) as server:
        assert str(error_of(f"{server.url}/a")) == (
            f"Cannot fetch {server.url}/a from {server.url}/a: it redirects more than 10 times. "
            "Open the address in a browser to see what it is."
        )


LOGIN = (
    "The model may be private, or its licence not accepted yet: open the address in a browser. "
    "A user name and password for a host go into ~/.netrc, a token into "
    "HUBMODULE_TOKENS=host=token."
)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (204, "204 No Content. Open the address in a browser to see what it is."),
        (401, f"401 Unauthorized. {LOGIN}"),
        (403, f"403 Forbidden. {LOGIN}"),
        (
            404,
            "404 Not Found. Check the spelling and the version; models of tfhub.dev are now at "
            "https://www.kaggle.com/models.",
        ),
        (
            407,
            "407 Proxy Authentication Required. The proxy wants a user name and a password: "
            "HTTPS_PROXY=http://user:password@host:port.",
        ),
        (
            410,
            "410 Gone. The model was deleted; look for another at https://www.kaggle.com/models.",
        ),
        (418, "418 I'm a Teapot. Open the address in a browser to see what it is."),
        (
            429,
            "429 Too Many Requests. The server has too many requests; try again later.",
        ),
        (500, "500 Internal Server Error. The server has a problem; try again later."),
        (501, "501 Not Implemented. The server has a problem; try again later."),
        (503, "503 Service Unavailable. The server has a problem; try again later."),
    ],
)
def test_a_status_that_is_no_success(code: int, text: str) -> None:
    with servers.serving({"/m": servers.status(code)}) as server:
        error = error_of(f"{server.url}/m?key=secret")
    asked = f"Cannot fetch {server.url}/m from {server.url}/m"
    assert str(error).lower() == f"{asked}: the server answered {text}".lower()
    assert isinstance(error, HttpStatusError)
    assert isinstance(error, urllib.error.HTTPError)
    assert (error.code, error.url) == (code, f"{server.url}/m")


def test_messages_hold_no_password() -> None:
    with servers.serving({"/m": servers.status(403)}) as server:
        error = error_of(server.url.replace("http://", "http://me:secret@") + "/m")
    assert f"Cannot fetch {server.url}/m from {server.url}/m:" in str(error)
    assert "secret" not in str(error)


def test_messages_hold_no_code_for_a_terminal() -> None:
    with servers.serving({"/m": servers.redirect("file:///\x1b[31m")}) as server:
        assert "redirects to file:///\\x1b[31m, and" in str(error_of(f"{server.url}/m"))


def test_a_password_goes_along_to_the_same_host_only() -> None:
    with servers.serving({"/n": servers.whole(BODY)}) as other:
        answers = {"/m": servers.redirect("/l"), "/l": servers.redirect(f"{other.url}/n")}
        with servers.serving(answers) as server:
            Fetched(server.url.replace("http://", "http://me:secret@") + "/m")
            sent = ["Authorization" in r.headers for r in (*server.requests, *other.requests)]
    assert sent == [True, True, False]


def test_tries_again_later_and_later() -> None:
    answers = [servers.status(503), servers.status(500), servers.status(429), servers.whole(BODY)]
    with servers.serving({"/m": answers}) as server:
        fetched = Fetched(f"{server.url}/m")
    assert fetched.body == BODY
    assert fetched.pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("header", "pauses"),
    [("7", [7.0]), (" 7 ", [7.0]), ("Thu, 01 Jan 1970 12:00:30 GMT", [0.0])],
)
def test_waits_as_long_as_the_server_asks(header: str, pauses: list[float]) -> None:
    answers = [servers.status(429, Retry_After=header), servers.whole(BODY)]
    with servers.serving({"/m": answers}) as server:
        assert Fetched(f"{server.url}/m").pauses == pauses


@pytest.mark.parametrize("header", ["soon", "-1", "\xb2", "9" * 5000, "Mon, 99 Foo 2026"])
def test_waits_as_usual_if_the_server_asks_for_nothing_readable(header: str) -> None:
    answers = [servers.status(503, Retry_After=header), servers.whole(BODY)]
    with servers.serving({"/m": answers}) as server:
        assert Fetched(f"{server.url}/m").pauses == [0.5]


def test_gives_up_if_the_server_asks_to_wait_for_long() -> None:
    answers = [servers.status(503, Retry_After="3600"), servers.whole(BODY)]
    with servers.serving({"/m": answers}) as server:
        assert "answered 503" in str(error_of(f"{server.url}/m", retries=3))
        assert len(server.requests) == 1


@pytest.mark.parametrize("proxy", ["", "http://proxy.invalid:3128"])
def test_a_name_without_an_address_is_looked_up_once_more(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_ups = []

    def fail(host: str, *arguments: object, **named: object) -> None:
        look_ups.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert "Name or service not known" in str(error_of("http://host.invalid/m", retries=5))
    assert look_ups == ["proxy.invalid" if proxy else "host.invalid"] * 2


def test_gives_up_after_so_many_tries() -> None:
    with servers.serving({"/m": servers.status(503)}) as server:
        error_of(f"{server.url}/m", retries=3)
        assert len(server.requests) == 4


def test_a_404_is_not_tried_again() -> None:
    with servers.serving({}) as server:
        error_of(f"{server.url}/m", retries=3)
        assert len(server.requests) == 1


def test_resumes_where_the_connection_was_cut() -> None:
    answers = [
        servers.rest(BODY, 30_000, ETag='"1"'),
        servers.rest(BODY, 70_000, ETag='"1"'),
        servers.rest(BODY),
    ]
    with servers.serving({"/m": answers}) as server:
        fetched = Fetched(f"{server.url}/m")
        asked = [(r.headers.get("Range"), r.headers.get("If-Range")) for r in server.requests]
    assert fetched.body == BODY
    assert asked == [(None, None), ("bytes=30000-", '"1"'), ("bytes=70000-", '"1"')]


def test_a_download_that_goes_on_is_resumed_for_ever() -> None:
    # More cuts than retries, but each try brings some more.
    answers = [servers.rest(BODY, after) for after in range(10_000, 100_001, 10_000)]
    with servers.serving({"/m": answers}) as server:
        fetched = Fetched(f"{server.url}/m", retries=2)
    assert fetched.body == BODY
    assert fetched.pauses == [0.5] * 9


@pytest.mark.parametrize(
    ("tag", "modified", "sent"),
    [
        ('W/"weak"', "Sat, 01 Jan 2000 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ('"strong"', "Sat, 01 Jan 2000 00:00:00 GMT", '"strong"'),
    ],
)
def test_resumes_only_the_same_archive(tag: str, modified: str, sent: str) -> None:
    answers = [servers.rest(BODY, 9, ETag=tag, Last_Modified=modified), servers.rest(BODY)]
    with servers.serving({"/m": answers}) as server:
        Fetched(f"{server.url}/m")
        assert server.requests[1].headers["If-Range"] == sent


def test_starts_again_where_the_server_cannot_resume() -> None:
    answers = [servers.cut(BODY, 500), servers.whole(BODY)]
    with servers.serving({"/m": answers}) as server:
        assert Fetched(f"{server.url}/m", starts=2).body == BODY


def test_starts_again_if_the_archive_has_changed() -> None:
    other = os.urandom(5000)
    answers = [servers.rest(BODY, 500), servers.rest(other), servers.whole(other)]
    with servers.serving({"/m": answers}) as server:
        assert Fetched(f"{server.url}/m", starts=2).body == other


def test_starts_again_if_the_server_does_not_say_that_the_archive_has_changed() -> None:
    other = os.urandom(len(BODY))
    answers = [
        servers.rest(BODY, 500, ETag='"1"'),
        servers.rest(other, ETag='"2"'),
        servers.whole(other),
    ]
    with servers.serving({"/m": answers}) as server:
        assert Fetched(f"{server.url}/m", starts=2).body == other


@pytest.mark.parametrize("length", ["-1", "many", "\xb2", "9" * 5000])
def test_a_length_that_is_no_number(length: str) -> None:
    def answer(handler: servers.Handler) -> None:
        handler.start(200, None, Content_Length=length)
        handler.wfile.write(BODY)

    with servers.serving({"/m": answer}) as server:
        assert Fetched(f"{server.url}/m").body == BODY


def test_a_chunk_of_a_negative_length() -> None:
    def answer(handler: servers.Handler) -> None:
        handler.start(200, None, Transfer_Encoding="chunked")
        handler.wfile.write(b"-5\r\n" + BODY)

    with servers.serving({"/m": [answer, servers.whole(BODY)]}) as server:
        assert Fetched(f"{server.url}/m").body == BODY


def test_a_server_that_cuts_again_and_again() -> None:
    with servers.serving({"/m": servers.cut(BODY, 500)}) as server:
        pauses: list[float] = []
        patience = Retries(2, pauses.append, get_random=lambda: 1.0)
        handle = web(f"{server.url}/m")
        with http.Download(handle, settings.read(), patience) as download:
            for _ in range(2):
                with pytest.raises(http.StartAgain):
                    b"".join(download.read_pieces())
            with pytest.raises(DownloadError) as caught:
                b"".join(download.read_pieces())
    assert str(caught.value) == (
        f"Cannot fetch {server.url}/m from {server.url}/m: the connection ended after 500 of "
        "100000 bytes, again and again. Try again later, or from another network."
    )


def test_a_server_that_promises_more_than_it_has() -> None:
    answers = [servers.cut(BODY, 100_000, announced=100_010), servers.status(416)]
    with servers.serving({"/m": answers}) as server:
        assert str(error_of(f"{server.url}/m", retries=3)) == (
            f"Cannot fetch {server.url}/m from {server.url}/m: the connection ended after 100000 "
            "of 100010 bytes, again and again. Try again later, or from another network."
        )


def test_a_body_without_a_length() -> None:
    with servers.serving({"/m": servers.cut(BODY, len(BODY), announced=None)}) as server:
        assert Fetched(f"{server.url}/m").body == BODY


def test_nobody_listens() -> None:
    with servers.serving({}) as server:
        pass
    assert str(error_of(f"{server.url}/m")).startswith(
        f"Cannot fetch {server.url}/m from {server.url}/m: "
    )
    assert str(error_of(f"{server.url}/m")).endswith(
        "Connection refused. Check the network and the proxy (HTTPS_PROXY, HTTP_PROXY, NO_PROXY); "
        "HUBMODULE_OFFLINE=1 uses only what is cached."
    )


@pytest.mark.parametrize("after", [0, 500])
def test_a_server_that_says_nothing_more(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBMODULE_READ_TIMEOUT", "0.05")
    gate = servers.Gate(BODY, after)
    with servers.serving({"/m": gate}) as server:
        error = error_of(f"{server.url}/m")
        gate.open.set()
    assert "timed out" in str(error).lower()
    assert "Check the network and the proxy" in str(error)


def test_a_certificate_that_nobody_vouches_for(tls: ssl.SSLContext) -> None:
    with servers.serving({"/m": servers.whole(BODY)}, tls) as server:
        error = str(error_of(f"{server.url}/m", retries=3))
        assert len(server.requests) == 0
    assert error.startswith(
        f"Cannot fetch {server.url}/m from {server.url}/m: its certificate is not trusted ("
    )
    assert error.endswith(
        "If your network has a certificate authority of its own, set REQUESTS_CA_BUNDLE to its "
        "file; TFHUB_DISABLE_CERT_VALIDATION=true turns the check off."
    )


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_authority_of_ones_own(
    tls: ssl.SSLContext, bundle: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, bundle)
    with servers.serving({"/m": servers.whole(BODY)}, tls) as server:
        assert Fetched(f"{server.url}/m").body == BODY


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_certificates_are_not_checked_if_that_is_switched_off(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TFHUB_DISABLE_CERT_VALIDATION", "true")
    with servers.serving({"/m": servers.whole(BODY)}, tls) as server:
        assert Fetched(f"{server.url}/m").body == BODY
    assert caplog.record_tuples == [
        (
            "hubmodule",
            logging.WARNING,
            f"TFHUB_DISABLE_CERT_VALIDATION is set: nothing proves that {server.url}/m is genuine.",
        )
    ]


def test_goes_through_a_proxy(proxy: servers.Server) -> None:
    assert Fetched("http://example.org/m").body == BODY
    assert [request.path for request in proxy.requests] == ["http://example.org/m"]


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("HTTPS_PROXY", "nonsense://h", "unsupported scheme nonsense"),
        ("REQUESTS_CA_BUNDLE", "/no/such/file", "invalid path: /no/such/file"),
    ],
)
def test_what_requests_cannot_use(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, what: str
) -> None:
    monkeypatch.setenv(variable, value)
    error = str(error_of("https://127.0.0.1:1/m"))
    assert error.startswith("Cannot fetch https://127.0.0.1:1/m from https://127.0.0.1:1/m: ")
    assert what in error
    assert error.endswith(". Check the address, the proxy and REQUESTS_CA_BUNDLE.")


def test_a_proxy_whose_address_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:99999")
    assert str(error_of("http://example.org/m")) == (
        "Cannot fetch http://example.org/m from http://example.org/m: Failed to parse: "
        "http://127.0.0.1:99999. Check the address, the proxy and REQUESTS_CA_BUNDLE."
    )


def test_goes_to_https_through_a_proxy(
    tls: ssl.SSLContext, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with (
        servers.serving({"/m": servers.whole(BODY)}, tls) as safe,
        servers.serving({}, tunnel_to=safe.address) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert Fetched("https://www.example.org/m").body == BODY
        assert [request.path for request in proxy.requests] == ["www.example.org:443"]


def test_a_deleted_model_of_kaggle(proxy: servers.Server) -> None:
    address = "http://www.kaggle.com/models/google/nnlm/tensorFlow1/en/1"
    error = error_of(address)
    assert str(error) == (
        f"Cannot fetch {address} from {address}: it redirects (302 Found) to Kaggle's front page "
        "http://www.kaggle.com/models, which means that google/nnlm was deleted or never there. "
        "Look for its new name at https://www.kaggle.com/models, or use a copy of your own."
    )
    assert isinstance(error, urllib.error.HTTPError)


def test_a_deleted_model_of_tfhub(proxy: servers.Server) -> None:
    assert "which means that this model was deleted or never there" in str(
        error_of("http://example.org/gone")
    )


def location(url: str) -> str:
    return http.find_uncompressed(web(url), settings.read(), Retries(1, lambda pause: None))


@pytest.mark.parametrize(
    "answers",
    [
        {"/m": servers.status(303, b"gs://bucket/module\n")},
        {"/m": servers.redirect("/n"), "/n": servers.status(303, b"gs://bucket/module")},
        {"/m": servers.status(303, b"gs://bucket/module", Location="https://other/")},
        {"/m": [servers.status(503), servers.status(303, b"gs://bucket/module")]},
    ],
)
def test_a_server_says_where_the_unpacked_module_is(answers: dict[str, servers.Answer]) -> None:
    with servers.serving(answers) as server:
        assert location(f"{server.url}/m") == "gs://bucket/module"
        assert server.requests[-1].path in answers
        assert server.requests[0].query == "tf-hub-format=uncompressed"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (servers.status(200, b"gs://bucket/module"), "200 OK"),
        (servers.status(303, b"/etc/passwd"), "303 See Other"),
        (servers.status(303, b"\xff\xfe"), "303 See Other"),
        (servers.status(404), "404 Not Found"),
    ],
)
def test_a_server_says_nothing_of_an_unpacked_module(answer: servers.Answer, status: str) -> None:
    with (
        servers.serving({"/m": answer}) as server,
        pytest.raises(UncompressedReadError) as caught,
    ):
        location(f"{server.url}/m")
    assert str(caught.value) == (
        f"{server.url}/m answered {status} where a 303 with a gs:// path was expected, so "
        f"{server.url}/m cannot be read uncompressed. Unset TFHUB_MODEL_LOAD_FORMAT to download it."
    )
    assert isinstance(caught.value, ValueError)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
