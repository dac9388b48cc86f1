"""hub.audit: lists what the graphs of a module can do beyond computing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from hubmodule.auditing import findings
from hubmodule.auditing.findings import Finding
from hubmodule.auditing.risks import Level
from hubmodule.errors import ModuleFormatError
from hubmodule.format import module_def
from hubmodule.inspection.facts import ModuleFormat
from hubmodule.inspection.saved_model_file import (
    explain_unreadable_files,
    get_saved_model_format,
    read_saved_model,
)
from hubmodule.resolver import resolvers
from hubmodule.urls import redact

# The version of the layout of `AuditReport.to_dict`; raised when a field changes or is removed.
SCHEMA = 1


@dataclass(frozen=True, repr=False)
class AuditReport:
    """The result of an audit. An empty list of findings does not prove that the module is harmless.

    Attributes:
        handle: The handle of the module.
        path: The directory that was read.
        format: The format of the module: "TF1 Hub format", "TF1 SavedModel" or "TF2 SavedModel".
        findings: The findings, the worst first.
        damage: What could not be read, a sentence each. The unreadable parts may contain further
            findings.
        graphs: The number of graph variants.
        functions: The number of functions in all variants.
        nodes: The number of nodes in all variants and their functions.
    """

    handle: str
    path: str
    format: ModuleFormat
    findings: tuple[Finding, ...]
    damage: tuple[str, ...]
    graphs: int
    functions: int
    nodes: int

    def __repr__(self) -> str:
        counts = [
            f"{count} {level.label}"
            for level in sorted(Level, reverse=True)
            if (count := sum(finding.level is level for finding in self.findings))
        ]
        found = f"findings: {', '.join(counts)}" if counts else "no findings"
        damaged = ", damaged" if self.damage else ""
        graphs = f"{self.graphs} graph{'' if self.graphs == 1 else 's'}"
        return f"<hub.audit({self.handle!r}): {self.format.value}, {graphs}, {found}{damaged}>"

    def at_least(self, level: Level) -> tuple[Finding, ...]:
        """Returns the findings of a level and of higher levels.

        Args:
            level: The lowest level of the findings to return.
        """
        return tuple(finding for finding in self.findings if finding.level >= level)

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as values that JSON can hold; docs/auditing.md lists the fields."""
        return {
            "schema": SCHEMA,
            "handle": self.handle,
            "path": self.path,
            "format": self.format.value,
            "graphs": self.graphs,
            "functions": self.functions,
            "nodes": self.nodes,
            "findings": [_convert_to_dict(finding) for finding in self.findings],
            "damage": list(self.damage),
        }


def audit(handle: str | os.PathLike[str]) -> AuditReport:
    """Lists what the graphs of a module can do beyond computing, without running them.

        >>> report = hub.audit("modules/text")
        >>> report
        <hub.audit('modules/text'): TF1 Hub format, 2 graphs, no findings>
        >>> for finding in report.findings:
        ...     print(finding.level.label, finding.op, finding.names, finding.reached_from)

    Checks every node of every graph variant and of every function. Imports no graph and loads
    no library.

    Args:
        handle: The path or URL of a TF1 Hub module, a TF1 SavedModel or a TF2 SavedModel.

    Returns:
        The report: the findings, what could not be read, and how much was checked.

    Raises:
        HandleNotFoundError: If nothing exists at the handle.
        ModuleFormatError: If the file system refuses to read a file.
        NotAModuleError: If it is neither a module nor a SavedModel.
        HubModuleError: If the handle cannot be resolved for another reason; see hub.resolve().
    """
    path = resolvers.resolve(handle)
    with explain_unreadable_files(path):
        file = read_saved_model(path)
        is_module = module_def.is_module(path)
        damage = [*file.damage, *(_find_damage_of_module_def(path) if is_module else ())]
    meta_graphs = file.saved_model.meta_graphs
    found = findings.audit(file.saved_model, path, is_module)
    damage += found.damage
    if not meta_graphs:
        damage.append("The SavedModel has no graphs.")
    return AuditReport(
        handle=redact(os.fspath(handle)),
        path=path,
        format=ModuleFormat.TF1_HUB if is_module else get_saved_model_format(file.saved_model),
        findings=found.findings,
        damage=tuple(damage),
        graphs=len(meta_graphs),
        functions=found.functions,
        nodes=found.nodes,
    )


def _find_damage_of_module_def(path: str) -> list[str]:
    """Finds out why this version cannot read tfhub_module.pb, if it cannot."""
    try:
        module_def.check(path)
    except ModuleFormatError as error:
        return [str(error)]
    return []


def _convert_to_dict(finding: Finding) -> dict[str, Any]:
    """Converts a finding to values that JSON can hold."""
    return {
        "level": finding.level.label,
        "class": finding.risk.value,
        "op": finding.op,
        "node": finding.node,
        "function": finding.function or None,
        "tags": list(finding.tags),
        "reached_from": list(finding.reached_from),
        "names": [{"source": name.source.value, "value": name.value} for name in finding.names],
        "reason": finding.reason,
        "note": finding.note or None,
        "package": finding.package or None,
    }
