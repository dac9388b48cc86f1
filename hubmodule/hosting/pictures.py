"""The pictures that a README shows, in the directory beside it."""

from __future__ import annotations

import os
import posixpath
import re
import urllib.parse

from hubmodule import files
from hubmodule._plain_errors import PublishError
from hubmodule.hosting.names import ARCHIVE, FACTS, README, UNPACKED

# Without SVG, which may have scripts.
PICTURE_TYPES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_LARGEST = 10_000_000  # bytes
# ![alternative text](path "title"), also with the path in angle brackets. The length of the text is
# limited, as the search would take hours in a file of "![".
_PICTURE = re.compile(r"!\[[^\]]{0,1000}\]\(\s*(?:<([^>\n]+)>|([^\s)]+))")
_NAMES_OF_THE_HUB = (ARCHIVE, FACTS, README, UNPACKED)


def is_picture(path: str) -> bool:
    """Whether a file has the suffix of a picture that a hub may have."""
    return posixpath.splitext(path)[1].lower() in PICTURE_TYPES


def find_pictures(readme: str, directory: str) -> dict[str, str]:
    """Finds the pictures that a README shows.

    Pictures from the web are left out: pages show a link to them.

    Args:
        readme: The text of the README, in Markdown.
        directory: The path of the local directory that has the README.

    Returns:
        The path of each picture relative to the README -> its path.

    Raises:
        PublishError: If a picture does not exist, is outside of the directory, or is too large.
    """
    found = {}
    for match in _PICTURE.finditer(readme):
        address = match[1] or match[2]
        if urllib.parse.urlsplit(address).scheme or address.startswith("//"):
            continue
        name = posixpath.normpath(urllib.parse.unquote(address))
        found[name] = _check_picture(name, directory)
    return found


def _check_picture(name: str, directory: str) -> str:
    """Returns the path of a picture that may be published."""
    path = os.path.join(directory, name)
    inside = os.path.join(os.path.realpath(directory), "")
    if not files.is_inside(name) or not os.path.realpath(path).startswith(inside):
        raise PublishError(
            f"The README shows {name}, which is outside of its directory. Move it there."
        )
    if not is_picture(name) or name.partition("/")[0] in _NAMES_OF_THE_HUB:
        raise PublishError(
            f"The README shows {name}, which is not a picture that a hub can have. Use PNG, JPEG, "
            "GIF or WebP."
        )
    if not os.path.isfile(path):
        raise PublishError(f"The README shows {name}, which does not exist. Correct the path.")
    if os.path.getsize(path) > _LARGEST:
        raise PublishError(f"{path} has more than {_LARGEST:,} bytes. Make the picture smaller.")
    return path
