"""Tests of hubmodule.auditing.texts."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from hubmodule.auditing import texts
from hubmodule.auditing.findings import Finding
from hubmodule.auditing.names import Name, Source
from hubmodule.auditing.risks import Level, Risk

FINDING = Finding(
    op="ReadFile",
    risk=Risk.READS_FILES,
    level=Level.HIGH,
    tags=("train",),
    function="f",
    node="n",
    reached_from=("signature 'a'", "an update op"),
    names=(Name(Source.CONSTANT, "/x"), Name(Source.FED, "input 'i' of signature 's'")),
    reason="Reads.",
)


def test_a_finding_is_a_line() -> None:
    assert texts.describe(FINDING) == (
        "high: ReadFile reads files: '/x', a name fed input 'i' of signature 's' "
        "(node 'n' of function 'f' in variant {train}; run by signature 'a', an update op)"
    )


def test_what_there_is_not_is_left_out() -> None:
    finding = replace(FINDING, function="", tags=(), reached_from=(), names=())
    assert texts.describe(finding) == (
        "high: ReadFile reads files (node 'n' in the variant without tags; nothing runs it)"
    )


def test_an_explanation_ends_with_the_names() -> None:
    assert texts.explain(replace(FINDING, names=())) == "Reads."
    assert texts.explain(replace(FINDING, names=FINDING.names[:1])) == "Reads. It uses '/x'."


def test_many_names_are_counted() -> None:
    names = tuple(Name(Source.ASSET, f"assets/{i}") for i in range(8))
    assert texts.describe_names(replace(FINDING, names=names)).endswith("and 3 more")


@pytest.mark.parametrize("character", ["\n", "\r", "\x1b", "\x9b", "\u202e", "\u2028", "\x00"])
def test_no_character_of_a_module_reaches_the_terminal(character: str) -> None:
    text = f"a{character}[31m"
    finding = replace(
        FINDING,
        node=text,
        function=text,
        op=text,
        tags=(text,),
        reached_from=(text,),
        names=(Name(Source.CONSTANT, text),),
    )
    assert texts.describe(finding).isprintable()


def test_long_names_are_cut() -> None:
    assert texts.shorten("x" * 1000) == "x" * 200 + "…"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
