"""Tests of hubmodule.hosting.names."""

from __future__ import annotations

import sys

import pytest

from hubmodule._plain_errors import InvalidHandleError
from hubmodule.hosting.names import ModuleName, is_name, is_version, parse_name


@pytest.mark.parametrize("text", ["a", "universal-sentence-encoder", "BERT_en.uncased", "3", "-x"])
def test_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "a\n", "<b>", "a%2e", "ä", "a" * 101, "a\0"],
)
def test_texts_that_are_not_names(text: str) -> None:
    assert not is_name(text)
    with pytest.raises(InvalidHandleError, match="cannot be a name in a hub"):
        ModuleName("team", text)


@pytest.mark.parametrize("text", ["1", "20", "999999999"])
def test_versions(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize("text", ["", "0", "01", "-1", "1.0", "v1", "²", "٣", "1\n", "1234567890"])
def test_texts_that_are_not_versions(text: str) -> None:
    assert not is_version(text)


def test_parse() -> None:
    assert parse_name("team/encoder") == (ModuleName("team", "encoder"), None)
    assert parse_name("team/encoder/12") == (ModuleName("team", "encoder"), 12)
    assert str(ModuleName("team", "encoder")) == "team/encoder"


@pytest.mark.parametrize("text", ["encoder", "a/b/c", "a/b/0", "a/b/1/", "a//1", "/a/b", "a/b/1/2"])
def test_parse_refuses_other_texts(text: str) -> None:
    with pytest.raises(InvalidHandleError, match="A name is publisher/name or publisher/name/ver"):
        parse_name(text)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
