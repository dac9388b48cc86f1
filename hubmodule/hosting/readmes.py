"""Reads the README of a module: its text, the pictures that it shows, and its first sentence."""

from __future__ import annotations

import dataclasses
import os
import re

from hubmodule._plain_errors import PublishError
from hubmodule.hosting.pictures import find_pictures

_LARGEST = 1_000_000  # bytes of the text

_LONGEST = 200  # characters
# Of the paragraph with the sentence, before its Markdown is removed.
_MOST_READ = 2000  # characters
_FENCE = r"^ {0,3}(?P<mark>`{3,}|~{3,}).*?(?:^ {0,3}(?P=mark)|\Z)"
_CODE = re.compile(_FENCE, re.DOTALL | re.MULTILINE)
# Whichever begins first contains the other.
_CODE_OR_COMMENT = re.compile(rf"(?P<code>{_FENCE})|<!--.*?(?:-->|\Z)", re.DOTALL | re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n.*?^---$", re.DOTALL | re.MULTILINE)
# Headings, quotes, tables, HTML, items of lists, rules, pictures, and empty lines.
_NOT_PROSE = re.compile(r"\s*(#|>|\||<(?!https?:)|[*+-]\s|([=*-]\s*){2,}$|\d+[.)]\s|!\[|\[!\[|$)")
_WHOLE_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[*`]|(?<!\w)_|_(?!\w)")
_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z])")


@dataclasses.dataclass(frozen=True)
class Readme:
    """A README.

    Attributes:
        text: Text in Markdown.
        pictures: Content of the pictures that it shows, by their paths relative to it.
    """

    text: str
    pictures: dict[str, bytes]


def read_readme(path: str | os.PathLike[str]) -> Readme:
    """Reads a local README, and the pictures beside or below it that it shows.

    Raises:
        PublishError: If the file, or a picture that it shows, is missing or too large, or if
            it is not UTF-8.
    """
    path = os.fsdecode(path)
    content = _read_file(path)
    if len(content) > _LARGEST:
        raise PublishError(f"{path} has more than {_LARGEST:,} bytes. Make it shorter.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PublishError(
            f"{path} is not UTF-8, at byte {error.start}. Save it as UTF-8."
        ) from error
    # Where the README is a link, its pictures are beside the file that it points to.
    pictures = find_pictures(text, os.path.dirname(os.path.realpath(path)))
    return Readme(text, {name: _read_file(picture) for name, picture in pictures.items()})


def _read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise PublishError(f"{path} cannot be read: {error.strerror}.") from error


def remove_metadata(readme: str) -> str:
    """Removes front matter and HTML comments, which hold metadata; comments in code stay."""
    text = _FRONT_MATTER.sub("", readme.replace("\r\n", "\n"))
    return _CODE_OR_COMMENT.sub(lambda found: found["code"] or "", text)


def find_summary(readme: str) -> str:
    """Finds the first sentence of a README, without its Markdown.

    Args:
        readme: Text in Markdown.

    Returns:
        The sentence, of at most 200 characters; "" if there is no paragraph.
    """
    paragraphs = re.split(r"\n\s*\n", _CODE.sub("", remove_metadata(readme)))
    lines = next(filter(None, map(_take_prose, paragraphs)), "")
    plain = _MARKS.sub("", _LINK.sub(r"\1", _WHOLE_PICTURE.sub("", lines[:_MOST_READ])))
    sentence = _END.split(" ".join(plain.split()), maxsplit=1)[0]
    return sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1].rstrip()}…"


def _take_prose(paragraph: str) -> str:
    """Returns the lines of a paragraph without headings, lists, tables and pictures."""
    return "\n".join(line for line in paragraph.split("\n") if not _NOT_PROSE.match(line)).strip()
