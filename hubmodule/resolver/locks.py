"""Locks that processes hold on files and directories; the system releases them when they end.

Nothing is wrong without them, as on file systems where locks do nothing: then two processes
fetch the same module, and the slower one throws its copy away.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import filelock

logger = logging.getLogger("hubmodule")


@contextlib.contextmanager
def hold_lock(path: str, timeout: float, what: str) -> Iterator[bool]:
    """Locks a file against other processes while the block runs, if that is possible.

    A process that waits for it finds the module that another process fetched.

    Args:
        path: Path of a local file, whose directory exists.
        timeout: Seconds to wait for another process.
        what: What the lock is for, for the log.

    Yields:
        Whether it is held.
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


def mark(path: str) -> int | None:
    """Marks a file or directory as used, until the mark is closed or the process has ended.

    Waits for the end of a claim.

    Args:
        path: Path of the file or directory.

    Returns:
        The mark, to be closed by os.close; None if the path is missing or cannot be locked.
    """
    with contextlib.suppress(OSError):
        return _lock(path, "LOCK_SH")
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
