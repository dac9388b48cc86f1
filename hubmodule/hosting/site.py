"""Writes the pages and archives of a hub as files that any web server can serve."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import posixpath
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from hubmodule._plain_errors import HandleNotFoundError, HubError
from hubmodule._version import __version__
from hubmodule.file_systems import FileSystem, LocalFileSystem, find_file_system
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.links import STATIC
from hubmodule.hosting.names import ARCHIVE, INDEX, ModuleName
from hubmodule.hosting.page_renderer import (
    list_static_files,
    render_front_page,
    render_module_page,
)
from hubmodule.hosting.search_index import make_search_index
from hubmodule.hosting.workspaces import open_marked_directory

logger = logging.getLogger("hubmodule")

SCHEMA = 1
# Tells a site, which may be replaced, from other directories.
MARKER = "site.json"
_PREFIX = ".site-"


@dataclasses.dataclass(frozen=True)
class Site:
    """A site that was written.

    Attributes:
        path: The path of its directory.
        modules: The number of modules that it has.
        versions: The number of versions that it has.
    """

    path: str
    modules: int
    versions: int


def write_site(hub: HubDirectory, out: str | os.PathLike[str], base_url: str = "") -> Site:
    """Writes the pages and archives of a hub into a directory; all of it or nothing.

        index.html                                    the front page
        index.json, search.json                       for programs, and for the search
        static/                                       style, script and icon
        <publisher>/<name>/<version>.html             the page of a version
        <publisher>/<name>/<version>/module.tar.gz    its archive, and the pictures of its page
        site.json                                     says that the directory is such a site

    Args:
        hub: The hub.
        out: The path of the directory on any TensorFlow file system. A site that is there
            already is replaced. Local archives are linked, not copied, where that is possible.
        base_url: The address that the directory will have on the web, for the code to paste;
            if it is "", the script of the pages puts it in.

    Returns:
        What was written.

    Raises:
        HandleNotFoundError: If the hub does not exist.
        HubError: If `out` is something other than a site, or has the hub or is part of it, or
            if a file cannot be read or written.
    """
    hub.check_readable()
    file_system, path = find_file_system(os.fsdecode(out))
    if isinstance(file_system, LocalFileSystem):
        path = os.path.realpath(path)  # A link stays, and what it leads to is replaced.
    _check_apart(hub, path)
    _check_replaceable(file_system, path)
    try:
        with _replace_directory(file_system, path) as temporary:
            return dataclasses.replace(_fill(hub, file_system, temporary, base_url), path=path)
    except OSError as error:
        if isinstance(error, HubError):
            raise
        raise HubError(f"The site {path} cannot be written: {error.strerror or error}.") from error


def _check_apart(hub: HubDirectory, path: str) -> None:
    hub_path, site_path = (os.path.join(os.path.realpath(p), "") for p in (hub.path, path))
    if "://" in hub.path or "://" in path:
        hub_path, site_path = f"{hub.path}/", f"{path}/"
    if hub_path.startswith(site_path) or site_path.startswith(hub_path):
        raise HubError(f"The site {path} and the hub {hub.path} overlap; choose another directory.")


def _check_replaceable(file_system: FileSystem, path: str) -> None:
    if file_system.get_size(path) is not None:
        raise HubError(f"{path} is a file, not a directory; choose another path.")
    names = file_system.list_names(path)
    if names and MARKER not in names:
        raise HubError(
            f"{path} has other files than a site of a hub; choose another directory, or remove it."
        )


@contextlib.contextmanager
def _replace_directory(file_system: FileSystem, path: str) -> Iterator[str]:
    """Yields the path of a new directory that replaces another when the block ends."""
    with _open_workspace(file_system, path.rpartition("/")[0]) as workspace:
        new, old = f"{workspace}/new", f"{workspace}/old"
        file_system.make_directory(new)
        yield new
        had_site = bool(file_system.list_names(path)) and file_system.move_directory(
            path, old, (MARKER,)
        )
        try:
            moved = file_system.move_directory(new, path, (MARKER, "index.html"))
        except BaseException:
            if had_site:
                file_system.move_directory(old, path, (MARKER,))
            raise
        if not moved:
            raise HubError(f"Another process wrote {path} at the same time; try again.")


@contextlib.contextmanager
def _open_workspace(file_system: FileSystem, parent: str) -> Iterator[str]:
    """Yields the path of a hidden directory, which is removed when the block ends."""
    if isinstance(file_system, LocalFileSystem):
        with open_marked_directory(file_system, parent, _PREFIX) as workspace:
            yield workspace
        return
    workspace = f"{parent}/{_PREFIX}{uuid.uuid4().hex[:12]}"
    try:
        yield workspace
    finally:
        file_system.remove(workspace)


def _fill(hub: HubDirectory, file_system: FileSystem, root: str, base_url: str) -> Site:
    """Writes all files of a site below a path."""
    index = hub.read_index()
    for path, content in list_static_files().items():
        _write(file_system, f"{root}/{path}", content)
    modules = versions = 0
    for name in hub.list_modules():
        written = [
            version
            for version in hub.list_versions(name)
            if _write_version(hub, name, version, file_system, root, base_url, index)
        ]
        modules += bool(written)
        versions += len(written)
    _write_json(file_system, f"{root}/{INDEX}", index)
    _write_json(file_system, f"{root}/search.json", make_search_index(hub, index))
    _write(file_system, f"{root}/index.html", render_front_page(index, STATIC).encode())
    marker = {"schema": SCHEMA, "hubmodule": __version__, "modules": modules, "versions": versions}
    _write_json(file_system, f"{root}/{MARKER}", marker)
    return Site(root, modules, versions)


def _write_version(
    hub: HubDirectory,
    name: ModuleName,
    version: int,
    file_system: FileSystem,
    root: str,
    base_url: str,
    index: Mapping[str, Any],
) -> bool:
    """Writes the page, pictures and archive of a version; returns False if it is gone."""
    try:
        page = render_module_page(hub, name, version, base_url, index, STATIC)
        archive = hub.archive_path(name, version)
    except HandleNotFoundError as error:
        logger.warning("%s/%s is left out of the site: %s", name, version, error)
        return False
    directory = f"{root}/{name}/{version}"
    _copy(hub, archive, file_system, f"{directory}/{ARCHIVE}")
    for picture, path in hub.list_pictures(name, version).items():
        _copy(hub, path, file_system, f"{directory}/{picture}")
    _write(file_system, f"{directory}.html", page.encode())
    return True


def _copy(hub: HubDirectory, source: str, file_system: FileSystem, target: str) -> None:
    """Copies a file of a hub; makes a link where both are on the same local file system."""
    file_system.make_directory(posixpath.dirname(target))
    if hub.is_local and isinstance(file_system, LocalFileSystem):
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    with file_system.open_new(target) as out:
        for piece in hub.file_system.read_pieces(source):
            out.write(piece)


def _write_json(file_system: FileSystem, path: str, content: Mapping[str, Any]) -> None:
    _write(file_system, path, json.dumps(content, indent=1).encode())


def _write(file_system: FileSystem, path: str, content: bytes) -> None:
    with file_system.open_new(path) as out:
        out.write(content)
