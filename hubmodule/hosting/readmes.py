"""Finds the sentence of a README that says what a module is for."""

from __future__ import annotations

import re

_LONGEST = 200  # characters
_FENCE = re.compile(r"^ {0,3}(```|~~~).*?(^ {0,3}\1|\Z)", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
# Headings, quotes, tables, HTML, items of lists, rules, pictures, and empty lines.
_NOT_PROSE = re.compile(r"\s*(#|>|\||<(?!https?:)|[*+-]\s|([=*-]\s*){2,}$|\d+[.)]\s|!\[|\[!\[|$)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[*`]|(?<!\w)_|_(?!\w)")
_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z])")


def find_summary(readme: str) -> str:
    """Finds the first sentence of a README, without its Markdown.

    Args:
        readme: Text in Markdown.

    Returns:
        The sentence, of at most 200 characters; "" if there is no paragraph.
    """
    text = _FRONT_MATTER.sub("", readme.replace("\r\n", "\n"))
    text = _FENCE.sub("", _COMMENT.sub("", text))
    paragraphs = re.split(r"\n\s*\n", text)
    lines = next(filter(None, map(_take_prose, paragraphs)), "")
    plain = _MARKS.sub("", _LINK.sub(r"\1", lines))
    sentence = _END.split(" ".join(plain.split()), maxsplit=1)[0]
    return sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1].rstrip()}…"


def _take_prose(paragraph: str) -> str:
    """Returns the lines of a paragraph without headings, lists, tables and pictures."""
    return "\n".join(line for line in paragraph.split("\n") if not _NOT_PROSE.match(line)).strip()
