"""How long a download takes, side by side with tensorflow_hub, where that is installed.

    python benchmarks/fetch.py [--megabytes 265] [--rounds 7] [--plain]

Serves an archive of random weights on loopback. The two take turns, each in a new process
and into a new cache, and the best time of each counts: whatever else the machine does
only makes it longer.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator

import numpy as np

ROOT = pathlib.Path(__file__).parents[1]
MEGABYTE = 10**6
PROGRAM = """
import sys, time
import {library} as hub
hub.resolve  # a lazy name is looked up once
import requests
start = time.perf_counter()
hub.resolve(sys.argv[1])
print(time.perf_counter() - start)
"""


def main() -> None:
    """Prints the times of both, and how many times as fast ours is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=265, help="the size of the module")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is timed")
    parser.add_argument("--plain", action="store_true", help="a .tar instead of a .tar.gz")
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = pathlib.Path(folder, "module")
        _write_archive(archive, parsed.megabytes * MEGABYTE, "w" if parsed.plain else "w:gz")
        with _serving(archive) as url:
            _compare(url, pathlib.Path(folder), parsed.rounds)


def _compare(url: str, folder: pathlib.Path, rounds: int) -> None:
    times: dict[str, list[float]] = {"tensorflow_hub": [], "hubmodule": []}
    for turn in range(rounds):
        for library in times:
            with tempfile.TemporaryDirectory(dir=folder) as cache:
                times[library].append(_seconds(library, f"{url}/{library}{turn}", cache))
    best = {library: min(seconds) for library, seconds in times.items()}
    for library, seconds in best.items():
        print(f"{library:>15}: {seconds:.2f} s")
    print(f"{'ratio':>15}: {best['tensorflow_hub'] / best['hubmodule']:.2f}")


def _seconds(library: str, url: str, cache: str) -> float:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TFHUB_CACHE_DIR": cache,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    program = PROGRAM.format(library=library)
    out = subprocess.run(
        [sys.executable, "-c", program, url],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    return float(out.stdout)


def _write_archive(path: pathlib.Path, size: int, mode: str) -> None:
    weights = np.random.default_rng(0).standard_normal(size // 4).astype(np.float32).tobytes()
    files = {
        "saved_model.pb": weights[: MEGABYTE // 4],
        "variables/variables.index": weights[:2000],
        "variables/variables.data-00000-of-00001": weights,
    }
    with tarfile.open(path, mode) as archive:
        folder = tarfile.TarInfo("variables")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))


@contextlib.contextmanager
def _serving(path: pathlib.Path) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            self.wfile.flush()
            with path.open("rb") as file:
                self.connection.sendfile(file)

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    main()
