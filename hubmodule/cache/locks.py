"""Locks that processes hold, ours and those of tensorflow_hub.

They only save work. Where locks do nothing, as on some file systems, two processes fetch the
same module, and the slower one discards its copy.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import filelock

logger = logging.getLogger("hubmodule")

_FOREIGN_LOCK = re.compile(r"(?P<host>.+)\.(?P<pid>\d+)\.(?P<number>[0-9a-zA-Z\-]+)")


@contextlib.contextmanager
def hold_lock(path: str, timeout: float, what: str) -> Iterator[bool]:
    """Locks a file against other processes while the block runs, if that is possible.

    A process that waits for it finds the module that another process fetched.

    Args:
        path: Path of a local file, whose directory exists.
        timeout: Seconds to wait for another process.
        what: Name of the module, for the log.

    Yields:
        Whether this process holds the lock.
    """
    import filelock

    held = False
    try:
        # Users who may write to the directory may open the file, whatever the umask. Some
        # versions of filelock take no mode without the owner's part, which a read-only
        # directory lacks.
        mode = os.stat(os.path.dirname(path)).st_mode & 0o666 | 0o600
        lock = filelock.FileLock(path, mode=mode)
        held = _acquire(lock, timeout, what)
    except (OSError, NotImplementedError) as error:
        logger.debug("No lock on %s: %s", path, error)
    try:
        yield held
    finally:
        if held:
            lock.release()


def _acquire(lock: filelock.BaseFileLock, timeout: float, what: str) -> bool:
    import filelock

    with contextlib.suppress(filelock.Timeout):
        lock.acquire(timeout=0)
        return True
    if timeout <= 0:
        return False
    logger.info("Another process fetches %s; waiting for it.", what)
    try:
        lock.acquire(timeout=timeout)
    except filelock.Timeout:
        logger.warning(
            "Another process has been fetching %s for %.0f seconds; fetching it as well.",
            what,
            timeout,
        )
        return False
    return True


def mark(path: str, wait: bool = False) -> int | None:
    """Marks a file or directory as used, until the mark is closed or the process has ended.

    Args:
        path: Path of the file or directory.
        wait: Whether to wait for the end of a claim.

    Returns:
        The mark, to be closed by os.close; None if the path is missing or cannot be locked.

    Raises:
        BlockingIOError: If another process has claimed the path, and this one does not wait.
    """
    try:
        return _lock(path, "LOCK_SH") if wait else _lock(path, "LOCK_SH", "LOCK_NB")
    except BlockingIOError:
        raise
    except OSError:
        return None


@contextlib.contextmanager
def claim(path: str) -> Iterator[bool | None]:
    """Keeps other processes from marking a path while the block runs.

    Args:
        path: Path of a file or directory.

    Yields:
        True if no process has marked it, False if one has; None if that is not known.
    """
    file = claimed = None
    try:
        file = _lock(path, "LOCK_EX", "LOCK_NB")
        claimed = True
    except BlockingIOError:
        claimed = False
    except OSError:  # a file system without locks, or a file that this user may not read
        pass
    try:
        yield claimed
    finally:
        if file is not None:
            os.close(file)


def _lock(path: str, *operation: str) -> int:
    if fcntl is None:
        raise OSError(errno.ENOLCK, "No locks available")
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, sum(getattr(fcntl, name) for name in operation))
        # The process that had locked it may have removed it.
        if os.path.samestat(os.fstat(file), os.stat(path)):
            return file
        raise FileNotFoundError(path)
    except OSError:
        os.close(file)
        raise


@functools.lru_cache(maxsize=1)
def identify_host() -> str:
    """Returns a name for this machine until it restarts; others may have the same host name."""
    boot = ""
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read()
    return hashlib.sha1(f"{socket.gethostname()} {boot}".encode()).hexdigest()[:16]


def find_dead_foreign(stem: str) -> list[str]:
    """Finds the lock of a tensorflow_hub that has ended on a module, and its download.

    The file <key>.lock holds `<host>.<pid>.<number>`; the download is <key>.<number>.tmp. When
    tensorflow_hub is killed, both stay, and the next one would wait for the dead one.

    Args:
        stem: Path of the module, and a dot.

    Returns:
        Paths to remove, the lock last; empty if that tensorflow_hub may still be running, as
        on another machine.
    """
    lock = f"{stem}lock"
    try:
        with open(lock, encoding="utf-8", errors="replace") as file:
            holder = _FOREIGN_LOCK.fullmatch(file.read().strip())
        written = os.stat(lock).st_mtime
    except OSError:
        return []
    if holder is None or holder["host"] != socket.gethostname():
        return []
    if _may_be_running(int(holder["pid"]), written):
        return []
    return [f"{stem}{holder['number']}.tmp", lock]


def _may_be_running(pid: int, written: float) -> bool:
    """Whether the process of this machine that wrote a file may still be running.

    Args:
        pid: Process id, which the system gives to another process later.
        written: Time when it wrote the file, in seconds since 1970.
    """
    if os.name != "posix":  # os.kill would end the process on Windows
        return True
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may hold spaces and parentheses itself.
            fields = file.read().rpartition(b")")[2].split()
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it belongs to another user, or this is not Linux
        return True
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    started = booted + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return fields[0] not in (b"Z", b"X") and started <= written + 1
