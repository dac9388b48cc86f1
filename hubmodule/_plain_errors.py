"""The errors that need no TensorFlow; hubmodule.errors draws the whole tree.

They are apart from it because a command line that only looks at the cache should not
wait for the import of TensorFlow, from whose errors the others derive.
"""

from __future__ import annotations

import io
import urllib.error
from email.message import Message
from typing import Any


class HubModuleError(Exception):
    """The base of all errors of this package.

    Its one argument, `message`, says what went wrong, where, and what to do next.
    """

    def __init__(self, message: str):
        super().__init__(message)

    @property
    def message(self) -> str:
        """The text of the error."""
        return self.args[0]

    def __str__(self) -> str:
        # KeyError would show the repr of the text, and tf.errors an op's traceback.
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message,)


class SettingError(HubModuleError, ValueError):
    """An environment variable or flag has a value that means nothing."""


class HandleNotFoundError(HubModuleError, OSError):
    """Nothing is where the handle points."""


class InvalidHandleError(HubModuleError, ValueError, OSError):
    """A text that is no handle: an unknown scheme, a typo, a malformed address or pin."""


class DownloadError(HubModuleError, urllib.error.URLError):
    """What a handle points at could not be fetched over the network.

    Attributes:
        url: the address that failed, without user names, passwords and queries.
        reason: the message, as on any `URLError`.
    """

    def __init__(self, message: str, url: str = ""):
        super().__init__(message)
        self.url = url
        self.reason = message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.url)


class HttpStatusError(DownloadError, urllib.error.HTTPError):
    """A server answered with a status that is no success.

    Attributes:
        code: the status, for example 404; also as `status`.
        msg: the message, as on any `HTTPError`.
    """

    def __init__(self, message: str, url: str = "", code: int = 0):
        # An HTTPError is a response too, and without a body it fails on every Python differently.
        urllib.error.HTTPError.__init__(self, url, code, message, Message(), io.BytesIO())
        self.args = (message,)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.url, self.code)


class OfflineError(DownloadError):
    """Something would have to be fetched, and fetching is switched off."""


class UncompressedReadError(HubModuleError, ValueError):
    """A server did not say where the unpacked module is."""


class ArchiveError(HubModuleError, OSError, ValueError):
    """An archive cannot be unpacked."""


class ArchiveDamagedError(ArchiveError):
    """An archive is cut off, corrupt, not the pinned one, or no archive at all."""


class ArchiveRefusedError(ArchiveError):
    """An archive is whole, but holds what no module needs and an attacker would send."""


class CacheError(HubModuleError, OSError):
    """The cache directory cannot be used."""


class CacheDamagedError(CacheError):
    """A cached module is damaged and cannot be fetched again."""


class FileSystemUnavailableError(HubModuleError, ImportError):
    """A path is on a file system that needs TensorFlow, which is not installed."""
