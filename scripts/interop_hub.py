"""Checks that tensorflow_hub loads modules from a hub: from `hubmodule serve` and from nginx.

    python -m scripts.interop_hub [--python 'hub 0.12=PATH']

Publishes a module, serves it on loopback, by nginx with the rules of docs/hosting.md, and lets
each library resolve and load it into a cache of its own; all must get the same result. Also fills
a cache through a mirror of https://tfhub.dev/, from which each library loads that handle. `make
interop` makes the environments first. Exits with status 1 if a check fails; without nginx, its
checks are skipped.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.interop import PEERS, ROOT, Side, choose_sides
from scripts.interop_cache import start, wait_for_result

NEWEST = Side("hub 0.16", "tensorflow_hub", PEERS / "peer221" / "bin" / "python")
MODULE = ROOT / "tests" / "golden" / "made_by_tf115" / "dense_regularized"
NAME = "team/dense"
TFHUB_DEV = "https://tfhub.dev/"
PAGE = ROOT / "docs" / "hosting.md"
ATTEMPTS = 100  # of 50 ms each, until nginx listens

# Prints what is in the directory, and the sum of the outputs for inputs of ones.
LOAD = """
import os, sys
import {library} as hub, tensorflow as tf
handle = sys.argv[1]
path = hub.resolve(handle)
if tf.__version__.startswith("1."):
    module = hub.Module(handle)
    (info,) = module.get_input_info_dict().values()
    total = tf.reduce_sum(module(tf.ones([2, info.get_shape()[1]])))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        total = session.run(total)
else:
    signature = hub.load(handle).signatures["default"]
    ((name, info),) = signature.structured_input_signature[1].items()
    total = tf.reduce_sum(signature(**{{name: tf.ones([2, info.shape[1]])}})["default"]).numpy()
print(sorted(os.listdir(path)), "%.5f" % total)
"""


@contextlib.contextmanager
def run_serve(hub: Path) -> Iterator[str]:
    """Runs `hubmodule serve`; yields the address of the hub."""
    command = [sys.executable, "-m", "hubmodule", "serve", str(hub), "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address is not None, "hubmodule serve does not start"
            yield address[0].rstrip("/")
        finally:
            process.terminate()


def read_rules(page: str) -> str:
    """Returns the configuration of nginx that a page of the documentation shows."""
    found = re.search(r"```nginx\n(# A hub without hubmodule serve.*?)```", page, re.DOTALL)
    assert found is not None, "the page shows no configuration"
    return found[1]


def adapt_rules(rules: str, port: int, root: Path) -> str:
    """Returns a configuration for a port of loopback and a directory."""
    rules = re.sub(r"listen [^;]+;", f"listen 127.0.0.1:{port};", rules)
    rules = re.sub(r"server_name [^;]+;", "", rules)
    rules = re.sub(r"ssl_\w+ [^;]+;", "", rules)
    return re.sub(r"root [^;]+;", f"root {root};", rules)


@contextlib.contextmanager
def run_nginx(hub: Path, directory: Path) -> Iterator[str]:
    """Runs nginx on the static site of a hub; yields its address."""
    site = directory / "site"
    command = [sys.executable, "-m", "hubmodule", "site", str(hub), str(site)]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    rules = adapt_rules(read_rules(PAGE.read_text(encoding="utf-8")), port, site)
    (directory / "nginx.conf").write_text(
        f"daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off;\n{rules}\n}}\n"
    )
    # The worker of another user could not read a temporary directory.
    user = ["-g", "user root;"] if Path("/proc/self").stat().st_uid == 0 else []
    with subprocess.Popen(
        ["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf"), *user]
    ) as process:
        try:
            _wait_until_it_listens(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_until_it_listens(port: int) -> None:
    for _ in range(ATTEMPTS):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise AssertionError("nginx does not start")


def load(side: Side, handle: str, cache: Path) -> str:
    """Lets a side load a handle into an empty cache; returns what it prints."""
    return wait_for_result(start(side, LOAD.format(library=side.library), handle, cache=cache))


def fill_cache(url: str, cache: Path) -> None:
    """Resolves the module by its handle on tfhub.dev, of which a hub is the mirror."""
    environment = {
        **os.environ,
        "HUBMODULE_MIRRORS": f"{TFHUB_DEV}={url}/",
        "TFHUB_CACHE_DIR": str(cache),
    }
    command = [sys.executable, "-m", "hubmodule", "resolve", f"{TFHUB_DEV}{NAME}/1"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def check(
    sides: Sequence[Side], server: str, url: str, directory: Path, cache: Path | None = None
) -> int:
    """Prints a line for each side; returns how many failed, or got another result than ours.

    Args:
        sides: The libraries.
        server: What serves the hub, for the lines.
        url: Address before the name of the module.
        directory: Where caches are made.
        cache: A cache that has the module already; None lets each side begin with an empty one.
    """
    handle, wanted, failures = f"{url}/{NAME}/1", "", 0
    for number, side in enumerate(sides):
        try:
            result = load(side, handle, cache or directory / f"cache-{server}-{number}")
            wanted = wanted or result
            error = "" if result == wanted else f"got {result}, not {wanted}"
        except AssertionError as failure:
            error = str(failure)
        failures += bool(error)
        print(
            f"failed: {side.name} from {server}: {error}"
            if error
            else f"ok: {side.name} from {server}"
        )
    return failures


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns 0 if no check failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--newest", type=Path, default=NEWEST.python, metavar="PATH")
    options = parser.parse_args(arguments)
    sides = choose_sides(options.python)
    sides += (Side(NEWEST.name, NEWEST.library, options.newest),)
    with tempfile.TemporaryDirectory(prefix="interop-hub-") as name:
        directory = Path(name)
        hub = directory / "hub"
        publish = [
            sys.executable,
            "-m",
            "hubmodule",
            "publish",
            str(MODULE),
            str(hub),
            "--as",
            NAME,
        ]
        subprocess.run(publish, cwd=ROOT, check=True)
        with run_serve(hub) as url:
            failures = check(sides, "serve", url, directory)
            cache = directory / "cache-mirror"
            fill_cache(url, cache)
        # No server runs any more: the handle is that of the cache.
        mirror = "a mirror of tfhub.dev"
        failures += check(sides, mirror, TFHUB_DEV.rstrip("/"), directory, cache)
        if shutil.which("nginx"):
            with run_nginx(hub, directory) as url:
                failures += check(sides, "nginx", url, directory)
        else:
            print("skipped: nginx is not installed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
