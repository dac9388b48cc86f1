"""Keeps fetched modules, each complete under its final name or not there at all.

    <root>/<key>/                        a module; key = sha1 of the handle
    <root>/<key>.manifest.json           the files that it must hold
    <root>/<key>.descriptor.txt          its handle, for people
    <root>/<key>.lock                    tensorflow_hub's lock, never ours
    <root>/.hubmodule/locks/<key>        locked to fetch or remove a module
    <root>/.hubmodule/used/<key>.<host>  marked by each process that uses a module
    <root>/.hubmodule/tmp/<key>.<host>.<number>/       marked by the process that fills it

tensorflow_hub makes the directory and the descriptor in the same way, so both share a cache.
A local module is made in tmp/ and moved to its final name in one step; of two processes the
slower one finds the name taken and discards its copy. That needs no lock. On other file systems
the files are moved one by one, after the manifest, without which they would seem complete.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import enum
import errno
import os
import re
import socket
import time
import uuid
from collections.abc import Iterator

from hubmodule import urls
from hubmodule._plain_errors import CacheError, HubModuleError
from hubmodule.cache import locks, permissions
from hubmodule.cache import manifest as manifests
from hubmodule.cache.manifest import Manifest
from hubmodule.file_systems import FileSystem, LocalFileSystem, find_file_system

# Temporary directories of other machines are removed after this time.
_REMOTE_LITTER_SECONDS = 24 * 3600
# Modules that other machines may use are kept for this time after their last use.
_REMOTE_USE_SECONDS = 7 * 24 * 3600
_PRIVATE_DIRECTORIES = ("tmp", "locks", "used")
_KEY = re.compile(r"[0-9a-f]{40}")
_MARKERS = ("saved_model.pb", "saved_model.pbtxt")
# Marks cost an open file each, of which a process may have a thousand.
_MOST_MARKS = 256
_TRIES = 10  # other processes may remove a mark before it is locked
# By process, as a forked one needs its own.
_marks: dict[tuple[int, str], int | None] = {}


class EntryState(enum.Enum):
    """The state of a module in the cache."""

    MISSING = "missing"
    COMPLETE = "complete"
    ADOPTED = "adopted"  # another program cached it, so its digests are not known
    DAMAGED = "damaged"


@dataclasses.dataclass(frozen=True)
class Health:
    """The state of a module in the cache.

    Attributes:
        state: The state.
        detail: What is wrong; "" if nothing is.
        manifest: What the module must hold; None if that is not known.
    """

    state: EntryState
    detail: str = ""
    manifest: Manifest | None = None

    @property
    def is_usable(self) -> bool:
        """Whether the module can be used as it is."""
        return self.state in (EntryState.COMPLETE, EntryState.ADOPTED)


class Cache:
    """A cache directory on any TensorFlow file system.

    Args:
        directory: Path of the directory; it need not exist.

    Raises:
        CacheError: If it is not safe to use.
    """

    def __init__(self, directory: str):
        self.file_system: FileSystem
        self.file_system, self.root = find_file_system(directory)
        self.is_local = isinstance(self.file_system, LocalFileSystem)
        self._private = f"{self.root}/.hubmodule"
        self._temporaries = f"{self._private}/tmp"
        if self.is_local:
            with self.explain_errors():
                permissions.check_directory(self.root)

    def get_path(self, key: str) -> str:
        """Returns the directory of a module."""
        return f"{self.root}/{key}"

    def prepare(self) -> None:
        """Makes the cache directory, and what it needs for writing.

        Raises:
            CacheError: If that is not possible or not safe.
        """
        if self.is_local:
            permissions.make_directory(self.root)
            permissions.check_directory(self.root)
            self.file_system.share_like(self.root)
        self._make_private_directories()

    @contextlib.contextmanager
    def explain_errors(self) -> Iterator[None]:
        """Adds advice to errors about reading and writing the cache.

        Raises:
            CacheError: If the block raises an OSError that is not a HubModuleError.
        """
        try:
            yield
        except HubModuleError:
            raise
        except OSError as error:
            raise CacheError(
                f"Cannot use the cache directory {self.root}: {error.strerror or error}. Free "
                f"space or get the permission to read and write there, or choose another place. "
                f"{permissions.CHOOSE_ANOTHER}"
            ) from error

    def list_keys(self) -> list[str]:
        """Lists the keys of all modules, complete or not."""
        names = self.file_system.list_names(self.root)
        stems = (name.removesuffix(".manifest.json") for name in names)
        return sorted({stem for stem in stems if _KEY.fullmatch(stem)})

    def check_health(self, key: str) -> Health:
        """Checks a module by presence and sizes of its files, which is cheap."""
        manifest = self.read_manifest(key)
        path = self.get_path(key)
        if manifest is not None:
            if damage := manifests.find_damage(manifest, self.file_system, path):
                return Health(EntryState.DAMAGED, damage, manifest)
            has_digests = all(file.sha256 for file in manifest.files)
            state = EntryState.COMPLETE if has_digests else EntryState.ADOPTED
            return Health(state, manifest=manifest)
        if not self.file_system.is_directory(path):
            if self.is_local and os.path.lexists(path):
                return Health(EntryState.DAMAGED, "it is not a directory")
            return Health(EntryState.MISSING)
        damage = manifests.find_foreign_damage(self.file_system.list_sizes(path))
        return Health(EntryState.DAMAGED, damage) if damage else Health(EntryState.ADOPTED)

    def use(self, key: str, handle: str, lock_timeout: float) -> Health:
        """Checks a module as `check_health` does, and marks it as used by this process.

        Args:
            key: Key of the module.
            handle: Handle of the module, without secrets.
            lock_timeout: Seconds to wait for a process that removes the module.
        """
        if not self.is_local or not os.path.lexists(self.get_path(key)):
            return self.check_health(key)
        is_first = self.mark_used(key, handle, lock_timeout)
        health = self.check_health(key)
        if is_first and health.is_usable:
            # This user may only read the cache.
            with contextlib.suppress(OSError):
                self._note_use(key, handle, health)
        return health

    def mark_used(
        self, key: str, handle: str, lock_timeout: float = 0.0, again: bool = False
    ) -> bool:
        """Marks a module of a local cache as used until this process ends.

        A module that cannot be marked counts as used for a week.

        Args:
            key: Key of the module.
            handle: Handle of the module, without secrets.
            lock_timeout: Seconds to wait for a process that removes the module.
            again: Whether to mark it again if this process has, as the mark may have been removed.

        Returns:
            False if it was marked before.
        """
        path = self._get_mark_path(key)
        if not self.is_local or ((os.getpid(), path) in _marks and not again):
            return False
        mark = None
        with contextlib.suppress(OSError):  # this user may only read the cache
            for _ in range(_TRIES if len(_marks) < _MOST_MARKS else 0):
                self._make_mark(path)
                try:
                    if (mark := locks.mark(path)) is not None:
                        break
                except BlockingIOError:
                    with self.lock(key, lock_timeout, handle):
                        pass  # the process that removes the module has finished
            else:
                self._make_mark(f"{path}.unlocked")
        old, _marks[os.getpid(), path] = _marks.get((os.getpid(), path)), mark
        if old is not None:
            os.close(old)
        return True

    @contextlib.contextmanager
    def claim(self, key: str) -> Iterator[bool]:
        """Keeps other processes from marking a module while the block runs, if none has marked it.

        Yields:
            True if no process uses the module. Where marks of other machines, or files that
            cannot be locked, leave that unknown: True if it was not used for a week.
        """
        path = self._get_mark_path(key)
        with contextlib.suppress(OSError):
            self._make_mark(path)
        with locks.claim(path) as claimed:
            is_known = claimed is not None and self._list_marks(key) == [os.path.basename(path)]
            is_old = time.time() - self.get_last_use(key) > _REMOTE_USE_SECONDS
            yield claimed is not False and (is_known or is_old)

    def read_manifest(self, key: str) -> Manifest | None:
        """Reads the manifest of a module; returns None if there is none that can be read."""
        path = self._get_path_beside(key, "manifest.json")
        if self.is_local:
            return manifests.read_local(path)
        try:
            return manifests.decode(self.file_system.read(path))
        except FileNotFoundError:
            return None

    def read_handle(self, key: str) -> str | None:
        """Reads the handle of a module, without secrets; returns None if it is not known."""
        # Earlier versions and tensorflow_hub wrote queries.
        if (manifest := self.read_manifest(key)) is not None:
            return urls.redact(manifest.handle)
        try:
            content = self.file_system.read(self._get_path_beside(key, "descriptor.txt"))
        except (FileNotFoundError, IsADirectoryError):
            return None
        first = content.decode("utf-8", "replace").partition("\n")[0]
        if not first.startswith("Module:"):
            return None
        return urls.redact(first.removeprefix("Module:").strip())

    def get_last_use(self, key: str) -> float:
        """Returns when a module was last used, in seconds since 1970, as far as is known."""
        for path in (self._get_path_beside(key, "manifest.json"), self.get_path(key)):
            with contextlib.suppress(OSError):
                return self.file_system.get_mtime(path)
        return time.time()

    def lock(self, key: str, timeout: float, what: str) -> contextlib.AbstractContextManager[bool]:
        """Locks a module of a local cache against other processes; yields whether it is held."""
        if not self.is_local:
            return contextlib.nullcontext(False)
        return locks.hold_lock(f"{self._private}/locks/{key}", timeout, what)

    @contextlib.contextmanager
    def make_temporary_directory(self, key: str) -> Iterator[str]:
        """Makes an empty directory for `publish`; removes what is left of it at the end."""
        directory = self._make_temporary_path(key)
        mark = None
        for _ in range(_TRIES):
            # Another process may sweep it before it is marked.
            with contextlib.suppress(FileNotFoundError):
                self.file_system.make_directory(directory)
                mark = locks.mark(directory, wait=True) if self.is_local else None
            if mark is not None or self.file_system.is_directory(directory):
                break
        else:
            raise FileNotFoundError(errno.ENOENT, "It was removed again and again", directory)
        try:
            yield directory
        finally:
            self.file_system.remove(directory)
            if mark is not None:
                os.close(mark)

    def publish(self, key: str, directory: str, manifest: Manifest) -> None:
        """Gives a complete directory its final name, unless another process was faster.

        Args:
            key: Key of the module.
            directory: Directory that `make_temporary_directory` made.
            manifest: What the directory holds.

        Raises:
            CacheError: If what is under that name can neither be used nor replaced.
        """
        for _ in range(3):
            health = self.check_health(key)
            if health.is_usable:
                return
            if health.state is not EntryState.MISSING:
                self.discard(key)
            if not self.is_local:
                # Until its files are there, it is damaged.
                self.write_beside(key, manifest)
            if self.file_system.move_directory(directory, self.get_path(key), _MARKERS):
                if self.is_local:
                    self.write_beside(key, manifest)
                return
        raise CacheError(
            f"{self.get_path(key)} is damaged and cannot be replaced. Remove it, or choose another "
            f"place. {permissions.CHOOSE_ANOTHER}"
        )

    def discard(self, key: str) -> None:
        """Removes a module and all that is beside it."""
        path = self.get_path(key)
        trash = self._make_temporary_path(key)
        if not self.is_local:
            # A manifest without files is a damaged module, files without one a foreign one.
            for marker in _MARKERS:
                self.file_system.remove(f"{path}/{marker}")
            self.file_system.remove(path)
        elif os.path.lexists(path):
            with contextlib.suppress(FileNotFoundError):
                os.rename(path, trash)
        for name in ("manifest.json", "descriptor.txt"):
            self.file_system.remove(self._get_path_beside(key, name))
        self.file_system.remove(trash)

    def discard_unused(self, key: str, dry_run: bool = False) -> bool:
        """Removes a module of a local cache unless it is used; returns whether it is unused."""
        with self.lock(key, 0, key) as held, self.claim(key) as is_unused:
            is_unused = is_unused and (held or dry_run)
            if is_unused and not dry_run:
                self.discard(key)
                for name in self._list_marks(key):
                    self.file_system.remove(f"{self._private}/used/{name}")
            return is_unused

    def sweep(self) -> None:
        """Removes what ended processes left behind, as far as this user may."""
        with contextlib.suppress(PermissionError):
            for name in self.file_system.list_names(self._temporaries):
                self._sweep(name, f"{self._temporaries}/{name}")

    def sweep_all(self) -> None:
        """Removes what ended processes left in a local cache, also those of tensorflow_hub."""
        self.sweep()
        for name in self.file_system.list_names(self.root):
            if name.endswith(".lock"):
                self.sweep_foreign(name.removesuffix(".lock"))
        for name in self.file_system.list_names(f"{self._private}/used"):
            if not os.path.lexists(self.get_path(key := name.partition(".")[0])):
                self.discard_unused(key)

    def sweep_foreign(self, key: str) -> None:
        """Removes what a tensorflow_hub that has ended left of a module's download."""
        if self.is_local:
            for path in locks.find_dead_foreign(self._get_path_beside(key, "")):
                self.file_system.remove(path)

    def _make_private_directories(self) -> None:
        for name in ("", *_PRIVATE_DIRECTORIES):
            if self.is_local:
                permissions.make_shared_directory(os.path.join(self._private, name), self.root)
            else:
                self.file_system.make_directory(f"{self._private}/{name}")

    def _make_mark(self, path: str) -> None:
        self._make_private_directories()
        if not os.path.exists(path):
            self.file_system.share_like(self.root)
            self.file_system.write(path, b"")

    def _list_marks(self, key: str) -> list[str]:
        names = self.file_system.list_names(f"{self._private}/used")
        return [name for name in names if name.startswith(key)]

    def _note_use(self, key: str, handle: str, health: Health) -> None:
        if health.manifest is not None:
            os.utime(self._get_path_beside(key, "manifest.json"))
            return
        # Another program made it; from now on, damage to it is seen.
        manifest = manifests.list_files(self.file_system, self.get_path(key), handle)
        # The process that published it may be about to write a better one, or have done so.
        self.write_beside(key, manifest, replace=False)

    def write_beside(self, key: str, manifest: Manifest, replace: bool = True) -> None:
        """Writes the descriptor and the manifest of a module, each whole or not at all."""
        self.file_system.share_like(self.root)
        contents = {
            "descriptor.txt": _make_descriptor(manifest.handle),
            "manifest.json": manifest.encode(),
        }
        with self.make_temporary_directory(key) as directory:
            for name, content in contents.items():
                source, target = f"{directory}/{name}", self._get_path_beside(key, name)
                self.file_system.write(source, content)
                if replace:
                    self.file_system.replace_file(source, target)
                else:
                    with contextlib.suppress(FileExistsError):
                        os.link(source, target)

    def _sweep(self, name: str, path: str) -> None:
        if self.is_local and f".{locks.identify_host()}." in name:
            with locks.claim(path) as claimed:
                if claimed:
                    self.file_system.remove(path)
                if claimed is not None:
                    return
        # Processes of other machines may not be seen from here.
        with contextlib.suppress(OSError):
            if time.time() - self.file_system.get_mtime(path) > _REMOTE_LITTER_SECONDS:
                self.file_system.remove(path)

    def _make_temporary_path(self, key: str) -> str:
        return f"{self._temporaries}/{key}.{locks.identify_host()}.{uuid.uuid4().hex[:12]}"

    def _get_mark_path(self, key: str) -> str:
        return f"{self._private}/used/{key}.{locks.identify_host()}"

    def _get_path_beside(self, key: str, name: str) -> str:
        return f"{self.root}/{key}.{name}"


def _make_descriptor(handle: str) -> bytes:
    return (
        f"Module: {handle}\n"
        f"Download Time: {datetime.datetime.now()}\n"
        f"Downloader Hostname: {socket.gethostname()} (PID:{os.getpid()})"
    ).encode()
