"""Addresses as values."""

from __future__ import annotations

import sys

import pytest

from hubmodule import urls


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://h/m", "https://h/m?tf-hub-format=compressed"),
        ("https://h/m?a=1&b", "https://h/m?a=1&b&tf-hub-format=compressed"),
        ("https://h/m?tf-hub-format=x&a=%2F", "https://h/m?a=%2F&tf-hub-format=compressed"),
        ("https://h/m?", "https://h/m?tf-hub-format=compressed"),
        ("https://h/m#part", "https://h/m?tf-hub-format=compressed"),
        ("https://h:8/", "https://h:8/?tf-hub-format=compressed"),
    ],
)
def test_the_format_is_merged_into_the_query(url: str, asked: str) -> None:
    assert urls.set_format(url, "compressed") == asked


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://h/m/1", True),
        ("https://h/m?design=2&signed=1", True),
        ("https://h/m.tar.gz/1", True),
        ("https://b.s3.amazonaws.com/m?X-Amz-Date=1&X-Amz-Signature=a", False),
        ("https://storage.googleapis.com/b/m?x-goog-signature=a", False),
        ("https://a.blob.core.windows.net/c/m?sv=1&sig=a%2Fb", False),
        ("https://d.cloudfront.net/m?Expires=1&Signature=a&Key-Pair-Id=b", False),
        ("https://h/m.tar.gz", False),
        ("https://h/m.tgz?a=b", False),
    ],
)
def test_what_can_be_asked_for_a_format(url: str, answer: bool) -> None:
    assert urls.accepts_format(url, (".tar.gz", ".tgz")) is answer


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (f"https://me@h/m?key=1#sha256={'0' * 64}", f"https://h/m#sha256={'0' * 64}"),
        ("https://h/m?key=1#sha256=0", "https://h/m"),
        ("/data/what?.tar", "/data/what?.tar"),
        ("https://me:secret@h/m?key=1#x", "https://h/m"),
        ("https://me:sec@ret@h/m", "https://h/m"),
        ("https://h/m@1", "https://h/m@1"),
        ("https://h/?a=b@c", "https://h/"),
        ("http://[", "http://["),
        ("gs://bucket/m", "gs://bucket/m"),
    ],
)
def test_what_is_shown_holds_no_secret(url: str, text: str) -> None:
    assert urls.redact(url) == text


@pytest.mark.parametrize(
    ("url", "location", "target", "objection"),
    [
        ("http://h/a", "/b", "http://h/b", None),
        ("http://h/a", "https://i/b", "https://i/b", None),
        ("http://h/a", "//i/b", "http://i/b", None),
        ("https://h/a", "//i/b", "https://i/b", None),
        ("https://h/a", "HTTP://i/b", "HTTP://i/b", "https:// is not left for http://"),
        ("http://h/a", "file:///etc/passwd", "file:///etc/passwd", "file:// is not followed"),
        ("http://h/a", "gs://b/c", "gs://b/c", "gs:// is not followed"),
        ("http://h/a", "http://[", "http://[", "that is not a valid address"),
        ("https://me:secret@h/a", "/b", "https://me:secret@h/b", None),
        ("https://me:secret@h/a", "https://h/b?c", "https://me:secret@h/b?c", None),
        ("https://me:secret@h/a", "https://you@h/b", "https://you@h/b", None),
        ("https://me:secret@h/a", "https://h:8/b", "https://h:8/b", None),
        ("https://me:secret@h/a", "https://i/b", "https://i/b", None),
    ],
)
def test_where_redirects_lead(url: str, location: str, target: str, objection: str | None) -> None:
    assert urls.follow_redirect(url, location) == (target, objection)


def test_a_text_of_somebody_elses_loses_all_that_may_be_a_password() -> None:
    text = "Failed to parse: http://me:a/b@c@proxy:99999 (and more at /m?key=secret now)"
    assert urls.redact_all(text) == "Failed to parse: http://proxy:99999 (and more at /m now)"


def test_codes_for_a_terminal_are_spelled_out() -> None:
    assert urls.escape_controls("404 \x1b[31mNööt\r\n") == "404 \\x1b[31mNööt\\r\\n"


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://www.kaggle.com/", True),
        ("https://kaggle.com", True),
        ("https://www.kaggle.com/models?tfhub-redirect=true", True),
        ("https://www.kaggle.com/models/", True),
        ("https://www.kaggle.com/models/google/nnlm", False),
        ("https://example.org/models", False),
        ("https://kaggle.com.example.org/models", False),
    ],
)
def test_the_front_page_of_kaggle(url: str, answer: bool) -> None:
    assert urls.is_kaggle_front_page(url) is answer


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://H/m?a#b", ("https", "h", 443)),
        ("http://h:80", ("http", "h", 80)),
        ("https://me:pw@h:8443/m", ("https", "h", 8443)),
        ("http://[::1]:8501/m", ("http", "::1", 8501)),
        ("ftp://h/m", ("ftp", "h", None)),
        ("https://h:99999/m", ("", "", None)),
        ("https://[h/m", ("", "", None)),
    ],
)
def test_the_origin_of_an_address(url: str, origin: tuple[str, str, int | None]) -> None:
    assert urls.get_origin(url) == origin


def test_the_same_port_with_another_scheme_is_another_origin() -> None:
    assert urls.get_origin("http://h:8501/m") != urls.get_origin("https://h:8501/m")


@pytest.mark.parametrize(
    ("handle", "answer"),
    [
        ("https://h/m", False),
        ("https://h/m?tf-hub-format=compressed", False),
        (f"https://h/m?tf-hub-format=compressed#sha256={'ab' * 32}", False),
        ("/m?n/o.tar.gz", False),
        ("https://me@h/m", True),
        ("https://h/m?key=1", True),
        ("https://h/m?tf-hub-format=compressed&key=1", True),
        ("https://h/m?key=1?tf-hub-format=compressed", True),
    ],
)
def test_what_may_be_secret(handle: str, answer: bool) -> None:
    assert urls.has_secrets(handle) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [("https://h", True), ("HTTP://h", True), ("/https://h", False), ("httpss://h", False)],
)
def test_what_is_an_address_of_the_web(text: str, answer: bool) -> None:
    assert urls.is_web(text) is answer


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
