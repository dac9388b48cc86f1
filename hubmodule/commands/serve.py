"""hubmodule serve: serves the pages and the archives of a hub."""

from __future__ import annotations

import argparse
import re

from hubmodule.commands.command import Command

_DEFAULT_PORT = 8501
_PREFIX = re.compile(r"[A-Za-z0-9_.~/-]*")


def _add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("hub", metavar="HUB", help="the directory of the hub")
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port",
        type=_parse_port,
        default=_DEFAULT_PORT,
        help=f"the port to listen at (default: {_DEFAULT_PORT}); 0 takes a free one",
    )
    parser.add_argument(
        "--prefix",
        metavar="PATH",
        type=_parse_prefix,
        default="",
        help="the path at which a proxy shows the hub and that it removes from requests, e.g. /hub",
    )


def _parse_port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not between 0 and 65535")
    return port


def _parse_prefix(text: str) -> str:
    path = text.strip("/")
    if not _PREFIX.fullmatch(path):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a path of letters, digits, '_', '-', '.', '~' and '/', such as /hub"
        )
    return f"/{path}" if path else ""


def _serve(parsed: argparse.Namespace) -> int:
    from hubmodule.hosting.serving import serve

    serve(parsed.hub, parsed.host, parsed.port, parsed.prefix)
    return 0


SERVE = Command(
    "serve",
    "Serve a hub: pages for people, and modules for tensorflow_hub and hubmodule.",
    _add_serve_arguments,
    _serve,
)
