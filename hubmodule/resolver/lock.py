"""A lock that saves work: whoever waits for it finds the module that another process fetched.

Nothing is wrong without it, as on file systems where locks do nothing: then two
processes fetch the same module, and the slower one throws its copy away. So a lock that
cannot be had, or not in time, is done without.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import filelock

logger = logging.getLogger("hubmodule")


@contextlib.contextmanager
def work_saving_lock(path: str, timeout: float, what: str) -> Iterator[bool]:
    """Holds the lock while the block runs, if it can be had.

    The system releases it when its holder ends, however that ends, so nobody waits for
    a dead process.

    Args:
        path: a local file, whose folder exists.
        timeout: seconds to wait for another process.
        what: what the lock is for, for the log.

    Yields:
        Whether it is held.
    """
    import filelock

    held = False
    try:
        # Users who may write to the folder may open the file, whatever the umask. Some versions
        # of filelock take no mode without the owner's part, which a read-only folder lacks.
        mode = os.stat(os.path.dirname(path)).st_mode & 0o666 | 0o600
        lock = filelock.FileLock(path, mode=mode)
        held = _acquired(lock, timeout, what)
    except (OSError, NotImplementedError) as error:
        logger.debug("No lock on %s: %s", path, error)
    try:
        yield held
    finally:
        if held:
            lock.release()


def _acquired(lock: filelock.BaseFileLock, timeout: float, what: str) -> bool:
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
