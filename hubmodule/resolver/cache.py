"""Where fetched modules are kept, each complete under its final name or not there at all.

    <root>/<key>/                        a module; key = sha1 of the handle
    <root>/<key>.manifest.json           what it must hold; on a file system that cannot move
                                         a folder at once, written last: it says "complete"
    <root>/<key>.descriptor.txt          where it came from, for people
    <root>/<key>.lock                    tensorflow_hub's lock, never ours
    <root>/.hubmodule/tmp/<key>.<process>.<number>     being made, or being removed
    <root>/.hubmodule/locks/<key>        saves work when several processes want a module
    <root>/.hubmodule/uses/<key>/<process>             says who uses a module
    <root>/.hubmodule/pruning/<key>      the module is being removed
    <root>/.hubmodule/incomplete/<key>   the module is being moved, file by file

The first three are as tensorflow_hub expects and makes them, so that both share a cache.
A local module is put together in tmp/ and takes its place in one step; of two processes
the slower one finds the place taken and throws its own away. No lock is needed for that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import enum
import functools
import logging
import os
import re
import socket
import time
import uuid
from collections.abc import Iterator

from hubmodule._plain_errors import CacheError, HubModuleError
from hubmodule.resolver import manifest as manifests
from hubmodule.resolver import owners, place, urls
from hubmodule.resolver.foreign import forget_dead_lock
from hubmodule.resolver.lock import work_saving_lock
from hubmodule.resolver.manifest import FileRecord, Manifest
from hubmodule.resolver.storage import LocalStorage, Storage, storage_for
from hubmodule.resolver.uses import Uses

logger = logging.getLogger("hubmodule")

# Litter of another machine, whose processes cannot be seen from here, is left this long.
_FOREIGN_LITTER_SECONDS = 24 * 3600
_PRIVATE_FOLDERS = ("tmp", "locks", "uses", "pruning", "incomplete")
_KEY = re.compile(r"[0-9a-f]{40}")


class State(enum.Enum):
    """How a module in the cache is."""

    MISSING = "missing"
    COMPLETE = "complete"
    ADOPTED = "adopted"  # another program cached it, so that nobody knows its digests
    DAMAGED = "damaged"
    INCOMPLETE = "incomplete"  # a process that moved it here file by file was stopped


@dataclasses.dataclass(frozen=True)
class Health:
    """The state of a module, and what is wrong with it, if something is."""

    state: State
    detail: str = ""
    manifest: Manifest | None = None

    @property
    def usable(self) -> bool:
        """Whether the module can be used as it is."""
        return self.state in (State.COMPLETE, State.ADOPTED)


class Cache:
    """A cache directory on any TensorFlow file system.

    Args:
        directory: where it is; it need not exist.

    Raises:
        CacheError: if it is not safe to use.
    """

    def __init__(self, directory: str):
        self.storage: Storage
        self.storage, self.root = storage_for(directory)
        self.is_local = self.storage.moves_at_once
        self._private = f"{self.root}/.hubmodule"
        self._temporaries = f"{self._private}/tmp"
        self.uses = Uses(f"{self._private}/uses")
        if self.is_local:
            with self.accessed():
                place.check(self.root)

    def folder(self, key: str) -> str:
        """The directory of a module."""
        return os.path.join(self.root, key)

    def prepare(self) -> None:
        """Makes the cache directory, and what it needs for writing.

        Raises:
            CacheError: if that is not possible or not safe.
        """
        if self.is_local:
            place.make(self.root)
            place.check(self.root)
            self.storage.share_like(self.root)
        self._make_private_folders()

    @contextlib.contextmanager
    def accessed(self) -> Iterator[None]:
        """Says what to do when the cache cannot be read or written."""
        try:
            yield
        except HubModuleError:
            raise
        except OSError as error:
            raise CacheError(
                f"Cannot use the cache directory {self.root}: {error.strerror or error}. Free "
                f"space or get the permission to read and write there, or choose another place. "
                f"{place.CHOOSE_ANOTHER}"
            ) from error

    def all_keys(self) -> list[str]:
        """The keys of all modules, whole or not."""
        stems = (name.removesuffix(".manifest.json") for name in self.storage.names(self.root))
        return sorted({stem for stem in stems if _KEY.fullmatch(stem)})

    def health(self, key: str) -> Health:
        """Checks a module by presence and sizes of its files, which is cheap."""
        manifest = self.manifest(key)
        if manifest is not None:
            damage = manifests.damage(manifest, self.storage, self.folder(key))
            state = State.DAMAGED if damage else _whole(manifest)
            return Health(state, damage or "", manifest)
        if not self.storage.is_folder(self.folder(key)):
            if self.is_local and os.path.lexists(self.folder(key)):
                return Health(State.DAMAGED, "it is no directory")
            return Health(State.MISSING)
        if not self.is_local and self.storage.exists(self._flag("incomplete", key)):
            return Health(State.INCOMPLETE, "it was not moved here completely")
        files = self.storage.files(self.folder(key))
        damage = manifests.foreign_damage(files)
        return Health(State.DAMAGED, damage) if damage else Health(State.ADOPTED)

    def use(self, key: str, handle: str, lock_timeout: float) -> Health:
        """Like `health`, for a process that goes on to use the module if it is whole."""
        if not self.is_local or not os.path.isdir(self.root):
            return self.health(key)
        if not os.path.isdir(self._private):
            # Its modules come from tensorflow_hub; perhaps this user may only read them.
            with contextlib.suppress(OSError):
                self._make_private_folders()
        is_new = self.uses.mark(key)
        if is_new and os.path.exists(self._flag("pruning", key)):
            # Who removes it may not have seen the mark: what they leave counts.
            with self.lock(key, lock_timeout, handle):
                pass
        health = self.health(key)
        if is_new and health.usable:
            self._note_use(key, handle, health)
        return health

    def manifest(self, key: str) -> Manifest | None:
        """What a module must hold; None if nothing readable says so."""
        path = self._beside(key, "manifest.json")
        if self.is_local:
            return _local_manifest(path)
        try:
            return manifests.decode(self.storage.read(path))
        except FileNotFoundError:
            return None

    def handle(self, key: str) -> str | None:
        """The handle of a module, without passwords and queries; None if nothing says it."""
        # Earlier versions, and tensorflow_hub, wrote queries down.
        manifest = self.manifest(key)
        if manifest is not None:
            return urls.shown(manifest.handle)
        try:
            text = self.storage.read(self._beside(key, "descriptor.txt")).decode("utf-8", "replace")
        except (FileNotFoundError, IsADirectoryError):
            return None
        first = text.partition("\n")[0]
        if not first.startswith("Module:"):
            return None
        return urls.shown(first.removeprefix("Module:").strip())

    def last_use(self, key: str) -> float:
        """When a module was last used, in seconds since 1970, as far as can be told."""
        for path in (self._beside(key, "manifest.json"), self.folder(key)):
            with contextlib.suppress(OSError):
                return self.storage.modified(path)
        return time.time()

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float, what: str) -> Iterator[bool]:
        """Saves the work of several processes that want a module; yields whether it is held."""
        if not self.is_local:
            yield False
            return
        path = f"{self._private}/locks/{key}"
        with work_saving_lock(path, timeout, what) as held:
            # Whoever said that they remove this module held the lock, and has ended.
            if held:
                self.storage.remove(self._flag("pruning", key))
            yield held

    @contextlib.contextmanager
    def new_folder(self, key: str) -> Iterator[str]:
        """An empty folder to make a module in; gone after the block if it was not published."""
        folder = self._temporary(key)
        self.storage.make_folder(folder)
        try:
            yield folder
        finally:
            self.storage.remove(folder)

    def publish(self, key: str, folder: str, manifest: Manifest) -> None:
        """Gives a complete folder its final name, unless another process was faster.

        Raises:
            CacheError: if what is under that name can neither be used nor replaced.
        """
        for _ in range(3):
            health = self.health(key)
            if health.usable:
                return
            if health.state is not State.MISSING:
                self.discard(key)
            if self._move(key, folder, manifest):
                return
        raise CacheError(
            f"{self.folder(key)} is damaged and cannot be replaced. Remove it, or choose another "
            f"place. {place.CHOOSE_ANOTHER}"
        )

    def discard(self, key: str) -> None:
        """Removes a module and all that is beside it."""
        trash = self._temporary(key)
        if not self.is_local:
            # Until it is gone, what is left of the module must not be taken for one.
            self.storage.write(self._flag("incomplete", key), b"")
            self.storage.remove(self._beside(key, "manifest.json"))
            self.storage.remove(self.folder(key))
        elif os.path.lexists(self.folder(key)):
            # A manifest without a folder is a missing module, the reverse a foreign one.
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.folder(key), trash)
        for name in ("manifest.json", "descriptor.txt"):
            self.storage.remove(self._beside(key, name))
        self.storage.remove(trash)
        if not self.is_local:
            self.storage.remove(self._flag("incomplete", key))

    @contextlib.contextmanager
    def removing(self, key: str) -> Iterator[bool]:
        """Yields whether a module may be removed, as nobody uses it or begins to."""
        with self.lock(key, 0, key) as held:
            if not held:
                yield False
                return
            flag = self._flag("pruning", key)
            self.storage.write(flag, b"")
            try:
                yield not self.uses.is_used(key)
            finally:
                self.storage.remove(flag)

    def sweep(self) -> None:
        """Removes what ended processes left behind, as far as this user may."""
        with contextlib.suppress(PermissionError):
            for name in self.storage.names(self._temporaries):
                path = f"{self._temporaries}/{name}"
                if self._is_litter(name, path):
                    self.storage.remove(path)

    def sweep_foreign(self, key: str) -> None:
        """Removes tensorflow_hub's lock on a module if nobody holds it any more."""
        if self.is_local:
            forget_dead_lock(self.storage, self.root, key)

    def _make_private_folders(self) -> None:
        for folder in (self._private, *(f"{self._private}/{name}" for name in _PRIVATE_FOLDERS)):
            if self.is_local:
                place.make_alike(folder, self.root)
            else:
                self.storage.make_folder(folder)

    def _move(self, key: str, folder: str, manifest: Manifest) -> bool:
        flag = self._flag("incomplete", key)
        if not self.is_local:
            self.storage.write(flag, b"")
        if not self.storage.move_folder(folder, self.folder(key)):
            return False
        self._put(key, "descriptor.txt", _descriptor(manifest.handle))
        self._put(key, "manifest.json", manifest.encode())
        if not self.is_local:
            self.storage.remove(flag)
        return True

    def _note_use(self, key: str, handle: str, health: Health) -> None:
        # A cache that this user may only read is as good as any.
        with contextlib.suppress(OSError):
            if health.manifest is not None:
                os.utime(self._beside(key, "manifest.json"))
            else:
                self._adopt(key, handle)

    def _adopt(self, key: str, handle: str) -> None:
        """Notes what a module holds that came without a manifest."""
        self.storage.share_like(self.root)
        files = self.storage.files(self.folder(key))
        records = tuple(FileRecord(path, files[path], None) for path in sorted(files))
        # Whoever published it may be about to write a better manifest, or just have done.
        self._add(key, "descriptor.txt", _descriptor(handle))
        self._add(key, "manifest.json", Manifest(handle, manifests.now(), records).encode())

    def _put(self, key: str, name: str, content: bytes) -> None:
        """Writes or replaces a file beside a module, whole or not at all."""
        if self.is_local:
            with self._temporary_file(key, content) as temporary:
                self.storage.replace(temporary, self._beside(key, name))
        else:
            self.storage.write(self._beside(key, name), content)

    def _add(self, key: str, name: str, content: bytes) -> None:
        """Writes a file beside a local module, whole, unless there is one."""
        with (
            self._temporary_file(key, content) as temporary,
            contextlib.suppress(FileExistsError),
        ):
            os.link(temporary, self._beside(key, name))

    @contextlib.contextmanager
    def _temporary_file(self, key: str, content: bytes) -> Iterator[str]:
        self.storage.make_folder(self._temporaries)
        temporary = self._temporary(key)
        try:
            self.storage.write(temporary, content)
            yield temporary
        finally:
            self.storage.remove(temporary)

    def _is_litter(self, name: str, path: str) -> bool:
        token = name.split(".")[1] if name.count(".") == 2 else ""
        owner = owners.parse(token)
        gone = owners.is_gone(owner) if owner else None
        if gone is not None:
            return gone
        try:
            return time.time() - self.storage.modified(path) > _FOREIGN_LITTER_SECONDS
        except OSError:
            return False

    def _temporary(self, key: str) -> str:
        name = f"{key}.{owners.this_process().token}.{uuid.uuid4().hex[:12]}"
        return f"{self._temporaries}/{name}"

    def _beside(self, key: str, name: str) -> str:
        return f"{self.root}/{key}.{name}"

    def _flag(self, kind: str, key: str) -> str:
        return f"{self._private}/{kind}/{key}"


def _local_manifest(path: str) -> Manifest | None:
    # One that this user may not read, or a directory of its name, says nothing either.
    try:
        status = os.stat(path)
        return _manifest_in(path, (status.st_ino, status.st_mtime_ns, status.st_size))
    except OSError:
        return None


# A look at a file's status costs less than reading it, and it is replaced, never changed.
@functools.lru_cache(maxsize=128)
def _manifest_in(path: str, version: tuple[int, ...]) -> Manifest | None:
    return manifests.decode(LocalStorage().read(path))


def _whole(manifest: Manifest) -> State:
    known = all(file.sha256 for file in manifest.files)
    return State.COMPLETE if known else State.ADOPTED


def _descriptor(handle: str) -> bytes:
    return (
        f"Module: {handle}\n"
        f"Download Time: {datetime.datetime.now()}\n"
        f"Downloader Hostname: {socket.gethostname()} (PID:{os.getpid()})"
    ).encode()
