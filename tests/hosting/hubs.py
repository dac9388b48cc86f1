"""Hubs for the tests, whose files are written by hand: no TensorFlow is needed to make one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from hubmodule.file_systems import find_file_system
from hubmodule.hosting.hub_directory import HubDirectory


def make_facts(
    handle: str,
    archive: bytes = b"archive",
    signatures: tuple[str, ...] = ("default",),
    levels: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """Makes a facts.json with the parts of the facts that the hub itself reads."""
    return {
        "schema": 1,
        "handle": handle,
        "published": "2026-01-31T12:00:00+00:00",
        "archive": {"bytes": len(archive), "sha256": hashlib.sha256(archive).hexdigest()},
        "facts": {
            "format": "TF1 Hub format",
            "variants": [{"signatures": [{"name": name} for name in signatures]}],
            "common_signatures": [
                {"name": "text feature vector", "fulfilled": True},
                {"name": "image classification", "fulfilled": False},
            ],
        },
        "audit": {"findings": [{"level": level} for level in levels]},
        "readme": False,
        **more,
    }


def add_version(
    hub: HubDirectory | str, handle: str, archive: bytes = b"archive", readme: str = "", **more: Any
) -> str:
    """Writes a version by hand; returns the path of its directory."""
    root = hub.path if isinstance(hub, HubDirectory) else str(hub)
    file_system, root = find_file_system(root)
    directory = f"{root}/{handle}"
    file_system.make_directory(directory)
    file_system.write(f"{directory}/module.tar.gz", archive)
    if readme:
        file_system.write(f"{directory}/README.md", readme.encode())
    facts = make_facts(handle, archive, **{"readme": bool(readme), **more})
    file_system.write(f"{directory}/facts.json", json.dumps(facts).encode())
    return directory


class UncheckedModule:
    """Stands in for a CheckedModule where a test is not about the module."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def describe(self, handle: str) -> dict[str, Any]:
        facts = make_facts(handle)
        return {"facts": facts["facts"], "audit": facts["audit"]}
