"""Writes the relative addresses that the pages of a hub link to."""

from __future__ import annotations

import dataclasses
import urllib.parse

from hubmodule.hosting.names import ModuleName


@dataclasses.dataclass(frozen=True)
class Links:
    """How pages refer to each other: by relative addresses, which hold below any base path.

    The page of a version is at PUBLISHER/NAME/VERSION, in both cases: a static site has the
    file VERSION.html there.

    Attributes:
        page_suffix: What follows the number of a version in the address of its page.
        archive_suffix: What follows the number of a version in the address of its archive.
        front_page: The address of the front page, relative to that of the hub.
    """

    page_suffix: str
    archive_suffix: str
    front_page: str

    def get_page(self, version: int) -> str:
        """Returns the address of the page of a version, relative to other versions' pages."""
        return f"{version}{self.page_suffix}"

    def get_page_from_front(self, publisher: str, name: str, version: int) -> str:
        """Returns the address of the page of a version, relative to the front page."""
        return f"{publisher}/{name}/{self.get_page(version)}"

    def get_archive(self, version: int) -> str:
        """Returns the address of the archive of a version, relative to its page."""
        return f"{version}{self.archive_suffix}"


SERVED = Links("", "?tf-hub-format=compressed", "./")
STATIC = Links(".html", "/module.tar.gz", "index.html")


def get_picture(version: int, path: str) -> str:
    """Returns the address of a picture of a version, relative to its page."""
    return f"{version}/{urllib.parse.quote(path)}"


def get_handle(base_url: str, name: ModuleName, version: int) -> str:
    """Returns the handle of a version.

    Args:
        base_url: The address of the hub.
        name: The name of the module.
        version: The number of the version.
    """
    return f"{base_url.rstrip('/')}/{name}/{version}"
