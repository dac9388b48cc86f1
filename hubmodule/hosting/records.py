"""The contents of facts.json and index.json as dataclasses; both files may be damaged."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from hubmodule._plain_errors import FactsError, InvalidHandleError
from hubmodule.hosting.names import ModuleName
from hubmodule.inspection.facts import ModuleFacts
from hubmodule.inspection.facts_reader import convert_from_plain

logger = logging.getLogger("hubmodule")


@dataclasses.dataclass(frozen=True)
class Archive:
    """The archive of a version.

    Attributes:
        bytes: Its size in bytes.
        sha256: The SHA-256 digest of its content.
    """

    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class AuditFinding:
    """A finding of `hub.audit`.

    Attributes:
        level: "high", "medium" or "low".
        op: The type of the op.
        node: The name of the node.
        reason: What the op does, and the names that it uses, as sentences.
        reached_from: Phrases that say what runs the node; empty if nothing runs it.
    """

    level: str
    op: str
    node: str
    reason: str
    reached_from: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Audit:
    """The report of `hub.audit`.

    Attributes:
        findings: The findings, the worst first.
        damage: What could not be read, a sentence each.
        graphs: The number of graph variants.
        functions: The number of functions in all variants.
        nodes: The number of nodes in all variants and their functions.
    """

    findings: tuple[AuditFinding, ...]
    damage: tuple[str, ...]
    graphs: int
    functions: int
    nodes: int


@dataclasses.dataclass(frozen=True)
class VersionRecord:
    """The content of facts.json.

    Attributes:
        published: When the version was published: ISO 8601, in UTC.
        archive: Its archive.
        facts: The facts of the module.
        audit: What the audit found in it.
    """

    published: str
    archive: Archive
    facts: ModuleFacts
    audit: Audit


@dataclasses.dataclass(frozen=True)
class IndexedVersion:
    """A version in index.json.

    Attributes:
        version: The number of the version.
        published: When it was published: ISO 8601, in UTC.
        bytes: The size of its archive in bytes.
        sha256: The SHA-256 digest of its archive.
        format: The format of the module.
        signatures: The names of its signatures.
        conformance: The names of the common signatures that it fulfils.
        findings: The highest level of the findings of the audit; None if there are none.
        summary: One sentence that says what the module is for; "" if it has no README.
    """

    version: int
    published: str
    bytes: int
    sha256: str
    format: str
    signatures: tuple[str, ...]
    conformance: tuple[str, ...]
    findings: str | None
    summary: str


@dataclasses.dataclass(frozen=True)
class IndexedModule:
    """A module in index.json.

    Attributes:
        publisher: The name of its publisher.
        name: Its name.
        versions: Its versions, in ascending order.
    """

    publisher: str
    name: str
    versions: tuple[IndexedVersion, ...]

    @property
    def newest(self) -> IndexedVersion:
        """The version with the highest number."""
        return self.versions[-1]


def read_record(value: object, name: str) -> VersionRecord:
    """Reads the content of facts.json.

    Args:
        value: What json.loads() returns for the file.
        name: What the value is called in errors, e.g. its path.

    Raises:
        FactsError: If it is damaged, or has a later layout.
    """
    return convert_from_plain(VersionRecord, value, name)


def read_modules(index: Mapping[str, Any]) -> list[IndexedModule]:
    """Reads the modules in index.json; leaves out those whose entries are damaged.

    Args:
        index: What json.loads() returns for the file.

    Returns:
        The modules that have a version, in their order.
    """
    return [module for entry in _list_entries(index) if (module := _read_module(entry))]


def find_module(index: Mapping[str, Any], name: ModuleName) -> IndexedModule | None:
    """Finds a module in index.json.

    Args:
        index: What json.loads() returns for the file.
        name: The name of the module.

    Returns:
        The module; None if it is not there, or its entry is damaged.
    """
    wanted = (name.publisher, name.name)
    for entry in _list_entries(index):
        if isinstance(entry, dict) and (entry.get("publisher"), entry.get("name")) == wanted:
            return _read_module(entry)
    return None


def _list_entries(index: Mapping[str, Any]) -> list[object]:
    entries = index.get("modules")
    return entries if isinstance(entries, list) else []


def _read_module(entry: object) -> IndexedModule | None:
    """Reads a module; returns None if its entry is damaged or has no versions."""
    try:
        module = convert_from_plain(IndexedModule, entry, "a module of the index")
        ModuleName(module.publisher, module.name)  # which becomes part of addresses
    except (FactsError, InvalidHandleError) as error:
        logger.warning("A module is left out of the pages: %s", error)
        return None
    return module if module.versions else None
