"""The directory of a hub, on any file system.

    index.json                                    what is listed below, for programs
    <publisher>/<name>/<version>/module.tar.gz    the module, packed
                                 facts.json       what it is; without this file, no version exists
                                 README.md        what it is for; optional
                                 *.png, ...       pictures that README.md shows; optional
                                 module/          the module unpacked; on gs:// only

Versions are positive numbers, and do not change once they are there. Directories that begin with
a dot are being written. The index is made from the files facts.json and can be made again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import posixpath
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hubmodule import files
from hubmodule._plain_errors import HandleNotFoundError, HubError
from hubmodule.file_systems import LocalFileSystem, find_file_system
from hubmodule.hosting import names, pictures, readmes
from hubmodule.hosting.names import ARCHIVE, FACTS, INDEX, README, UNPACKED, ModuleName

logger = logging.getLogger("hubmodule")

# The version of the layout of facts.json and of index.json.
SCHEMA = 1
_LEVELS = ("low", "medium", "high")


class HubDirectory:
    """A hub, as its directory holds it.

    Attributes:
        path: Path of the directory, absolute where it is local.
        file_system: The file system that has it.

    Args:
        path: Path on any TensorFlow file system. The directory need not exist.

    Raises:
        HubError: If the path is empty, which would be the current directory.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not os.fsdecode(path):
            raise HubError("The path of the hub is empty; give that of a directory.")
        self.file_system, self.path = find_file_system(os.fsdecode(path))

    @property
    def is_local(self) -> bool:
        """Whether the hub is on the local file system."""
        return isinstance(self.file_system, LocalFileSystem)

    def check_readable(self) -> None:
        """Checks that the directory can be read.

        Raises:
            HandleNotFoundError: If it does not exist.
            HubError: If it cannot be read.
        """
        try:
            self.file_system.list_names(self.path)
        except OSError as error:
            raise HubError(
                f"The hub {self.path} cannot be read: {error.strerror or error}. Check the "
                "permissions of it and the directories above it."
            ) from error
        if not self.file_system.is_directory(self.path):
            raise HandleNotFoundError(
                f"The hub {self.path} does not exist. `hubmodule publish` makes it."
            )

    def list_modules(self) -> list[ModuleName]:
        """Lists the modules that have a version, sorted by their names."""
        return sorted(name for name in self._list_names() if self.list_versions(name))

    def list_versions(self, name: ModuleName) -> list[int]:
        """Lists the versions of a module in ascending order; none if there is no such module."""
        versions = sorted(map(int, self._list_below(self.locate_module(name), names.is_version)))
        return [version for version in versions if self.has_version(name, version)]

    def has_version(self, name: ModuleName, version: int) -> bool:
        """Whether a version of a module is there."""
        return self._find_file(name, version, FACTS) is not None

    def read_facts(self, name: ModuleName, version: int) -> dict[str, Any]:
        """Reads facts.json of a version.

        Raises:
            HandleNotFoundError: If the hub lacks this version.
            HubError: If the file is damaged.
        """
        path = self._find_version_file(name, version, FACTS)
        facts = _parse(self.file_system.read(path))
        if facts is None or facts.get("schema") != SCHEMA:
            raise HubError(
                f"{path} is damaged, or written by a newer hubmodule. Remove the directory of the "
                "version and publish it again, or upgrade hubmodule."
            )
        return facts

    def read_readme(self, name: ModuleName, version: int) -> str | None:
        """Reads the README.md of a version, in Markdown; returns None if it has none.

        Raises:
            HandleNotFoundError: If the hub lacks this version.
        """
        self._find_version_file(name, version, FACTS)
        path = self._find_file(name, version, README)
        return None if path is None else self.file_system.read(path).decode("utf-8", "replace")

    def archive_path(self, name: ModuleName, version: int) -> str:
        """Returns the path of the archive of a version.

        Raises:
            HandleNotFoundError: If the hub lacks this version.
        """
        self._find_version_file(name, version, FACTS)
        return self._find_version_file(name, version, ARCHIVE)

    def unpacked_path(self, name: ModuleName, version: int) -> str | None:
        """Returns the path of the unpacked module of a version; None if there is none."""
        path = self._find_file(name, version, f"{UNPACKED}/saved_model.pb")
        return None if path is None else posixpath.dirname(path)

    def picture_path(self, name: ModuleName, version: int, picture: str) -> str | None:
        """Returns the path of a picture that the README of a version shows.

        Args:
            name: Name of the module.
            version: Number of the version.
            picture: Path of the picture relative to the README; it may come from anywhere.

        Returns:
            The path; None if the version has no such picture.
        """
        if not pictures.is_picture(picture) or not files.is_inside(picture):
            return None
        return self._find_file(name, version, posixpath.normpath(picture))

    def list_pictures(self, name: ModuleName, version: int) -> dict[str, str]:
        """Lists the pictures of a version: their paths relative to its README -> their paths."""
        sizes = self.file_system.list_sizes(self.locate_version(name, version))
        found = {
            picture: self.picture_path(name, version, picture)
            for picture in sizes
            if not picture.startswith(f"{UNPACKED}/")
        }
        return {picture: path for picture, path in found.items() if path is not None}

    def read_index(self) -> dict[str, Any]:
        """Reads index.json; makes its content anew if it is missing or damaged."""
        path = self._resolve(f"{self.path}/{INDEX}")
        if path is not None and self.file_system.get_size(path) is not None:
            index = _parse(self.file_system.read(path))
            if index is not None and index.get("schema") == SCHEMA:
                return index
            logger.warning("%s is damaged; publishing a module writes it again.", path)
        return self.make_index()

    def get_index_fingerprint(self) -> str:
        """Returns a text that changes when index.json does; "" if that is not known."""
        if not self.is_local:
            return ""
        with contextlib.suppress(OSError):
            status = os.stat(f"{self.path}/{INDEX}")
            return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
        return ""

    def make_index(self) -> dict[str, Any]:
        """Makes the content of index.json from all facts.json, without those that are damaged."""
        modules = []
        for name in self.list_modules():
            versions = [*self._make_entries(name)]
            if versions:
                modules.append(
                    {"publisher": name.publisher, "name": name.name, "versions": versions}
                )
        return {"schema": SCHEMA, "modules": modules}

    def rebuild_index(self) -> None:
        """Writes index.json anew, in one step.

        Of several processes that publish at the same time, the last one that writes the index
        sees the versions of all: each writes after it has published, and again if there is
        another version when it has written.
        """
        while True:
            versions = self._list_all_versions()
            content = json.dumps(self.make_index(), indent=1).encode()
            self._replace_file(f"{self.path}/{INDEX}", content)
            if self._list_all_versions() == versions:
                return

    def locate_module(self, name: ModuleName) -> str:
        """Returns the path of the directory with the versions of a module."""
        return f"{self.path}/{name.publisher}/{name.name}"

    def locate_version(self, name: ModuleName, version: int) -> str:
        """Returns the path that the directory of a version has, or would have."""
        return f"{self.locate_module(name)}/{version}"

    def _list_names(self) -> Iterator[ModuleName]:
        for publisher in self._list_below(self.path, names.is_name):
            for name in self._list_below(f"{self.path}/{publisher}", names.is_name):
                yield ModuleName(publisher, name)

    def _list_below(self, directory: str, is_wanted: Callable[[str], bool]) -> set[str]:
        # ram:// lists what is in the directories "m" and "m2" for "m"; some names come twice.
        return {*filter(is_wanted, self.file_system.list_names(directory))}

    def _list_all_versions(self) -> list[tuple[ModuleName, int]]:
        return [
            (name, version) for name in self._list_names() for version in self.list_versions(name)
        ]

    def _make_entries(self, name: ModuleName) -> Iterator[dict[str, Any]]:
        for version in self.list_versions(name):
            try:
                facts = self.read_facts(name, version)
                yield _make_entry(version, facts, self.read_readme(name, version))
            except (HubError, HandleNotFoundError, KeyError, TypeError, AttributeError) as error:
                # One damaged version must not hide the others, nor stop the next one.
                logger.warning("%s/%s is left out of the index: %s", name, version, error)

    def _find_version_file(self, name: ModuleName, version: int, file: str) -> str:
        path = self._find_file(name, version, file)
        if path is None:
            raise HandleNotFoundError(
                f"The hub {self.path} has no {file} of {name}/{version}. Check the name; "
                f"{self._describe_versions(name)}"
            )
        return path

    def _describe_versions(self, name: ModuleName) -> str:
        versions = ", ".join(map(str, self.list_versions(name)))
        return f"the versions of {name} are {versions}." if versions else f"there is no {name}."

    def _find_file(self, name: ModuleName, version: int, file: str) -> str | None:
        """Returns the path of a file of a version; None if it is missing, or outside of the hub."""
        path = self._resolve(f"{self.locate_version(name, version)}/{file}")
        return path if path is not None and self.file_system.get_size(path) is not None else None

    def _resolve(self, path: str) -> str | None:
        """Follows symbolic links; returns None if they leave the hub.

        A link out of the hub would publish any file that the server may read.
        """
        if not self.is_local:
            return path
        resolved = os.path.realpath(path)
        inside = os.path.join(os.path.realpath(self.path), "")
        return resolved if resolved.startswith(inside) else None

    def _replace_file(self, path: str, content: bytes) -> None:
        parent, _, file = path.rpartition("/")
        temporary = f"{parent}/.writing-{uuid.uuid4().hex[:12]}-{file}"
        try:
            self.file_system.write(temporary, content)
            self.file_system.replace_file(temporary, path)
        except BaseException:
            self.file_system.remove(temporary)
            raise


def _parse(content: bytes) -> dict[str, Any] | None:
    """Parses a JSON object; returns None if it is damaged."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _make_entry(version: int, facts: Mapping[str, Any], readme: str | None) -> dict[str, Any]:
    """Makes the entry of a version in index.json."""
    module = facts["facts"]
    signatures = {
        signature["name"] for variant in module["variants"] for signature in variant["signatures"]
    }
    levels = {finding["level"] for finding in facts["audit"]["findings"]}
    return {
        "version": version,
        "published": facts["published"],
        "bytes": facts["archive"]["bytes"],
        "sha256": facts["archive"]["sha256"],
        "format": module["format"],
        "signatures": sorted(signatures),
        "conformance": [
            common["name"] for common in module["common_signatures"] if common["fulfilled"]
        ],
        "findings": next((level for level in reversed(_LEVELS) if level in levels), None),
        "summary": readmes.find_summary(readme or ""),
    }
