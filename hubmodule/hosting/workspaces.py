"""Gives a publisher a directory beside the versions of a module, and removes abandoned ones.

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
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from hubmodule.resolver import locks
from hubmodule.resolver.manifest import get_time

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
    with _open_local(hub, module) if hub.is_local else _open_remote(hub, name, sleep) as workspace:
        try:
            yield workspace
        finally:
            hub.file_system.remove(workspace)


@contextlib.contextmanager
def _open_local(hub: HubDirectory, module: str) -> Iterator[str]:
    host = locks.identify_host()
    for entry in hub.file_system.list_names(module):
        # The lock of a process on another machine is not always seen here.
        if entry.startswith(f"{_PREFIX}{host}-"):
            _remove_abandoned(hub, f"{module}/{entry}")
    workspace, mark = _make_marked_directory(hub, module, host)
    try:
        yield workspace
    finally:
        if mark is not None:
            os.close(mark)


def _make_marked_directory(hub: HubDirectory, module: str, host: str) -> tuple[str, int | None]:
    """Makes a directory that other publishers leave alone; returns its path and its mark."""
    while True:
        workspace = _make_path(module, host)
        # Until it is marked, another publisher may take it for abandoned, and remove it.
        with contextlib.suppress(FileNotFoundError):
            hub.file_system.make_directory(workspace)
            mark = locks.mark(workspace, wait=True)
            if os.path.isdir(workspace):
                return workspace, mark
            if mark is not None:
                os.close(mark)


def _remove_abandoned(hub: HubDirectory, workspace: str) -> None:
    """Removes the directory of a publisher that was killed."""
    with locks.claim(workspace) as claimed:
        if claimed:
            hub.file_system.remove(workspace)


@contextlib.contextmanager
def _open_remote(
    hub: HubDirectory, name: ModuleName, sleep: Callable[[float], None]
) -> Iterator[str]:
    module = hub.locate_module(name)
    with _claim(hub, f"{module}/{_CLAIMS}", name, sleep):
        for entry in {*hub.file_system.list_names(module)}:
            if entry.startswith(_PREFIX):
                hub.file_system.remove(f"{module}/{entry}")
        workspace = _make_path(module, "any")
        hub.file_system.make_directory(workspace)
        yield workspace


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


def _make_path(module: str, host: str) -> str:
    return f"{module}/{_PREFIX}{host}-{uuid.uuid4().hex[:12]}"
