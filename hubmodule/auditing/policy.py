"""HUBMODULE_AUDIT: audits modules before they are loaded, and refuses those with findings."""

from __future__ import annotations

import logging

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
    policy = settings.read().audit
    if policy is AuditPolicy.OFF:
        return
    problems = _find_problems(directory)
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


def _find_problems(directory: str) -> list[str]:
    """Finds what makes a SavedModel unsafe to load: a line for each finding or damage."""
    # Imported here because most programs do not audit and should not wait for the import.
    from hubmodule.auditing import findings, texts
    from hubmodule.auditing.risks import Level
    from hubmodule.format import module_def, saved_model

    found = findings.audit(
        saved_model.read_proto(directory), directory, module_def.is_module(directory)
    )
    serious = [texts.describe(f) for f in found.findings if f.level >= Level.MEDIUM]
    return serious + [texts.make_printable(damage) for damage in found.damage]
