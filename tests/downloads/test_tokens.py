"""Bearer tokens, and the addresses that they are for."""

from __future__ import annotations

import logging
import os
import pathlib
import sys
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule._plain_errors import SettingError
from hubmodule.downloads import tokens
from hubmodule.downloads.tokens import find_token, parse_tokens, read_tokens

FORM = (
    "HOST=TOKEN or HOST:PORT=TOKEN, with spaces or line ends between them, such as "
    "hub.example.com=abc123"
)


def test_tokens_are_parsed() -> None:
    text = "hub.example.com=a== Other:8443=b\n[::1]:80=c\n"
    assert parse_tokens(text, "X") == {
        ("hub.example.com", None): "a==",
        ("other", 8443): "b",
        ("::1", 80): "c",
    }


def test_lines_may_be_comments() -> None:
    assert parse_tokens("# of the team = x\nh=a\n  # h=b\n", "X") == {("h", None): "a"}


@pytest.mark.parametrize(
    "text",
    ["secret", "h=", "=secret", "https://h=secret", "h:x=secret", "h:99999=secret", "me@h=secret",
     "h/p=secret", "h=secrät", "h=sec\x00ret"],
)  # fmt: skip
def test_what_is_not_a_token_is_not_shown(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_tokens(f"good=token {text}", "HUBMODULE_TOKENS")
    assert str(caught.value) == f"Entry 2 of HUBMODULE_TOKENS is not {FORM}."
    assert "secr" not in "".join(traceback.format_exception(caught.value)).replace(text, "")


HOSTS = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}[a-z0-9]", fullmatch=True)
PORTS = st.one_of(st.none(), st.integers(1, 65535))
TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


@given(st.dictionaries(st.tuples(HOSTS, PORTS), TOKENS))
def test_tokens_that_are_written_are_read(found: dict[tuple[str, int | None], str]) -> None:
    lines = [
        f"{host}={token}" if port is None else f"{host}:{port}={token}"
        for (host, port), token in found.items()
    ]
    assert parse_tokens("\n".join(lines), "X") == found


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        found = parse_tokens(text, "X")
    except SettingError as error:
        assert str(error).endswith(f"of X is not {FORM}.")
        return
    assert all(token.isascii() and token.isprintable() for token in found.values())


@pytest.mark.parametrize(
    ("url", "has_proxy", "token"),
    [
        ("https://h/m", False, "any"),
        ("https://H/m?a=b", False, "any"),
        ("https://h:8443/m", False, "8443"),
        ("https://h:8444/m", True, "any"),
        ("https://p:8443/m", False, "p"),
        ("https://p/m", False, None),
        ("https://q/m", False, "default"),
        ("http://h/m", False, None),
        ("http://h:8443/m", False, None),
        ("https://other/m", False, None),
        ("https://h.other/m", False, None),
        ("https://other/h", False, None),
        ("https://me:pw@h/m", False, None),
        ("https://h@other/m", False, None),
        ("https://other\\@h/m", False, None),
        ("https://h:99999/m", False, None),
        ("http://127.0.0.1:8501/m", False, "loopback"),
        ("http://127.9.9.9/m", False, "loopback too"),
        ("http://[::1]:8501/m", False, "six"),
        ("http://localhost/m", False, "named"),
        ("http://127.0.0.1:8501/m", True, None),
        ("http://localhost/m", True, None),
        ("http://127.0.0.1.other/m", False, None),
        ("ftp://h/m", False, None),
    ],
)
def test_the_token_of_an_address(url: str, has_proxy: bool, token: str | None) -> None:
    text = (
        "h=any h:8443=8443 p:8443=p q:443=default 127.0.0.1=loopback 127.9.9.9=loopback_too "
        "[::1]=six localhost=named 127.0.0.1.other=far"
    )
    found = find_token(parse_tokens(text, "X"), url, has_proxy)
    assert found == (token and token.replace(" ", "_"))


@pytest.fixture(autouse=True)
def no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBMODULE_TOKENS", raising=False)
    monkeypatch.delenv("HUBMODULE_TOKENS_FILE", raising=False)


def write_tokens(path: pathlib.Path, content: bytes, mode: int = 0o600) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_a_variable_overrides_a_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tokens(tmp_path / "tokens", b"# ours\nh=file\nother=file\n")
    monkeypatch.setenv("HUBMODULE_TOKENS", "h=variable")
    monkeypatch.setenv("HUBMODULE_TOKENS_FILE", path)
    assert read_tokens() == {("h", None): "variable", ("other", None): "file"}


def test_no_tokens() -> None:
    assert read_tokens() == {}


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBMODULE_TOKENS_FILE", "/no/such/file")
    with pytest.raises(SettingError) as caught:
        read_tokens()
    assert str(caught.value) == (
        "HUBMODULE_TOKENS_FILE names /no/such/file, which cannot be read: No such file or "
        f"directory. Unset it, or name a file of {FORM}."
    )


def test_a_file_that_is_not_a_text(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tokens(tmp_path / "tokens", b"h=secret\xff")
    monkeypatch.setenv("HUBMODULE_TOKENS_FILE", path)
    with pytest.raises(SettingError, match="cannot be read: it is not a text") as caught:
        read_tokens()
    assert caught.value.__suppress_context__


def test_a_file_with_an_error_names_the_file_and_no_token(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tokens(tmp_path / "tokens", b"h=a\nsecret\n")
    monkeypatch.setenv("HUBMODULE_TOKENS_FILE", path)
    with pytest.raises(SettingError, match=r"Entry 2 of .*/tokens is not HOST=TOKEN"):
        read_tokens()


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
@pytest.mark.parametrize(("mode", "warnings"), [(0o600, 0), (0o640, 0), (0o604, 1), (0o444, 1)])
def test_a_file_that_all_may_read(
    mode: int,
    warnings: int,
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.WARNING)
    tokens._warn_of_readers.cache_clear()
    path = write_tokens(tmp_path / "tokens", b"h=secret", mode)
    monkeypatch.setenv("HUBMODULE_TOKENS_FILE", path)
    for _ in range(2):
        assert read_tokens() == {("h", None): "secret"}
    expected = f"All users of this machine may read the tokens in {path}: chmod 600 it."
    assert caplog.messages == [expected] * warnings


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
