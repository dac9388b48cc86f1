"""Checks and makes the directory of a cache: loading a module runs what is in it."""

from __future__ import annotations

import contextlib
import os
import stat

from hubmodule._plain_errors import CacheError

CHOOSE_ANOTHER = (
    "Choose a directory of your own:\n    export TFHUB_CACHE_DIR=$HOME/.cache/tfhub_modules"
)
_PRIVATE = 0o700
_USUAL = 0o777  # less the umask


def check_directory(directory: str, user: int | None = None) -> None:
    """Checks that no other user could have made a cache directory, to put modules into it.

    In a directory where all users may write, such as /tmp, another user may make
    /tmp/tfhub_modules before this user does.

    Args:
        directory: Local path; it need not exist.
        user: Number of the user; None means that of this process.

    Raises:
        CacheError: If another user could, or the path is not a directory. The message has the
            line that sets TFHUB_CACHE_DIR.
    """
    if os.name != "posix":
        return
    user = os.geteuid() if user is None else user
    try:
        # The link itself: the owner of one in /tmp decides where it leads.
        status = os.lstat(directory)
        linked = os.stat(directory) if stat.S_ISLNK(status.st_mode) else status
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(linked.st_mode):
        raise _make_file_error(directory)
    for found, place in ((status, os.path.dirname(directory)), (linked, directory)):
        if found.st_uid != user and _is_world_writable(place):
            raise CacheError(
                f"The cache directory {directory} belongs to {_describe_user(found.st_uid)}, in a "
                f"place where all users may write, so the modules in it cannot be trusted. "
                f"{CHOOSE_ANOTHER}"
            )


def make_directory(directory: str) -> None:
    """Makes a directory and its parents, for this user alone if all users may write there.

    Raises:
        CacheError: If it cannot be made.
    """
    missing = []
    path = directory
    while not os.path.exists(path):
        missing.append(path)
        path = os.path.dirname(path)
    mode = _PRIVATE if _is_world_writable(path) else _USUAL
    try:
        for path in reversed(missing):
            # If another process is faster, `check` sees who owns it.
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, mode)
    except OSError as error:
        raise CacheError(
            f"The cache directory {directory} cannot be made: {error.strerror}. {CHOOSE_ANOTHER}"
        ) from error
    if not os.path.isdir(directory):
        raise _make_file_error(directory)


def make_shared_directory(path: str, directory: str) -> None:
    """Makes a directory in the cache with the mode of the cache directory.

    The umask of the user who makes it would keep the others of a group out.
    """
    if os.path.isdir(path):
        return
    os.makedirs(path, exist_ok=True)
    with contextlib.suppress(OSError):
        os.chmod(path, stat.S_IMODE(os.stat(directory).st_mode))


def _make_file_error(directory: str) -> CacheError:
    return CacheError(f"The cache directory {directory} is not a directory. {CHOOSE_ANOTHER}")


def _is_world_writable(path: str) -> bool:
    return os.name == "posix" and bool(os.stat(path).st_mode & stat.S_IWOTH)


def _describe_user(user: int) -> str:
    import pwd

    try:
        return f"user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"user number {user}"
