"""Makes hidden directories to fill before they appear, and removes abandoned ones.

On a local file system, several publishers may write at the same time, as the rename of a
directory decides between them. In other stores a version is moved file by file, so a publisher
first claims the module: it writes a file of its own, and goes on if it then finds no other. Of two
publishers, at least the second to look finds the file of the other.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import time
import uuid
from collections.abc import Callable, Iterator

from hubmodule._plain_errors import VersionTakenError
from hubmodule.cache import locks
from hubmodule.cache.manifest import get_time
from hubmodule.file_systems import FileSystem
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName

_PREFIX = ".publishing-"
_CLAIMS = ".claims"
_ATTEMPTS = 10
_LONGEST_PAUSE = 2.0  # seconds


@contextlib.contextmanager
def open_workspace(
    hub: HubDirectory, name: ModuleName, sleep: Callable[[float], None] = time.sleep
) -> Iterator[str]:
    """Makes a hidden directory beside the versions of a module, for as long as the block runs.

    Args:
        hub: The hub.
        name: Name of the module.
        sleep: Waits for a number of seconds, before a module is claimed again.

    Yields:
        Path of an empty directory, on the file system of the hub.

    Raises:
        VersionTakenError: If another process publishes this module, in a store where a
            directory cannot be renamed.
    """
    module = hub.locate_module(name)
    hub.file_system.make_directory(module)
    opened = (
        open_marked_directory(hub.file_system, module)
        if hub.is_local
        else _open_remote(hub, name, sleep)
    )
    with opened as workspace:
        yield workspace


@contextlib.contextmanager
def open_marked_directory(
    file_system: FileSystem, parent: str, prefix: str = _PREFIX
) -> Iterator[str]:
    """Makes a hidden local directory, and first removes those of processes that were killed.

    Args:
        file_system: The local file system.
        parent: Path of the directory to make it in.
        prefix: Beginning of its name, the same for all that do the same.

    Yields:
        Path of an empty directory, which is removed when the block ends.
    """
    host = locks.identify_host()
    for entry in file_system.list_names(parent):
        # The lock of a process on another machine is not always seen here.
        if entry.startswith(f"{prefix}{host}-"):
            _remove_abandoned(file_system, f"{parent}/{entry}")
    directory, mark = _make_marked_directory(file_system, parent, f"{prefix}{host}")
    try:
        yield directory
    finally:
        file_system.remove(directory)
        if mark is not None:
            os.close(mark)


def _make_marked_directory(
    file_system: FileSystem, parent: str, prefix: str
) -> tuple[str, int | None]:
    """Makes a directory that other processes leave alone; returns its path and its mark."""
    while True:
        directory = _make_path(parent, prefix)
        # Until it is marked, another process may take it for abandoned, and remove it.
        with contextlib.suppress(FileNotFoundError):
            file_system.make_directory(directory)
            mark = locks.mark(directory, wait=True)
            if os.path.isdir(directory):
                return directory, mark
            if mark is not None:
                os.close(mark)


def _remove_abandoned(file_system: FileSystem, directory: str) -> None:
    """Removes the directory of a process that was killed."""
    with locks.claim(directory) as claimed:
        if claimed:
            file_system.remove(directory)


@contextlib.contextmanager
def _open_remote(
    hub: HubDirectory, name: ModuleName, sleep: Callable[[float], None]
) -> Iterator[str]:
    module = hub.locate_module(name)
    with _claim(hub, f"{module}/{_CLAIMS}", name, sleep):
        for entry in {*hub.file_system.list_names(module)}:
            if entry.startswith(_PREFIX):
                hub.file_system.remove(f"{module}/{entry}")
        workspace = _make_path(module, f"{_PREFIX}any")
        hub.file_system.make_directory(workspace)
        try:
            yield workspace
        finally:
            hub.file_system.remove(workspace)


@contextlib.contextmanager
def _claim(
    hub: HubDirectory, directory: str, name: ModuleName, sleep: Callable[[float], None]
) -> Iterator[None]:
    content = json.dumps(
        {"host": socket.gethostname(), "process": os.getpid(), "since": get_time()}
    ).encode()
    for attempt in range(_ATTEMPTS):
        own = uuid.uuid4().hex
        path = f"{directory}/{own}"
        hub.file_system.write(path, content)
        try:
            others = {*hub.file_system.list_names(directory)} - {own}
            if not others:
                yield
                return
        finally:
            hub.file_system.remove(path)
        if attempt < _ATTEMPTS - 1:
            # Two that found each other must not come back together.
            sleep(random.uniform(0, _LONGEST_PAUSE))
    raise VersionTakenError(
        f"Another process publishes {name} to {hub.path}. Try again when it has ended; if it was "
        f"killed, remove {directory}/{min(others)}, which says who it was."
    )


def _make_path(parent: str, prefix: str) -> str:
    return f"{parent}/{prefix}-{uuid.uuid4().hex[:12]}"
