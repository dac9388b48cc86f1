"""Resolving the handle of a module that a server on loopback has as a .tar.gz of 128 MB."""

from __future__ import annotations

import contextlib
import functools
import http.server
import importlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "download of 128 MB as `.tar.gz`"
MODULES = ["archive"]
TARGETS = [TimesLess(1)]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Downloads it into a new cache."""
    hub = importlib.import_module(library)
    resolve = hub.resolve  # a lazy name is looked up once
    with tempfile.TemporaryDirectory(dir=folder) as cache, _serve(folder) as address:
        os.environ["TFHUB_CACHE_DIR"] = cache
        os.sync()
        with measurement():
            resolve(f"{address}/archive")


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the files of a directory without a log."""

    def log_message(self, *arguments: object) -> None:
        """Writes no log."""


@contextlib.contextmanager
def _serve(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
