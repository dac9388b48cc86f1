"""Sends whole files from the kernel to the client, in a thread that pages do not wait for.

uvicorn hands the body of an answer through Python in pieces, on the thread that answers all
requests. os.sendfile() is twice as fast for many downloads at once, and pages are answered
meanwhile. One thread sends the files of all clients: with a thread for each of them, those that
answer requests would have to wait for a processor behind them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import sys
import threading
from typing import Any, BinaryIO

import anyio
import h11
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "hubmodule.connection"
_HAS_SENDFILE = sys.platform == "linux"
_PIECE = 256 << 10  # bytes
# Of one client, before it is the turn of the next one.
_AT_ONCE = 2 << 20  # bytes
# A client that takes nothing for so long has gone, or keeps a connection on purpose.
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

    def send_400_response(self, msg: str) -> None:
        """Answers a request that breaks the rules of HTTP."""
        if self.cycle is not None:
            # If the fault is in the body, the application has the request already. A second
            # answer would be an error, with a traceback in the log.
            self.cycle.disconnected = True
        super().send_400_response(msg)


class SendingThread:
    """A thread that sends files to all clients, to each as fast as the client takes it."""

    def __init__(self) -> None:
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name="sending", daemon=True)

    def __enter__(self) -> SendingThread:
        """Starts the thread."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the thread, and the connections on which it is sending."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def send(self, client: socket.socket, file: BinaryIO, part: range) -> None:
        """Sends a file in the thread.

        Args:
            client: The connection, which is closed at the end.
            file: The file, which is closed at the end.
            part: Offsets of the bytes to send.

        Raises:
            OSError: If the client has gone, takes nothing for a minute, or the file is shorter.
        """
        sending = asyncio.run_coroutine_threadsafe(_send_file(client, file, part), self._loop)
        await asyncio.wrap_future(sending)

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(_cancel_other_tasks())
        self._loop.close()


async def _cancel_other_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _send_file(client: socket.socket, file: BinaryIO, part: range) -> None:
    with client, file:
        try:
            await _send_pieces(client, file, part)
        except BaseException:
            with contextlib.suppress(OSError):  # the client has gone
                # A reset, which a client sees that reads nothing; an end would wait behind the
                # bytes that it does not take.
                reset = struct.pack("ii", 1, 0)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            raise


async def _send_pieces(client: socket.socket, file: BinaryIO, part: range) -> None:
    offset = part.start
    while offset < part.stop:
        try:
            count = min(_AT_ONCE, part.stop - offset)
            sent = os.sendfile(client.fileno(), file.fileno(), offset, count)
        except BlockingIOError:
            await _wait_until_writable(client)
            continue
        if not sent:
            raise OSError("The file is shorter than it was")
        offset += sent
        await asyncio.sleep(0)  # the turn of the next client


async def _wait_until_writable(client: socket.socket) -> None:
    """Waits until a client takes bytes.

    Raises:
        TimeoutError: If it takes nothing for too long.
    """
    loop = asyncio.get_running_loop()
    is_writable = asyncio.Event()
    loop.add_writer(client.fileno(), is_writable.set)
    try:
        await asyncio.wait_for(is_writable.wait(), _LONGEST_PAUSE)
    except asyncio.TimeoutError as error:  # another class than TimeoutError before Python 3.11
        raise TimeoutError("The client takes nothing") from error
    finally:
        loop.remove_writer(client.fileno())


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

    async def send_file(self, file: BinaryIO, part: range, thread: SendingThread) -> None:
        """Sends a part of a file as the body of the answer whose head was sent.

        Args:
            file: The file.
            part: Offsets of the bytes to send.
            thread: Sends it.

        Raises:
            OSError: If the client has gone, takes nothing for a minute, or the file is shorter.
        """
        try:
            # h11 counts the bytes, and would copy them.
            placeholder: Any = _Placeholder(len(part))
            self._state.send_with_data_passthrough(h11.Data(data=placeholder))
            # If the connection is closed meanwhile, its number may become that of another one;
            # the same is true of the file. So the thread gets descriptors of its own.
            client = socket.socket(fileno=os.dup(self._get_socket().fileno()))
            await thread.send(client, os.fdopen(os.dup(file.fileno()), "rb", 0), part)
        except BaseException:
            # A part may have been sent, so that no other answer can follow.
            self._transport.abort()
            raise

    def _get_socket(self) -> socket.socket:
        return self._transport.get_extra_info("socket")


class _Placeholder:
    """Stands for bytes that are not in memory, of which h11 needs the number only."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


class FileSender:
    """An ASGI application for one answer: a file, or a part of it.

    Args:
        file: The file, which is closed when it is sent.
        part: Offsets of the bytes to send.
        status: Status of the answer.
        headers: Headers of the answer, without Content-Length.
        thread: Sends it, where the system can do that.
    """

    def __init__(
        self,
        file: BinaryIO,
        part: range,
        status: int,
        headers: dict[str, str],
        thread: SendingThread,
    ) -> None:
        self._file = file
        self._part = part
        self._status = status
        self._headers = {**headers, "Content-Length": str(len(part))}
        self._thread = thread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the file."""
        with self._file:
            raw = Headers(self._headers).raw
            await send({"type": "http.response.start", "status": self._status, "headers": raw})
            connection = scope.get("extensions", {}).get(_EXTENSION)
            if scope["method"] == "HEAD":
                await send(_END)
            elif connection and connection.is_ready():
                await self._send_from_kernel(connection, receive, send)
            else:
                await self._send_pieces(send)

    async def _send_from_kernel(self, connection: Connection, receive: Receive, send: Send) -> None:
        try:
            await connection.send_file(self._file, self._part, self._thread)
        except OSError:
            # The connection is closed; the server waits for an answer until it knows.
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await send(_END)

    async def _send_pieces(self, send: Send) -> None:
        file = anyio.wrap_file(self._file)
        await file.seek(self._part.start)
        left = len(self._part)
        while piece := await file.read(min(_PIECE, left)):
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send(_END)


_END: Message = {"type": "http.response.body", "body": b"", "more_body": False}
