"""Tests of hubmodule.hosting.contents."""

from __future__ import annotations

import sys

import pytest
from starlette.requests import Request

from hubmodule.hosting.contents import Content, ContentCache


def make_content(size: int) -> Content:
    return Content(bytes(size), "text/plain")


def test_an_answer() -> None:
    content = Content(b"text", "text/plain")
    answer = content.answer(Request({"type": "http", "headers": []}))
    assert (answer.status_code, answer.body) == (200, b"text")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    etag = answer.headers["etag"].encode()
    again = content.answer(Request({"type": "http", "headers": [(b"if-none-match", etag)]}))
    assert (again.status_code, again.body) == (304, b"")


def test_contents_are_kept() -> None:
    cache = ContentCache(10)
    content = make_content(10)
    cache.add("a", content)
    assert cache.find("a") is content
    assert cache.find("b") is None


def test_those_that_were_not_asked_for_longest_are_dropped() -> None:
    cache = ContentCache(10)
    for key in "abc":
        cache.add(key, make_content(3))
    cache.find("a")
    cache.add("d", make_content(4))
    assert [key for key in "abcd" if cache.find(key)] == ["a", "c", "d"]


def test_a_content_that_is_larger_than_all_that_is_kept() -> None:
    cache = ContentCache(10)
    cache.add("a", make_content(11))
    assert cache.find("a") is None
    cache.add("b", make_content(10))
    assert cache.find("b") is not None


def test_a_key_that_is_added_again() -> None:
    cache = ContentCache(10)
    for _ in range(3):
        cache.add("a", make_content(6))
    cache.add("b", make_content(4))
    assert cache.find("a") is not None
    assert cache.find("b") is not None


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
