"""hub.audit: what the graphs of a module can do beyond computing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule.auditing import findings
from hubmodule.auditing.findings import Finding
from hubmodule.auditing.risks import Level
from hubmodule.errors import HubModuleError, ModuleFormatError
from hubmodule.format import module_def
from hubmodule.inspection.saved_model_file import read_saved_model
from hubmodule.resolver import resolvers

# Changes when a field changes its meaning or goes.
SCHEMA = 1


@dataclass(frozen=True)
class AuditReport:
    """The findings of an audit. That there are none means that none were found.

    Attributes:
        handle: The handle of the module.
        path: The directory that was read.
        format: "TF1 Hub module", "TF1 SavedModel" or "TF2 SavedModel".
        findings: The findings, the worst first.
        damage: What could not be read, as sentences; there may be more findings in it.
        graphs: The number of graph variants.
        functions: The number of functions in all variants.
        nodes: The number of nodes in all variants and functions.
    """

    handle: str
    path: str
    format: str
    findings: tuple[Finding, ...]
    damage: tuple[str, ...]
    graphs: int
    functions: int
    nodes: int

    def at_least(self, level: Level) -> tuple[Finding, ...]:
        """The findings of a level and of those above it."""
        return tuple(finding for finding in self.findings if finding.level >= level)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it; "schema" is the version of its form."""
        return {
            "schema": SCHEMA,
            "handle": self.handle,
            "path": self.path,
            "format": self.format,
            "graphs": self.graphs,
            "functions": self.functions,
            "nodes": self.nodes,
            "findings": [_make_dict(finding) for finding in self.findings],
            "damage": list(self.damage),
        }


def audit(handle: str | os.PathLike[str]) -> AuditReport:
    """Lists what the graphs of a module can do beyond computing, without running any of it.

        for finding in hub.audit("/path/to/module").findings:
            print(finding.level.label, finding.op, finding.names, finding.reached_from)

    Looks at every node of every graph variant and of every function. No graph is imported,
    and no library is loaded.

    Args:
        handle: The handle of a TF1 Hub module, a TF1 SavedModel or a TF2 SavedModel.

    Raises:
        HandleNotFoundError: If nothing is there.
        ModuleFormatError: If the file system refuses to read a file.
        NotAModuleError: If there is something else.
    """
    path = resolvers.resolve(handle)
    try:
        file = read_saved_model(path)
        is_module = module_def.is_module(path)
        damage = [*file.damage, *(_find_damage_of_module_def(path) if is_module else ())]
    except HubModuleError:
        raise
    except tf.errors.OpError as error:
        raise ModuleFormatError(
            f"{path} cannot be read: {error.message}. Check its permissions, or fetch the module "
            "again."
        ) from error
    meta_graphs = file.saved_model.meta_graphs
    found = findings.audit(file.saved_model, path, is_module)
    damage += found.damage
    if not meta_graphs:
        damage.append("The SavedModel has no graphs.")
    is_tf2 = any(meta_graph.HasField("object_graph_def") for meta_graph in meta_graphs)
    plain = "TF2 SavedModel" if is_tf2 else "TF1 SavedModel"
    return AuditReport(
        handle=os.fspath(handle),
        path=path,
        format="TF1 Hub module" if is_module else plain,
        findings=found.findings,
        damage=tuple(damage),
        graphs=len(meta_graphs),
        functions=found.functions,
        nodes=found.nodes,
    )


def _find_damage_of_module_def(path: str) -> list[str]:
    try:
        module_def.check(path)
    except ModuleFormatError as error:
        return [str(error)]
    return []


def _make_dict(finding: Finding) -> dict[str, Any]:
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
