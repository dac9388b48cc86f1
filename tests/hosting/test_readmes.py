"""Tests of hubmodule.hosting.readmes."""

from __future__ import annotations

import pathlib
import sys

import pytest

from hubmodule._plain_errors import PublishError
from hubmodule.hosting import readmes
from hubmodule.hosting.readmes import Readme, find_summary, read_readme


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
        ("Embeds words ![a](a.png) fast. ![b](b.png)", "Embeds words fast."),
        ("*Small* and **quick**: my_name.", "Small and quick: my_name."),
        ("```\ncode here.\n```\n\n> quote\n\n1. one\n\nText", "Text"),
        ("```\nnever closed", ""),
        ("---\ntitle: x\n---\nText.", "Text."),
        ("<!-- a\n\nb -->\n<h1>x</h1>\n\nText\r\nmore.\r\n", "Text more."),
        ("| a | b |\n|---|---|\n\n***\n\nText", "Text"),
        ("Version 1.5 is faster. So", "Version 1.5 is faster."),
        ("<!-- a\n```\nb\n--> Text", "Text"),
        ("```\n<!--\n```\nText", "Text"),
    ],
)
def test_find_summary(readme: str, summary: str) -> None:
    assert find_summary(readme) == summary


def test_a_long_sentence_is_cut() -> None:
    summary = find_summary("word " * 100)
    assert len(summary) == 200
    assert summary.endswith("word…")


def test_the_summary_is_looked_for_at_the_beginning_of_a_paragraph() -> None:
    assert find_summary("[" * 2000 + "x. End") == "[" * 199 + "…"
    # Quadratic in the number of brackets: this would take hours.
    assert find_summary("[" * 1_000_000) == "[" * 199 + "…"


def write(folder: pathlib.Path, text: str | bytes) -> pathlib.Path:
    for name in ("a.png", "ä b.JPG"):
        (folder / name).write_bytes(name.encode())
    path = folder / "README.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_read_with_pictures(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "![a](a.png) ![b](./%C3%A4%20b.JPG 'title') ![web](https://e.example/a.png)\r\n"
    readme = Readme(text, {"a.png": b"a.png", "ä b.JPG": "ä b.JPG".encode()})
    assert read_readme(write(tmp_path, text)) == readme
    monkeypatch.chdir(tmp_path)
    assert read_readme("README.md") == readme


def test_read_through_a_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    path = write(tmp_path / "real", "![a](a.png)")
    link = tmp_path / "README.md"
    link.symlink_to(path)
    assert read_readme(link) == Readme("![a](a.png)", {"a.png": b"a.png"})


def test_read_without_a_byte_order_mark(tmp_path: pathlib.Path) -> None:
    assert read_readme(write(tmp_path, b"\xef\xbb\xbf# X")).text == "# X"


def test_read_what_is_not_text(tmp_path: pathlib.Path) -> None:
    path = write(tmp_path, b"ab\xff")
    with pytest.raises(PublishError, match=r"README\.md is not UTF-8, at byte 2"):
        read_readme(path)
    with pytest.raises(PublishError, match="none cannot be read: No such file"):
        read_readme(tmp_path / "none")


def test_read_what_is_too_large(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readmes, "_LARGEST", 5)
    with pytest.raises(PublishError, match=r"README\.md has more than 5 bytes. Make it shorter"):
        read_readme(write(tmp_path, "123456"))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
