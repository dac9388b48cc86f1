"""hubmodule serve: runs the web application of a hub until it is told to stop."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hubmodule._plain_errors import ServerAddressError
from hubmodule.hosting.extras import check_extra
from hubmodule.hosting.hub_directory import HubDirectory

if TYPE_CHECKING:
    import os

    import uvicorn

    from hubmodule.hosting.web_app import Pages

_WAITING = 2048  # connections that are not accepted yet
_LONGEST_PATH = 200  # characters, in the log
# A download that takes longer is cut when the server stops; clients go on where it was.
_LAST_SECONDS = 10
_SHOWN_QUERIES = ("tf-hub-format=compressed", "tf-hub-format=uncompressed")


def serve(
    hub: str | os.PathLike[str], host: str = "127.0.0.1", port: int = 8501, prefix: str = ""
) -> None:
    """Serves a hub until the process gets SIGTERM or SIGINT; prints its address.

    Args:
        hub: Path of the directory of the hub.
        host: Name or address to listen at.
        port: Port to listen at; 0 takes a free one.
        prefix: The path at which clients find the hub, if a proxy removes it from the addresses
            of requests, e.g. "/hub".

    Raises:
        ExtraMissingError: If Starlette, uvicorn or what the pages need is not installed.
        HandleNotFoundError: If the directory does not exist.
        HubError: If it cannot be read.
        ServerAddressError: If the address is in use, or not one of this machine.
    """
    check_extra("serve", "starlette", "uvicorn", "jinja2", "markdown_it")
    directory = HubDirectory(hub)
    directory.check_readable()
    import hubmodule.hosting.page_renderer as page_renderer

    with listen(host, port) as listener, _ignore_captured_signals():
        _configure_logs()
        server = make_server(directory, page_renderer, prefix)
        print(f"Serving {directory.path} at {_get_address(listener)}", flush=True)
        server.run(sockets=[listener])


def make_server(hub: HubDirectory, pages: Pages, prefix: str = "") -> uvicorn.Server:
    """Makes the server of a hub, to be run with a socket that listens.

    Args:
        hub: The hub.
        pages: Makes its pages.
        prefix: The path at which clients find the hub, if a proxy removes it from requests.
    """
    import uvicorn

    from hubmodule.hosting.file_sending import FileSendingProtocol
    from hubmodule.hosting.request_guard import LONGEST_HEADERS
    from hubmodule.hosting.web_app import make_app

    config = uvicorn.Config(
        make_app(hub, pages, prefix=prefix),
        # Of uvicorn's parsers the one that is everywhere, and strict.
        http=FileSendingProtocol,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
        ws="none",
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=_LAST_SECONDS,
        log_config=None,
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Listens at an address while the block runs.

    Raises:
        ServerAddressError: If that is not possible.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=_WAITING)
    except OSError as error:
        # socket.create_server() adds the address to the text.
        reason = str(error.strerror).partition(" (while ")[0]
        raise ServerAddressError(
            f"Cannot listen at {host}, port {port}: {reason}. Choose another address with --host "
            "and --port, or end what listens there."
        ) from error
    with listener:
        yield listener


def _get_address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@contextlib.contextmanager
def _ignore_captured_signals() -> Iterator[None]:
    """Keeps the process alive when uvicorn raises the signal that stopped it again."""
    previous = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _configure_logs() -> None:
    """Sends the access log and errors to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (
        ("uvicorn.access", logging.INFO),
        ("uvicorn.error", logging.WARNING),
        ("hubmodule", logging.INFO),
    ):
        log = logging.getLogger(name)
        log.handlers[:] = [handler]
        log.setLevel(level)
        log.propagate = False
    logging.getLogger("uvicorn.access").addFilter(shorten_target)


def shorten_target(record: logging.LogRecord) -> bool:
    """Shortens a line of the access log: queries may hold secrets, and paths be very long."""
    arguments: Any = record.args
    if isinstance(arguments, tuple) and len(arguments) == 5:
        client, method, target, *rest = arguments
        path, mark, query = str(target).partition("?")
        shown = f"?{query}" if query in _SHOWN_QUERIES else "?…" if mark else ""
        short = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"
        record.args = (client, method, f"{short}{shown}", *rest)
    return True
