"""What is at a path of the user's: whether it is there, and whether it has changed."""

from __future__ import annotations

from hubmodule._plain_errors import HandleNotFoundError
from hubmodule.resolver.handles import ArchiveHandle, WebHandle, missing_hint, needs_network
from hubmodule.resolver.storage import LocalStorage, storage_for


def source_of(handle: WebHandle | ArchiveHandle) -> str:
    """What changes with a local archive; empty for what is not local, or not there.

    Also for one that is pinned: what is cached has that digest, whatever is there now.
    """
    if not isinstance(handle, ArchiveHandle) or handle.sha256:
        return ""
    storage, path = storage_for(handle.path)
    return storage.version(path) if isinstance(storage, LocalStorage) else ""


def check_exists(path: str) -> None:
    """Raises HandleNotFoundError if nothing is at a path of the user's, or nobody can tell."""
    storage, found = storage_for(path)
    try:
        exists = storage.exists(found)
    except OSError as error:
        raise unreadable(path, error) from error
    if not exists:
        raise HandleNotFoundError(f"{path} does not exist. {missing_hint(path)}")


def unreadable(path: str, error: OSError) -> HandleNotFoundError:
    """The error for what is there but cannot be read."""
    reason = " ".join((error.strerror or str(error)).removeprefix(f"{path}: ").split())
    advice = "the credentials and the network" if needs_network(path) else "its permissions"
    return HandleNotFoundError(f"{path} cannot be read: {reason.rstrip('.')}. Check {advice}.")
