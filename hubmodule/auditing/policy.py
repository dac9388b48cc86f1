"""HUBMODULE_AUDIT: audits modules before they are loaded, and refuses those with findings."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import settings
from hubmodule.errors import ModuleRefusedError
from hubmodule.settings import AuditPolicy

_logger = logging.getLogger("hubmodule")

_MOST_SHOWN = 10


def check_policy(directory: str) -> None:
    """Audits a SavedModel before it is imported, if HUBMODULE_AUDIT is "warn" or "refuse".

    Args:
        directory: The directory of a module, or of a plain SavedModel.

    Raises:
        ModuleFormatError: If the SavedModel cannot be read.
        ModuleRefusedError: If HUBMODULE_AUDIT is "refuse" and the SavedModel has findings of level
            medium or high, or is damaged so that it may have more findings. If HUBMODULE_AUDIT is
            "warn", a warning in the log lists them instead.
    """
    policy = settings.read_audit_policy()
    if policy is not AuditPolicy.OFF:
        _report(_find_problems(directory), directory, policy)


def check_graphs(
    meta_graphs: Sequence[MetaGraphDef], directory: str, allowed_by: AuditPolicy
) -> AuditPolicy:
    """Audits graphs in memory before they are imported, if HUBMODULE_AUDIT demands it.

    Args:
        meta_graphs: The graph variants of a module, with the paths of its assets.
        directory: The directory that they were read from.
        allowed_by: The value of HUBMODULE_AUDIT that allowed these graphs before. They are not
            audited again for the same value, or for a less strict one.

    Returns:
        The strictest value that allowed these graphs.

    Raises:
        ModuleRefusedError: As for check_policy().
    """
    policy = settings.read_audit_policy()
    if policy in (AuditPolicy.OFF, allowed_by) or allowed_by is AuditPolicy.REFUSE:
        return allowed_by
    from hubmodule.format import assets

    graphs = [assets.declare_located(meta_graph, directory) for meta_graph in meta_graphs]
    problems = _audit(saved_model_pb2.SavedModel(meta_graphs=graphs), directory, is_module=True)
    _report(problems, directory, policy)
    return policy


def _report(problems: Sequence[str], directory: str, policy: AuditPolicy) -> None:
    """Raises ModuleRefusedError or logs a warning, unless there are no problems."""
    if not problems:
        return
    lines = "".join(f"\n    {problem}" for problem in problems[:_MOST_SHOWN])
    rest = len(problems) - _MOST_SHOWN
    more = f"\n    and {rest} more" if rest > 0 else ""
    if policy is AuditPolicy.REFUSE:
        raise ModuleRefusedError(
            f"{directory} is not loaded, because it can do more than compute, and HUBMODULE_AUDIT "
            f"is refuse:{lines}{more}\nTo see what each op does: python -m hubmodule audit "
            f"'{directory}'. If you trust the module, load it with HUBMODULE_AUDIT=warn."
        )
    _logger.warning(
        "%s can do more than compute:%s%s\nTo see what each op does: python -m hubmodule audit "
        "'%s'",
        directory,
        lines,
        more,
        directory,
    )


def _find_problems(directory: str) -> Sequence[str]:
    """Finds what makes a SavedModel unsafe to load: a line for each finding or damage."""
    from hubmodule.format import module_def, saved_model

    return _audit(saved_model.read_proto(directory), directory, module_def.is_module(directory))


def _audit(
    saved_model: saved_model_pb2.SavedModel, directory: str, is_module: bool
) -> Sequence[str]:
    # Imported here because most programs do not audit and should not wait for the import.
    from hubmodule.auditing import findings, texts
    from hubmodule.auditing.risks import Level

    found = findings.audit(saved_model, directory, is_module)
    serious = [texts.describe(f) for f in found.findings if f.level >= Level.MEDIUM]
    return serious + [texts.shorten(damage) for damage in found.damage]
