"""Looks at what exists at a path that a user gave."""

from __future__ import annotations

from hubmodule._plain_errors import HandleNotFoundError
from hubmodule.file_systems import find_file_system
from hubmodule.resolver.handles import ArchiveHandle, WebHandle, describe_missing, needs_network


def get_fingerprint(handle: WebHandle | ArchiveHandle) -> str:
    """Returns the fingerprint of a local archive; "" if it is remote, missing or pinned."""
    if not isinstance(handle, ArchiveHandle) or handle.sha256 or needs_network(handle.path):
        return ""
    file_system, path = find_file_system(handle.path)
    return file_system.get_fingerprint(path)


def is_directory(handle: ArchiveHandle) -> bool:
    """Whether a directory of a module has a name like that of an archive."""
    if handle.sha256 or needs_network(handle.path):
        return False
    file_system, path = find_file_system(handle.path)
    return file_system.is_directory(path)


def check_exists(path: str) -> None:
    """Checks that a file or directory exists.

    Raises:
        HandleNotFoundError: if it does not, or its file system does not tell.
        FileSystemUnavailableError: if its file system needs TensorFlow, which is missing.
    """
    file_system, found = find_file_system(path)
    try:
        exists = file_system.exists(found)
    except OSError as error:
        raise make_unreadable_error(path, error) from error
    if not exists:
        raise HandleNotFoundError(f"{path} does not exist. {describe_missing(path)}")


def make_unreadable_error(path: str, error: OSError) -> HandleNotFoundError:
    """Makes the error for a file that exists, or may exist, but cannot be read."""
    reason = " ".join((error.strerror or str(error)).removeprefix(f"{path}: ").split())
    advice = "the credentials and the network" if needs_network(path) else "its permissions"
    return HandleNotFoundError(f"{path} cannot be read: {reason.rstrip('.')}. Check {advice}.")
