"""Reads the README of a module: its text, the pictures that it shows, and its first sentence."""

from __future__ import annotations

import dataclasses
import logging
import os
import posixpath
import re
import urllib.parse

from hubmodule import files
from hubmodule._plain_errors import PublishError

logger = logging.getLogger("hubmodule")

_LARGEST = 1 << 20  # bytes of the text
_LARGEST_PICTURE = 10 << 20  # bytes

_LONGEST = 200  # characters
_FENCE = re.compile(r"^ {0,3}(```|~~~).*?(^ {0,3}\1|\Z)", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
# Headings, quotes, tables, HTML, items of lists, rules, pictures, and empty lines.
_NOT_PROSE = re.compile(r"\s*(#|>|\||<(?!https?:)|[*+-]\s|([=*-]\s*){2,}$|\d+[.)]\s|!\[|\[!\[|$)")
_PICTURE = re.compile(r"!\[[^\]]*\]\(\s*(?:<([^>\n]*)>|([^)\s]+))")
_WHOLE_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[*`]|(?<!\w)_|_(?!\w)")
_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z])")


# Without SVG, which may have scripts.
PICTURE_TYPES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


@dataclasses.dataclass(frozen=True)
class Readme:
    """A README.

    Attributes:
        text: Text in Markdown.
        pictures: Content of the pictures that it shows, by their paths relative to it.
    """

    text: str
    pictures: dict[str, bytes]


def is_picture(path: str) -> bool:
    """Whether a file has the suffix of a picture that a hub may have."""
    return posixpath.splitext(path)[1].lower() in PICTURE_TYPES


def read_readme(path: str | os.PathLike[str]) -> Readme:
    """Reads a local README, and the pictures beside or below it that it shows.

    Raises:
        PublishError: if the file is missing, not UTF-8, or very large.
    """
    path = os.fsdecode(path)
    content = _read_file(path, _LARGEST)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PublishError(
            f"{path} is not UTF-8, at byte {error.start}. Save it as UTF-8."
        ) from error
    return Readme(text, _read_pictures(text, os.path.dirname(path)))


def _read_pictures(text: str, directory: str) -> dict[str, bytes]:
    pictures = {}
    for found in _PICTURE.finditer(text):
        address = found[1] or found[2] or ""
        name = posixpath.normpath(urllib.parse.unquote(address))
        if "://" in address or not is_picture(name):
            continue
        path = os.path.join(directory, name)
        if not files.is_inside(name) or not os.path.isfile(path):
            logger.warning("The README shows %s, which is not a file below %s", name, directory)
            continue
        pictures[name] = _read_file(path, _LARGEST_PICTURE)
    return pictures


def _read_file(path: str, limit: int) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise PublishError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > limit:
        raise PublishError(f"{path} has more than {limit} bytes; make it smaller.")
    return content


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
    plain = _MARKS.sub("", _LINK.sub(r"\1", _WHOLE_PICTURE.sub("", lines)))
    sentence = _END.split(" ".join(plain.split()), maxsplit=1)[0]
    return sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1].rstrip()}…"


def _take_prose(paragraph: str) -> str:
    """Returns the lines of a paragraph without headings, lists, tables and pictures."""
    return "\n".join(line for line in paragraph.split("\n") if not _NOT_PROSE.match(line)).strip()
