"""Tests of hubmodule.hosting.readmes."""

from __future__ import annotations

import sys

import pytest

from hubmodule.hosting.readmes import find_summary


@pytest.mark.parametrize(
    ("readme", "summary"),
    [
        ("", ""),
        ("# Title\n\n- a list\n", ""),
        ("Embeds sentences. Trained on news.", "Embeds sentences."),
        (
            "# Encoder\nEmbeds\nsentences of e.g. news. It is small.",
            "Embeds sentences of e.g. news.",
        ),
        ("Encoder\n=======\n\nEmbeds it.", "Encoder"),
        (
            "![logo](a.png)\n[![b](b.png)](c)\n\nEmbeds [words](http://x) `fast`.",
            "Embeds words fast.",
        ),
        ("*Small* and **quick**: my_name.", "Small and quick: my_name."),
        ("```\ncode here.\n```\n\n> quote\n\n1. one\n\nText", "Text"),
        ("```\nnever closed", ""),
        ("---\ntitle: x\n---\nText.", "Text."),
        ("<!-- a\n\nb -->\n<h1>x</h1>\n\nText\r\nmore.\r\n", "Text more."),
        ("| a | b |\n|---|---|\n\n***\n\nText", "Text"),
        ("Version 1.5 is faster. So", "Version 1.5 is faster."),
    ],
)
def test_find_summary(readme: str, summary: str) -> None:
    assert find_summary(readme) == summary


def test_a_long_sentence_is_cut() -> None:
    summary = find_summary("word " * 100)
    assert len(summary) == 200
    assert summary.endswith("word…")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
