"""Small files in memory, ready to be sent, of which a limited number of bytes is kept."""

from __future__ import annotations

import collections
import hashlib
import threading
from collections.abc import Hashable

from starlette.requests import Request
from starlette.responses import Response

from hubmodule.hosting.archive_responses import has_etag


class Content:
    """A small file in memory, which clients ask about each time that they need it.

    Args:
        content: The bytes of the file.
        media_type: Its type, e.g. "text/html".
    """

    def __init__(self, content: bytes, media_type: str) -> None:
        self._content = content
        self._media_type = media_type
        self._headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "Cache-Control": "no-cache",
        }

    def __len__(self) -> int:
        """Returns the size of the file in bytes."""
        return len(self._content)

    def answer(self, request: Request) -> Response:
        """Makes the answer to a request for it."""
        if has_etag(request, self._headers["ETag"]):
            return Response(status_code=304, headers=self._headers)
        return Response(self._content, headers=self._headers, media_type=self._media_type)


class ContentCache:
    """Contents that were made for earlier requests. Several threads may use it.

    Args:
        most_bytes: The largest size of all contents together, in bytes. Those that were not
            asked for longest are dropped.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._contents: collections.OrderedDict[Hashable, Content] = collections.OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Content | None:
        """Returns the content that was added with a key; None if it was dropped or never added."""
        with self._lock:
            if key in self._contents:
                self._contents.move_to_end(key)
            return self._contents.get(key)

    def add(self, key: Hashable, content: Content) -> None:
        """Adds a content."""
        with self._lock:
            if key in self._contents:
                self._bytes -= len(self._contents.pop(key))
            self._contents[key] = content
            self._bytes += len(content)
            while self._bytes > self._most_bytes:
                _, dropped = self._contents.popitem(last=False)
                self._bytes -= len(dropped)
