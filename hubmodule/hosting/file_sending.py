"""Sends whole files from the kernel to the client, in threads that pages do not wait for.

uvicorn hands the body of an answer through Python in pieces, on one thread for all clients. With
os.sendfile() many downloads at once are twice as fast, and pages are answered meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import anyio
import h11
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "hubmodule.connection"
# The timeout of a socket has this form on Linux.
_HAS_SENDFILE = sys.platform == "linux"
_MOST_THREADS = 256
_PIECE = 256 << 10  # bytes
_AT_ONCE = 1 << 30  # bytes
# A client that takes nothing for so long has gone, or keeps a thread on purpose.
_LONGEST_PAUSE = 60.0  # seconds


class FileSendingProtocol(H11Protocol):
    """uvicorn's protocol, which also lets the application send a file on the connection."""

    app: Any

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begins a connection."""
        super().connection_made(transport)
        # uvicorn writes the head and the body of an answer one after the other; without this, the
        # body would wait for 40 ms until the client has acknowledged the head.
        client = transport.get_extra_info("socket")
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        app = self.app
        connection = Connection(transport, self.conn)

        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                scope.setdefault("extensions", {})[_EXTENSION] = connection
            await app(scope, receive, send)

        self.app = call


class SendingThreads:
    """Threads that send files, each of which has one connection."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(_MOST_THREADS, "sending", _lower_priority)
        self._in_use = 0

    def are_available(self) -> bool:
        """Whether a thread is free; further downloads share the loop."""
        return self._in_use < _MOST_THREADS

    async def run(self, function: Callable[[], None]) -> None:
        """Runs a function in a thread."""
        self._in_use += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, function)
        finally:
            self._in_use -= 1


def _lower_priority() -> None:
    """Lets the thread that answers requests run before this one."""
    if sys.platform == "linux":  # elsewhere it would be that of the process
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + 10)


class Connection:
    """A connection to a client, on which a file can be sent.

    Args:
        transport: The connection.
        state: The state of the protocol on it.
    """

    def __init__(self, transport: asyncio.Transport, state: h11.Connection) -> None:
        self._transport = transport
        self._state = state

    def is_ready(self) -> bool:
        """Whether a file may be sent now: nothing that was written before is left to be sent."""
        is_flushed = not self._transport.get_write_buffer_size()
        return _HAS_SENDFILE and is_flushed and not self._transport.is_closing()

    async def send_file(self, file: BinaryIO, size: int, threads: SendingThreads) -> None:
        """Sends a file as the body of the answer whose head was sent.

        Args:
            file: The file, which is sent from its beginning.
            size: How many bytes to send.
            threads: Send it.

        Raises:
            OSError: if the client has gone, takes nothing for a minute, or the file is shorter.
        """
        try:
            # h11 counts the bytes, and would copy them.
            placeholder: Any = _Placeholder(size)
            self._state.send_with_data_passthrough(h11.Data(data=placeholder))
            await self._send(file, size, threads)
        except BaseException:
            # A part may have been sent, so that no other answer can follow.
            self._transport.abort()
            raise

    async def _send(self, file: BinaryIO, size: int, threads: SendingThreads) -> None:
        # The loop may close its own descriptor, whose number another connection may then get.
        number = os.dup(self._transport.get_extra_info("socket").fileno())
        with socket.socket(fileno=number) as client:
            sending = _Sending(client, file.fileno(), size)
            try:
                await threads.run(sending.run)
            except BaseException:
                sending.stop()
                raise


class _Placeholder:
    """Stands for bytes that are not in memory, of which h11 needs the number only."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


class _Sending:
    """Sends a file in a thread.

    Args:
        client: The connection.
        file: Descriptor of the file.
        size: How many bytes to send.
    """

    def __init__(self, client: socket.socket, file: int, size: int) -> None:
        self._client = client
        self._file = file
        self._size = size
        self._has_begun = False
        self._has_ended = threading.Event()

    def run(self) -> None:
        """Sends the file."""
        self._has_begun = True
        try:
            self._send()
        finally:
            self._has_ended.set()

    def stop(self) -> None:
        """Ends the thread if it is running, as when the server stops."""
        with contextlib.suppress(OSError):  # the client was faster
            # A reset, which a client sees that reads nothing; an end would wait behind the rest.
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._client.shutdown(socket.SHUT_RDWR)
        if self._has_begun:
            self._has_ended.wait()

    def _send(self) -> None:
        # The thread waits in the kernel, and so does not compete for the interpreter. The loop
        # reads from the connection only when there is something to read, and writes nothing.
        self._client.setblocking(True)
        pause = struct.pack("ll", *divmod(int(1e6 * _LONGEST_PAUSE), 1_000_000))
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, pause)
        offset = 0
        while offset < self._size:
            count = min(_AT_ONCE, self._size - offset)
            sent = os.sendfile(self._client.fileno(), self._file, offset, count)
            if not sent:
                raise OSError("The file is shorter than it was")
            offset += sent
        self._client.setblocking(False)


class FileSender:
    """An ASGI application for one answer: a whole file.

    Args:
        file: The file, which is closed when it is sent.
        headers: Headers of the answer, with Content-Length.
        threads: Send it, if they are not all in use.
    """

    def __init__(self, file: BinaryIO, headers: dict[str, str], threads: SendingThreads) -> None:
        self._file = file
        self._headers = headers
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the file."""
        with self._file:
            raw = Headers(self._headers).raw
            await send({"type": "http.response.start", "status": 200, "headers": raw})
            connection = scope.get("extensions", {}).get(_EXTENSION)
            if scope["method"] == "HEAD":
                await send(_END)
            elif connection and self._threads.are_available() and connection.is_ready():
                await self._send_from_kernel(connection, receive, send)
            else:
                await self._send_pieces(send)

    async def _send_from_kernel(self, connection: Connection, receive: Receive, send: Send) -> None:
        size = int(self._headers["Content-Length"])
        try:
            await connection.send_file(self._file, size, self._threads)
        except OSError:
            # The connection is closed; the server waits for an answer until it knows.
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await send(_END)

    async def _send_pieces(self, send: Send) -> None:
        file = anyio.wrap_file(self._file)
        while piece := await file.read(_PIECE):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send(_END)


_END: Message = {"type": "http.response.body", "body": b"", "more_body": False}
