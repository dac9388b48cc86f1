"""Adds a module to a hub as a new version: whole, or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import posixpath
from typing import TYPE_CHECKING, Any

from hubmodule import handles
from hubmodule._plain_errors import HubError, HubModuleError, PublishError, VersionTakenError
from hubmodule.cache.manifest import get_time
from hubmodule.downloads.progress import open_progress
from hubmodule.file_systems import find_file_system
from hubmodule.hosting import hub_directory, names
from hubmodule.hosting.checking import CheckedModule, check_module
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName, parse_name
from hubmodule.hosting.packing import Archive, list_module_files, pack
from hubmodule.hosting.readmes import Readme, read_readme
from hubmodule.hosting.workspaces import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Where servers say where the unpacked module is, which is then read in place.
_READ_IN_PLACE = ("gs://",)


@dataclasses.dataclass(frozen=True)
class Publication:
    """A version of a module in a hub.

    Attributes:
        name: Name of the module.
        version: The version that has it.
        is_new: False if this version had the same content already.
        facts: Content of its facts.json.
    """

    name: ModuleName
    version: int
    is_new: bool
    facts: dict[str, Any]

    @property
    def handle(self) -> str:
        """The address of the version below that of the hub: publisher/name/version."""
        return f"{self.name}/{self.version}"


def publish(
    module_dir: str | os.PathLike[str],
    hub: str | os.PathLike[str],
    name: str,
    readme: str | os.PathLike[str] | None = None,
    allow_findings: bool = False,
) -> Publication:
    """Adds a module to a hub as a new version, and lists it in the index.

    Args:
        module_dir: Path of the directory of the module, on any TensorFlow file system.
        hub: Path of the directory of the hub, which is made if it does not exist.
        name: "publisher/name" for the next version, or "publisher/name/version".
        readme: Path of a local file that says what the module is for, in Markdown; pictures
            beside and below it that it shows are added, too. None for no README.md.
        allow_findings: Whether to publish a module for which hub.audit() has findings of level
            high.

    Returns:
        The version. Where the newest version (or the one that `name` has) has the same content,
        that version; then nothing is changed.

    Raises:
        HandleNotFoundError: If nothing exists at `module_dir`.
        HubError: If the hub cannot be written.
        InvalidHandleError: If `name` cannot be the name of a module.
        NotAModuleError: If `module_dir` is not a module or SavedModel.
        PublishError: If the module is damaged, does not load, or does more than compute.
        VersionTakenError: If the version has other content.
    """
    module_name, version = parse_name(name)
    text = None if readme is None else read_readme(readme)
    directory = _find_module(module_dir)
    target = HubDirectory(hub)
    _check_apart(directory, target)
    module = check_module(directory, allow_findings)
    with _explain_errors(target, "Nothing was published; check"):
        if target.is_local:
            target.file_system.make_directory(target.path)
        # The members of a group that may write to the hub may write to all that is added.
        target.file_system.share_like(target.path)
        with open_workspace(target, module_name) as workspace:
            publisher = _Publisher(target, module_name, module, text, workspace)
            publication = publisher.publish(version)
    with _explain_errors(
        target, f"{publication.handle} is published, but not yet in the index; check"
    ):
        target.rebuild_index()
    return publication


def _find_module(module_dir: str | os.PathLike[str]) -> str:
    """Returns the path of a module's directory."""
    handle = handles.parse(module_dir)
    if isinstance(handle, handles.WebHandle):
        raise PublishError(
            f"{os.fsdecode(module_dir)!r} is an address. Publish the directory that `hubmodule "
            "resolve` prints for it."
        )
    if isinstance(handle, handles.ArchiveHandle):
        raise PublishError(
            f"{handle.path} is named like an archive. Publish the directory of the module, which "
            "`hubmodule resolve` prints for an archive."
        )
    handles.check_exists(handle.path)
    return handle.path


def _check_apart(directory: str, hub: HubDirectory) -> None:
    """Checks that a module does not contain the hub, which would become a part of each version."""
    inside = posixpath.join(_make_real(directory), "")
    if posixpath.join(_make_real(hub.path), "").startswith(inside):
        raise PublishError(
            f"The hub {hub.path} is in the module {directory}. Put it into another directory."
        )


def _make_real(path: str) -> str:
    found = find_file_system(path)[1]
    return found if "://" in found else os.path.realpath(found)


@contextlib.contextmanager
def _explain_errors(hub: HubDirectory, outcome: str) -> Iterator[None]:
    """Says that a hub cannot be written, e.g. as the disk is full, and what that means."""
    try:
        yield
    except HubModuleError:
        raise
    except OSError as error:
        raise HubError(
            f"The hub {hub.path} cannot be written: {error.strerror or error}. {outcome} the free "
            "space and the permissions, and publish again."
        ) from error


class _Publisher:
    """Publishes one module, whose files it prepares in a workspace.

    Args:
        hub: The hub.
        name: Name of the module.
        module: The module.
        readme: Its README; None without one.
        workspace: Path of an empty directory on the file system of the hub.
    """

    def __init__(
        self,
        hub: HubDirectory,
        name: ModuleName,
        module: CheckedModule,
        readme: Readme | None,
        workspace: str,
    ) -> None:
        self._hub = hub
        self._name = name
        self._module = module
        self._readme = readme
        self._workspace = workspace
        self._source, self._directory = find_file_system(module.directory)

    def publish(self, version: int | None) -> Publication:
        """Adds the module as a version, or as the next one."""
        while True:
            same = self._find_same(version)
            if same is not None:
                return same
            number = version or max(self._hub.list_versions(self._name), default=0) + 1
            facts = self._write_files(number)
            if self._move(number):
                return Publication(self._name, number, True, facts)

    @functools.cached_property
    def _archive(self) -> Archive:
        """Packs the module, once."""
        # It needs absl, which comes with TensorFlow; a server runs without both.
        from hubmodule import settings

        sizes = list_module_files(self._source, self._directory)
        show = settings.read().show_progress
        with (
            open_progress(str(self._name), show, "Packing", "Packed") as report,
            self._hub.file_system.open_new(f"{self._workspace}/{names.ARCHIVE}") as out,
        ):
            archive = pack(self._source, self._directory, sizes, out, report)
        if self._hub.path.startswith(_READ_IN_PLACE):
            self._copy_files(sizes)
        return archive

    def _copy_files(self, sizes: Mapping[str, int]) -> None:
        for name in sizes:
            path = f"{self._workspace}/{names.UNPACKED}/{name}"
            with self._hub.file_system.open_new(path) as out:
                for piece in self._source.read_pieces(f"{self._directory}/{name}"):
                    out.write(piece)

    def _find_same(self, version: int | None) -> Publication | None:
        """Returns the version that has the same content already; None if there is none.

        Raises:
            VersionTakenError: If the wanted version has other content.
        """
        versions = self._hub.list_versions(self._name)
        if not versions or (version is not None and version not in versions):
            return None
        number = version or versions[-1]
        try:
            facts = self._hub.read_facts(self._name, number)
        except HubError:
            if version is None:  # the next version does not depend on a damaged one
                return None
            raise
        difference = self._describe_difference(number, facts)
        if not difference:
            return Publication(self._name, number, False, facts)
        if version is None:
            return None
        raise VersionTakenError(
            f"The hub {self._hub.path} has {self._name}/{version} already, with {difference}. "
            f"Versions do not change: publish as {self._name} to get version {versions[-1] + 1}."
        )

    def _describe_difference(self, version: int, facts: Mapping[str, Any]) -> str:
        if facts["archive"].get("tar_sha256") != self._archive.tar_sha256:
            return "other content"
        is_other = self._readme is not None and self._readme != self._read_readme(version)
        return "another README" if is_other else ""

    def _read_readme(self, version: int) -> Readme | None:
        """Reads the README of a version with its pictures."""
        text = self._hub.read_readme(self._name, version)
        paths = self._hub.list_pictures(self._name, version)
        pictures = {name: self._hub.file_system.read(path) for name, path in paths.items()}
        return None if text is None else Readme(text, pictures)

    def _write_files(self, version: int) -> dict[str, Any]:
        """Writes the files of a version into the workspace; returns its facts."""
        handle = f"{self._name}/{version}"
        facts = {
            "schema": hub_directory.SCHEMA,
            "handle": handle,
            "published": get_time(),
            "archive": dataclasses.asdict(self._archive),
            **self._module.describe(handle),
            "readme": self._readme is not None,
        }
        contents = {names.FACTS: json.dumps(facts, indent=1).encode()}
        if self._readme is not None:
            contents |= {names.README: self._readme.text.encode(), **self._readme.pictures}
        for name, content in contents.items():
            path = f"{self._workspace}/{name}"
            self._hub.file_system.make_directory(posixpath.dirname(path))
            self._hub.file_system.write(path, content)
        return facts

    def _move(self, version: int) -> bool:
        """Moves the workspace to a version; returns False if another process was faster."""
        target = self._hub.locate_version(self._name, version)
        if self._hub.is_local:
            _flush(self._workspace)
        elif not self._hub.has_version(self._name, version):
            # Left by a process that was killed before it moved the last file, facts.json.
            self._hub.file_system.remove(target)
        if self._hub.file_system.move_directory(self._workspace, target, (names.FACTS,)):
            return True
        if self._hub.has_version(self._name, version):
            return False
        raise HubError(
            f"{target} is in the way: it is not a version, as it has no {names.FACTS}. "
            "Remove it, and publish again."
        )


def _flush(directory: str) -> None:
    """Waits until the files of a local directory are on disk.

    Otherwise their directory may have its new name, and they no content, after a power failure.
    """
    for parent, _, files in os.walk(directory):
        for name in files:
            file = os.open(os.path.join(parent, name), os.O_RDONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)
