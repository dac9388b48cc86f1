"""What tensorflow_hub leaves in a cache that both share.

Its lock on a module is the file <key>.lock, which holds `<host>.<pid>.<number>`; what it
downloads is <key>.<number>.tmp until it is complete. When it is killed, both stay, and
the next tensorflow_hub waits for the dead one.
"""

from __future__ import annotations

import os
import posixpath
import re
import socket

from hubmodule.resolver import owners
from hubmodule.resolver.storage import Storage

_CONTENT = re.compile(r"(?P<host>.+)\.(?P<pid>\d+)\.(?P<number>[0-9a-zA-Z\-]+)")


def forget_dead_lock(storage: Storage, root: str, key: str) -> bool:
    """Removes tensorflow_hub's lock on a module, and its download, if its process has ended.

    Only a process of this machine can be seen to have ended.

    Returns:
        Whether something was removed.
    """
    lock = posixpath.join(root, f"{key}.lock")
    try:
        holder = _CONTENT.fullmatch(storage.read(lock).decode("utf-8", "replace").strip())
        written = storage.modified(lock)
    except OSError:
        return False
    if holder is None or holder["host"] != socket.gethostname():
        return False
    if _lives(int(holder["pid"]), written):
        return False
    storage.remove(posixpath.join(root, f"{key}.{holder['number']}.tmp"))
    storage.remove(lock)
    return True


def _lives(pid: int, written: float) -> bool:
    """Whether the process that wrote a file then still lives."""
    if os.name != "posix":
        return True  # it cannot be told
    started = owners.start_time(pid)
    if started is None:
        return False
    return started == 0 or owners.since_1970(started) <= written + 1.0
