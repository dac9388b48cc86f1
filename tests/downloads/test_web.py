"""Where tokens and passwords are sent, with real servers on loopback."""

from __future__ import annotations

import logging
import pathlib
import ssl
import sys
import traceback
from collections.abc import Iterator

import pytest
import trustme

import hubmodule as hub
from hubmodule._plain_errors import DownloadError, HttpStatusError
from tests.resolver import archives, servers

BODY = archives.tar_gz()
TOKEN = "c29tZSBzZWNyZXQ="
REFUSED = (
    "The server refused the token that HUBMODULE_TOKENS or HUBMODULE_TOKENS_FILE has for it: it "
    "may have expired, or not allow this. Ask the owner of the server for another."
)


def want_token(handler: servers.Handler) -> None:
    is_right = handler.headers.get("Authorization") == f"Bearer {TOKEN}"
    handler.answer(200 if is_right else 401, BODY if is_right else b"")


def sent_to(server: servers.Server) -> list[str | None]:
    return [request.headers.get("Authorization") for request in server.requests]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(
    authority: trustme.CA, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens for every host of these tests, so that only the rules keep them back."""
    monkeypatch.setenv("HUBMODULE_TOKENS", f"127.0.0.1={TOKEN} localhost={TOKEN} example.org=far")


@pytest.fixture(autouse=True)
def no_secret_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert TOKEN not in caplog.text


@pytest.mark.usefixtures("tokens")
def test_a_token_is_sent_to_its_host() -> None:
    with servers.serving({"/m": want_token}) as server:
        hub.resolve(f"{server.url}/m")
        assert sent_to(server) == [f"Bearer {TOKEN}"]


@pytest.mark.usefixtures("tokens")
def test_a_token_is_sent_over_https(tls: ssl.SSLContext) -> None:
    with servers.serving({"/m": want_token}, tls) as server:
        hub.resolve(f"{server.url}/m")


def test_a_token_of_another_host_or_port_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        port = server.address[1]
        monkeypatch.setenv("HUBMODULE_TOKENS", f"127.0.0.2=a 127.0.0.1:{port + 1}=b")
        hub.resolve(f"{server.url}/m")
        assert sent_to(server) == [None]


def test_a_token_of_a_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokens").write_text(f"127.0.0.1={TOKEN}\n")
    (tmp_path / "tokens").chmod(0o600)
    monkeypatch.setenv("HUBMODULE_TOKENS_FILE", str(tmp_path / "tokens"))
    with servers.serving({"/m": want_token}) as server:
        hub.resolve(f"{server.url}/m")


@pytest.mark.usefixtures("tokens")
def test_a_token_replaces_a_netrc(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password pw\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with servers.serving({"/m": want_token}) as server:
        hub.resolve(f"{server.url}/m")
    monkeypatch.delenv("HUBMODULE_TOKENS")
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        hub.resolve(f"{server.url}/m")
        assert sent_to(server) == ["Basic bWU6cHc="]


@pytest.mark.usefixtures("tokens")
def test_a_password_in_the_address_is_sent_instead_of_a_token() -> None:
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        hub.resolve(server.url.replace("http://", "http://me:pw@") + "/m")
        assert sent_to(server) == ["Basic bWU6cHc="]


@pytest.mark.usefixtures("tokens")
def test_a_token_is_sent_after_a_redirect_to_the_same_origin() -> None:
    with servers.serving({"/m": servers.redirect("/n"), "/n": want_token}) as server:
        hub.resolve(f"{server.url}/m")
        assert sent_to(server) == [f"Bearer {TOKEN}"] * 2


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_token_is_not_sent_after_a_redirect_to_another_port(code: int) -> None:
    with servers.serving({"/n": servers.whole(BODY)}) as other:
        with servers.serving({"/m": servers.redirect(f"{other.url}/n", code)}) as server:
            hub.resolve(f"{server.url}/m")
        assert (sent_to(server), sent_to(other)) == ([f"Bearer {TOKEN}"], [None])


@pytest.mark.usefixtures("tokens")
def test_a_token_is_not_sent_after_a_redirect_to_another_host() -> None:
    # The same server under another name, which has a token of its own.
    with servers.serving({"/n": servers.whole(BODY)}) as server:
        other = server.url.replace("127.0.0.1", "localhost")
        server.listener._answers["/m"] = [servers.redirect(f"{other}/n")]
        hub.resolve(f"{server.url}/m")
        assert sent_to(server) == [f"Bearer {TOKEN}", None]


@pytest.mark.usefixtures("tokens")
def test_a_token_is_not_sent_after_a_redirect_to_another_scheme(tls: ssl.SSLContext) -> None:
    with servers.serving({"/n": servers.whole(BODY)}, tls) as other:
        with servers.serving({"/m": servers.redirect(f"{other.url}/n")}) as server:
            hub.resolve(f"{server.url}/m")
        assert (sent_to(server), sent_to(other)) == ([f"Bearer {TOKEN}"], [None])


@pytest.mark.usefixtures("tokens")
def test_https_is_not_left_with_a_token(tls: ssl.SSLContext) -> None:
    with servers.serving({"/n": servers.whole(BODY)}) as other:
        answers = {"/m": servers.redirect(f"{other.url}/n")}
        with (
            servers.serving(answers, tls) as server,
            pytest.raises(DownloadError, match="https:// is not left for http://"),
        ):
            hub.resolve(f"{server.url}/m")
        assert sent_to(other) == []


@pytest.mark.usefixtures("tokens")
def test_a_token_stays_back_after_a_redirect_that_comes_back() -> None:
    with servers.serving({}) as other, servers.serving({}) as server:
        server.listener._answers["/m"] = [servers.redirect(f"{other.url}/n")]
        other.listener._answers["/n"] = [servers.redirect(f"{server.url}/o")]
        server.listener._answers["/o"] = [servers.whole(BODY)]
        hub.resolve(f"{server.url}/m")
        assert (sent_to(server), sent_to(other)) == ([f"Bearer {TOKEN}", None], [None])


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("location", ["//me@{}/n", "http://{}\\@127.0.0.1/n", "http:{}/n"])
def test_a_token_is_not_sent_to_where_an_odd_redirect_leads(location: str) -> None:
    with servers.serving({"/n": servers.whole(BODY)}) as other:
        host, port = other.address
        target = location.format(f"{host}:{port}")
        with servers.serving({"/m": servers.redirect(target)}) as server:
            try:
                hub.resolve(f"{server.url}/m")
            except DownloadError as error:
                assert TOKEN not in str(error)
        assert all(sent is None or not sent.startswith("Bearer") for sent in sent_to(other))


@pytest.mark.usefixtures("tokens")
def test_a_token_is_sent_again_where_a_download_is_resumed(pauses: list[float]) -> None:
    with servers.serving({"/n": [servers.cut(BODY, 300), servers.rest(BODY)]}) as other:
        answers = {
            "/m": [servers.cut(BODY, 300), servers.rest(BODY)],
            "/l": servers.redirect(f"{other.url}/n"),
        }
        with servers.serving(answers) as server:
            hub.resolve(f"{server.url}/m")
            hub.resolve(f"{server.url}/l")
            assert sent_to(server) == [f"Bearer {TOKEN}"] * 4
        assert sent_to(other) == [None, None]


@pytest.mark.usefixtures("tokens")
def test_no_token_goes_to_a_proxy_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"http://127.0.0.1:1/m": servers.whole(BODY)}
    with servers.serving(answers) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        hub.resolve("http://127.0.0.1:1/m")
        assert sent_to(proxy) == [None]


@pytest.mark.usefixtures("tokens")
def test_no_token_is_sent_over_http_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"http://example.org/m": servers.status(401)}
    with servers.serving(answers) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(HttpStatusError) as caught:
            hub.resolve("http://example.org/m")
        assert sent_to(proxy) == [None]
    assert str(caught.value) == (
        "Cannot fetch http://example.org/m from http://example.org/m: the server answered 401 "
        "Unauthorized. HUBMODULE_TOKENS or HUBMODULE_TOKENS_FILE has a token for example.org, "
        "which is only sent over https, and not after a redirect from another scheme, host or "
        "port, nor beside a user name. Use the https address that asks for it."
    )


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize(("code", "reason"), [(401, "Unauthorized"), (403, "Forbidden")])
def test_a_token_that_is_refused(code: int, reason: str) -> None:
    with servers.serving({"/m": servers.status(code)}) as server:
        with pytest.raises(HttpStatusError) as caught:
            hub.resolve(f"{server.url}/m")
        place = f"{server.url}/m"
    assert str(caught.value) == (
        f"Cannot fetch {place} from {place}: the server answered {code} {reason}. {REFUSED}"
    )
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.usefixtures("tokens")
def test_a_token_is_sent_to_a_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving({"/google/nnlm/1": want_token}) as server:
        monkeypatch.setenv("HUBMODULE_MIRRORS", f"https://tfhub.dev/={server.url}")
        hub.resolve("https://tfhub.dev/google/nnlm/1")


@pytest.mark.usefixtures("tokens")
def test_a_token_is_sent_to_ask_for_the_unpacked_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFHUB_MODEL_LOAD_FORMAT", "UNCOMPRESSED")
    with servers.serving({"/m": servers.status(303, b"gs://b/m")}) as server:
        assert hub.resolve(f"{server.url}/m") == "gs://b/m"
        assert sent_to(server) == [f"Bearer {TOKEN}"]


@pytest.mark.usefixtures("tokens")
def test_no_token_is_written_down(cache_dir: pathlib.Path) -> None:
    with servers.serving({"/m": want_token}) as server:
        hub.resolve(f"{server.url}/m")
    written = [path.read_bytes() for path in cache_dir.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert not any(TOKEN.encode() in content for content in written)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
