"""Publishes in processes that are killed at each call that changes files, one after the other.

Prints a line of JSON for each kill: what the hub held afterwards, and after publishing again. It
imports no TensorFlow, so that it can fork; the module is not checked.
"""

from __future__ import annotations

import builtins
import hashlib
import json
import os
import shutil
import signal
import sys
from typing import Any

from hubmodule.hosting import publish, publishing
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from tests.hosting.hubs import UncheckedModule

NAME = ModuleName("team", "encoder")
CHANGING = ("mkdir", "rename", "replace", "fsync", "remove", "rmdir", "unlink")


def count_calls(kill_at: int) -> None:
    """Kills this process at a call that changes files: before an even one, after an odd one."""
    calls = 0

    def wrap(function: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 2
            if calls == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*arguments, **named)
            if calls + 1 == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in CHANGING:
        setattr(os, name, wrap(getattr(os, name)))
    open_file = builtins.open
    counted = wrap(open_file)

    def open_counted(path: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        chosen = open_file if mode in ("r", "rb") else counted
        return chosen(path, mode, *arguments, **named)

    builtins.open = open_counted  # type: ignore[assignment]


def publish_and_die(module: str, hub: str, kill_at: int) -> bool:
    """Returns whether the process was killed."""
    process = os.fork()
    if process == 0:
        count_calls(kill_at)
        publish(module, hub, str(NAME), f"{module}/../README.md")
        os._exit(0)
    status = os.waitpid(process, 0)[1]
    if not os.WIFSIGNALED(status) and status:
        raise RuntimeError(f"publishing ended with {status}")
    return os.WIFSIGNALED(status)


def describe(hub: HubDirectory) -> dict[str, Any]:
    """Describes what readers find in a hub."""
    whole = []
    for version in hub.list_versions(NAME):
        archive = hub.file_system.read(hub.archive_path(NAME, version))
        digest = hub.read_facts(NAME, version)["archive"]["sha256"]
        whole.append(hashlib.sha256(archive).hexdigest() == digest)
        whole.append(version == 1 or hub.read_readme(NAME, version) == "Text.")
    return {
        "versions": hub.list_versions(NAME),
        "whole": all(whole),
        "index": [entry["version"] for entry in hub.read_index()["modules"][0]["versions"]],
    }


def main(folder: str) -> None:
    """Kills at each call until none is left."""
    publishing.check_module = lambda directory, allow: UncheckedModule(directory)  # type: ignore
    for name, text in (("first", "1"), ("second", "2")):
        os.makedirs(f"{folder}/{name}")
        with open(f"{folder}/{name}/saved_model.pb", "w") as file:
            file.write(text)
    with open(f"{folder}/README.md", "w") as file:
        file.write("Text.")
    publish(f"{folder}/first", f"{folder}/original", str(NAME))
    for kill_at in range(2, 1000):
        path = f"{folder}/hub"
        shutil.copytree(f"{folder}/original", path)
        killed = publish_and_die(f"{folder}/second", path, kill_at)
        hub = HubDirectory(path)
        after = describe(hub)
        again = publish(f"{folder}/second", path, str(NAME), f"{folder}/README.md")
        left = [name for name in hub.file_system.list_names(hub.locate_module(NAME)) if "." in name]
        print(json.dumps({"after": after, "again": again.version, **describe(hub), "left": left}))
        shutil.rmtree(path)
        if not killed:
            return


if __name__ == "__main__":
    main(sys.argv[1])
