"""The exceptions that do not need TensorFlow; hubmodule.errors shows the whole tree.

hubmodule.errors imports TensorFlow, because some exceptions derive from tf.errors. Commands
that only read the cache import this module, and do not wait for TensorFlow.
"""

from __future__ import annotations

import io
import urllib.error
from email.message import Message
from typing import Any


class HubModuleError(Exception):
    """The base class of all exceptions of hubmodule.

    Each exception is also of the type that tensorflow_hub raises in the same situation, so that
    programs catch it as before. The classes are in hubmodule.errors.

        >>> try:
        ...     hub.load("modules/missing")
        ... except hub.HubModuleError as error:
        ...     print(error.message[:40])
        modules/missing does not exist. Check th

    Args:
        message: What went wrong, where, and what to do next.
    """

    def __init__(self, message: str):
        super().__init__(message)

    @property
    def message(self) -> str:
        """What went wrong, where, and what to do next."""
        return self.args[0]

    def __str__(self) -> str:
        # KeyError would show the repr of the text, and tf.errors an op's traceback.
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message,)


class TensorFlowUnavailableError(HubModuleError, ImportError):
    """TensorFlow is not installed, or is older than 2.15."""


class SourceError(HubModuleError, OSError):
    """A Python file that a command names cannot be read."""


class ContribUnavailableError(HubModuleError, AttributeError):
    """A part of TensorFlow 1's `tf.contrib` has no successor, or it is not installed."""


class SettingError(HubModuleError, ValueError):
    """An environment variable or flag has an invalid value."""


class HandleNotFoundError(HubModuleError, OSError):
    """Nothing exists at the handle."""


class InvalidHandleError(HubModuleError, ValueError, OSError):
    """A text is not a handle: it has an unknown scheme, or is a malformed address or pin."""


class DownloadError(HubModuleError, urllib.error.URLError):
    """A download failed.

    Attributes:
        url: The address that failed, without user name, password and query.
        reason: The message, as on any `URLError`.
    """

    def __init__(self, message: str, url: str = ""):
        super().__init__(message)
        self.url = url
        self.reason = message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.url)


class HttpStatusError(DownloadError, urllib.error.HTTPError):
    """A server answered with an error status.

    Attributes:
        code: The HTTP status, e.g. 404; also as `status`.
        msg: The message, as on any `HTTPError`.
    """

    def __init__(self, message: str, url: str = "", code: int = 0):
        # An HTTPError is a response too, and without a body it fails on every Python differently.
        urllib.error.HTTPError.__init__(self, url, code, message, Message(), io.BytesIO())
        self.args = (message,)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.url, self.code)


class OfflineError(DownloadError):
    """A download would be needed, and downloads are turned off."""


class UncompressedReadError(HubModuleError, ValueError):
    """A server did not say where the unpacked module is."""


class ArchiveError(HubModuleError, OSError, ValueError):
    """An archive cannot be unpacked or written."""


class ArchiveDamagedError(ArchiveError):
    """An archive is truncated, corrupt, not the pinned one, or not an archive."""


class ArchiveRefusedError(ArchiveError):
    """An archive is intact, but its content is not safe to unpack, such as a link."""


class LockError(HubModuleError, OSError, ValueError):
    """A lock file cannot be read, or a module is not in it, or not the locked one."""


class CacheError(HubModuleError, OSError):
    """The cache directory cannot be used."""


class CacheDamagedError(CacheError):
    """A cached module is damaged and cannot be downloaded again."""


class FactsError(HubModuleError, ValueError):
    """The stored facts of a module cannot be read."""


class HubError(HubModuleError, OSError):
    """A hub cannot be read or written."""


class VersionTakenError(HubError, FileExistsError):
    """A hub has another module under this version, or another process is adding one."""


class PublishError(HubModuleError, ValueError):
    """A module may not be published as it is."""


class ServerAddressError(HubModuleError, OSError):
    """A server cannot listen at this address, such as one in use."""


class ExtraMissingError(HubModuleError, ImportError):
    """A package that this part of hubmodule needs is not installed."""
