"""Measures `hubmodule serve` under load, beside nginx with the same file.

    python -m benchmarks.hub_load [--module DIRECTORY] [--clients 64] [--megabytes 256]

All on loopback: 64 clients fetch an archive of 256 MB once each, from the server and from nginx
(if it is installed), then again from the server while another process asks for pages of a hub
with 1,000 modules. Prints the throughput, the peak memory of the server, and percentiles of the
times of page requests. Ends with status 1 if a download fails or is incomplete. Needs 300 MB in
the directory for temporary files.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import json
import multiprocessing
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_MODULE = ROOT / "tests" / "golden" / "made_by_tf215" / "sentences"
MODULES = 1000
LARGE = "load/large/1"
TIMEOUT = 300  # seconds without a byte, after which a download has failed
PIECE = 1 << 20  # bytes

NGINX = """\
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  server {{
    listen 127.0.0.1:{port};
    root {hub};
  }}
}}
"""


def make_hub(directory: Path, module: Path, megabytes: int) -> Path:
    """Publishes a module, and copies it under other names; one gets a large archive."""
    from hubmodule.hosting import publish
    from hubmodule.hosting.hub_directory import HubDirectory

    hub = directory / "hub"
    publish(module, hub, LARGE)
    version = hub / LARGE
    text = (version / "facts.json").read_text()
    for number in range(MODULES - 1):
        handle = f"team{number % 10}/module{number}/1"
        copy = hub / handle
        copy.mkdir(parents=True)
        (copy / "facts.json").write_text(text.replace(LARGE, handle))
        shutil.copy(version / "module.tar.gz", copy)
    _write_archive(version, megabytes)
    HubDirectory(hub).rebuild_index()
    return hub


def _write_archive(version: Path, megabytes: int) -> None:
    digest = hashlib.sha256()
    with open(version / "module.tar.gz", "wb") as file:
        for _ in range(megabytes):
            piece = os.urandom(1_000_000)
            digest.update(piece)
            file.write(piece)
    facts = json.loads((version / "facts.json").read_text())
    facts["archive"] = {"bytes": megabytes * 1_000_000, "sha256": digest.hexdigest()}
    (version / "facts.json").write_text(json.dumps(facts))


@contextlib.contextmanager
def run_server(hub: Path) -> Iterator[tuple[int, int]]:
    """Runs `hubmodule serve`; yields its port and process id."""
    command = [sys.executable, "-m", "hubmodule", "serve", str(hub), "--port", "0"]
    with (
        open(hub.parent / "serve.log", "w") as log,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            address = re.search(r":(\d+)/$", process.stdout.readline())
            if address is None:
                raise SystemExit(f"The server does not start; see {log.name}")
            yield int(address[1]), process.pid
        finally:
            process.terminate()


@contextlib.contextmanager
def run_nginx(hub: Path) -> Iterator[int]:
    """Runs nginx on the directory of a hub; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    configuration = hub.parent / "nginx.conf"
    configuration.write_text(NGINX.format(directory=hub.parent, port=port, hub=hub))
    # Its worker must be able to read the hub.
    command = ["nginx", "-p", str(hub.parent), "-c", str(configuration), "-g", "user root;"]
    with subprocess.Popen(command) as process:
        try:
            _wait_until_it_listens(port)
            yield port
        finally:
            process.terminate()


def _wait_until_it_listens(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise SystemExit("nginx does not start")


def download(port: int, path: str, results: list[int]) -> None:
    """Downloads a path, and adds how many bytes of the body came."""
    received = 0
    buffer = bytearray(PIECE)
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection,
    ):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            if not (piece := connection.recv(4096)):
                break
            head += piece
        head, _, body = head.partition(b"\r\n\r\n")
        received = len(body) if b" 200 " in head.partition(b"\r\n")[0] else -sys.maxsize
        while size := connection.recv_into(buffer):
            received += size
    results.append(received)


def download_often(port: int, path: str, clients: int, wanted: int, queue: Queue[Any]) -> None:
    """Downloads a path by several clients at once; reports the seconds, and how many failed."""
    # Clients have processors of their own; here they must not take the server's.
    os.nice(10)
    results: list[int] = []
    threads = [
        threading.Thread(target=download, args=(port, path, results)) for _ in range(clients)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put((time.perf_counter() - started, sum(size != wanted for size in results)))


def ask_for_pages(port: int, paths: Sequence[str], ended: Event, queue: Queue[Any]) -> None:
    """Asks for pages, one after the other, until told to end; reports the seconds of each."""
    seconds = []
    choose = random.Random(0)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    with contextlib.closing(connection):
        while not ended.is_set():
            started = time.perf_counter()
            connection.request("GET", choose.choice(paths))
            response = connection.getresponse()
            response.read()
            seconds.append(time.perf_counter() - started)
            if response.status != 200:
                raise SystemExit(f"A page answers {response.status}")
    queue.put(seconds)


def measure_downloads(port: int, path: str, clients: int, wanted: int) -> tuple[float, int]:
    """Returns the gigabytes per second of all clients together, and how many failed."""
    queue: Queue[Any] = multiprocessing.Queue()
    arguments = (port, path, clients, wanted, queue)
    process = multiprocessing.Process(target=download_often, args=arguments)
    process.start()
    seconds, failures = queue.get()
    process.join()
    return clients * wanted / seconds / 1e9, failures


def measure_pages(
    port: int, paths: Sequence[str], clients: int, wanted: int
) -> tuple[list[float], int]:
    """Returns the milliseconds of page requests while clients download, and how many failed."""
    queue: Queue[Any] = multiprocessing.Queue()
    ended = multiprocessing.Event()
    process = multiprocessing.Process(target=ask_for_pages, args=(port, paths, ended, queue))
    process.start()
    _, failures = measure_downloads(port, f"/{LARGE}/module.tar.gz", clients, wanted)
    ended.set()
    seconds = queue.get()
    process.join()
    return [1000 * value for value in seconds], failures


def measure_idle_pages(port: int, paths: Sequence[str], seconds: float = 5.0) -> list[float]:
    """Returns the milliseconds of page requests while nothing else is asked for."""
    queue: Queue[Any] = multiprocessing.Queue()
    ended = multiprocessing.Event()
    process = multiprocessing.Process(target=ask_for_pages, args=(port, paths, ended, queue))
    process.start()
    time.sleep(seconds)
    ended.set()
    times = queue.get()
    process.join()
    return [1000 * value for value in times]


def read_peak_memory(process: int) -> float:
    """Returns the largest resident memory that a process had, in megabytes (Linux only)."""
    status = Path(f"/proc/{process}/status").read_text()
    kilobytes = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(kilobytes[1]) * 1024 / 1e6 if kilobytes else float("nan")


def main() -> int:
    """Prints the figures; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--module", type=Path, default=DEFAULT_MODULE)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--megabytes", type=int, default=256)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    wanted = options.megabytes * 1_000_000
    failed = 0
    with tempfile.TemporaryDirectory(prefix="hub-load-") as directory:
        hub = make_hub(Path(directory), options.module, options.megabytes)
        paths = [
            "/",
            *(f"/{path.parent.relative_to(hub)}" for path in hub.glob("*/*/1/facts.json")),
        ]
        print(f"{options.clients} clients, {options.megabytes} MB each, {MODULES} modules")
        with run_server(hub) as (port, process):
            query = f"/{LARGE}?tf-hub-format=compressed"
            speed, failures = measure_downloads(port, query, options.clients, wanted)
            failed += failures
            print(f"serve: {speed:.2f} GB/s, {failures} failed, {read_peak_memory(process):.0f} MB")
        if shutil.which("nginx"):
            with run_nginx(hub) as nginx_port:
                path = f"/{LARGE}/module.tar.gz"
                other, failures = measure_downloads(nginx_port, path, options.clients, wanted)
            print(
                f"nginx: {other:.2f} GB/s, {failures} failed; serve has {speed / other:.2f} of it"
            )
        with run_server(hub) as (port, process):
            _print_times("pages without downloads", measure_idle_pages(port, paths))
        with run_server(hub) as (port, process):
            times, failures = measure_pages(port, paths, options.clients, wanted)
            failed += failures
            _print_times(f"pages while downloads run ({failures} failed)", times)
            print(f"memory after pages and downloads: {read_peak_memory(process):.0f} MB")
    return 1 if failed else 0


def _print_times(what: str, times: Sequence[float]) -> None:
    percentiles = statistics.quantiles(times, n=100)
    print(
        f"{what}: {len(times)} requests, median {percentiles[49]:.1f} ms, 99th percentile "
        f"{percentiles[98]:.1f} ms, longest {max(times):.1f} ms",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
