"""Gathers what the page of a version shows."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

from hubmodule._plain_errors import FactsError, HandleNotFoundError, HubError
from hubmodule.hosting import links, readmes
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.markdown import render_markdown
from hubmodule.hosting.names import FACTS, ModuleName
from hubmodule.hosting.records import VersionRecord, read_record
from hubmodule.inspection import usage
from hubmodule.inspection.compatibility import find_incompatibilities
from hubmodule.inspection.differences import ModuleDifferences
from hubmodule.inspection.fact_differences import compare_facts
from hubmodule.inspection.facts import Usage
from hubmodule.inspection.markup import Markup

logger = logging.getLogger("hubmodule")


@dataclasses.dataclass(frozen=True)
class Step:
    """What changed between a version and the one before it.

    Attributes:
        before: The number of the earlier version.
        differences: The differences; None if the facts of the earlier version are damaged.
    """

    before: int
    differences: ModuleDifferences | None


@dataclasses.dataclass(frozen=True)
class Successor:
    """The newest version, on the page of an older one.

    Attributes:
        version: Its number.
        incompatible: Why it cannot replace the older version for programs that call it, a
            sentence each; empty if it can. None if that is not known.
    """

    version: int
    incompatible: tuple[str, ...] | None


@dataclasses.dataclass(frozen=True)
class ModulePage:
    """What the page of a version shows.

    Attributes:
        name: The name of the module.
        version: The number of the version.
        versions: The numbers of all versions, the newest first.
        handle: The handle of the version.
        record: The content of facts.json; None if it is damaged.
        damage: Why facts.json cannot be read; "" if it can.
        summary: One sentence that says what the module is for; "" if it has no README.
        readme: The README as HTML; None if there is none.
        usages: Code to paste for each way to use the module.
        step: What changed since the version before; None if there is none.
        successor: The newest version; None if this is the newest one.
    """

    name: ModuleName
    version: int
    versions: Sequence[int]
    handle: str
    record: VersionRecord | None
    damage: str
    summary: str
    readme: Markup | None
    usages: tuple[Usage, ...]
    step: Step | None
    successor: Successor | None


def gather_module_page(
    hub: HubDirectory, name: ModuleName, version: int, base_url: str
) -> ModulePage:
    """Gathers what the page of a version shows.

    Args:
        hub: The hub.
        name: The name of the module.
        version: The number of the version.
        base_url: The address of the hub, for the code to paste.

    Raises:
        HandleNotFoundError: If the hub lacks this version.
    """
    readme = hub.read_readme(name, version)
    versions = hub.list_versions(name)
    handle = links.get_handle(base_url, name, version)
    record, damage = _read(hub, name, version)
    return ModulePage(
        name=name,
        version=version,
        versions=versions[::-1],
        handle=handle,
        record=record,
        damage=damage,
        summary=readmes.find_summary(readme or ""),
        readme=_render_readme(hub, name, version, readme),
        usages=_write_usages(handle, record) if record else (),
        step=_compare_with_earlier(hub, name, version, versions, record),
        successor=_compare_with_newest(hub, name, version, versions, record),
    )


def _read(hub: HubDirectory, name: ModuleName, version: int) -> tuple[VersionRecord | None, str]:
    """Reads the facts of a version; returns None and the reason if they are damaged."""
    try:
        return read_record(hub.read_facts(name, version), FACTS), ""
    except FactsError as error:
        return None, f"Its facts cannot be read: {error}"
    except HubError as error:
        logger.warning("%s/%s: %s", name, version, error)
        # The error names the directory of the hub, which is not for everybody.
        return None, f"Its {FACTS} is damaged, or was written by a newer hubmodule."


def _read_neighbour(hub: HubDirectory, name: ModuleName, version: int) -> VersionRecord | None:
    """Reads the facts of another version; returns None if they are damaged or gone by now."""
    try:
        return _read(hub, name, version)[0]
    except HandleNotFoundError:
        return None


def _render_readme(
    hub: HubDirectory, name: ModuleName, version: int, readme: str | None
) -> Markup | None:
    def find_picture(path: str) -> str | None:
        found = hub.picture_path(name, version, path)
        return None if found is None else links.get_picture(version, path)

    return None if readme is None else render_markdown(readme, find_picture)


def _write_usages(handle: str, record: VersionRecord) -> tuple[Usage, ...]:
    facts = record.facts
    return usage.write_usage(
        handle,
        facts.format,
        facts.variants,
        facts.calls,
        facts.common_signatures,
        facts.foreign_ops,
    )


def _compare_with_earlier(
    hub: HubDirectory,
    name: ModuleName,
    version: int,
    versions: Sequence[int],
    record: VersionRecord | None,
) -> Step | None:
    earlier = [number for number in versions if number < version]
    if not earlier or record is None:
        return None
    before = _read_neighbour(hub, name, earlier[-1])
    differences = None if before is None else compare_facts(before.facts, record.facts)
    return Step(earlier[-1], differences)


def _compare_with_newest(
    hub: HubDirectory,
    name: ModuleName,
    version: int,
    versions: Sequence[int],
    record: VersionRecord | None,
) -> Successor | None:
    if not versions or version >= versions[-1]:
        return None
    newest = _read_neighbour(hub, name, versions[-1])
    if newest is None or record is None:
        return Successor(versions[-1], None)
    return Successor(versions[-1], find_incompatibilities(record.facts, newest.facts))
