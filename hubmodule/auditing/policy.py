"""HUBMODULE_AUDIT: whether modules with findings are loaded."""

from __future__ import annotations

import logging

from hubmodule import settings
from hubmodule.errors import ModuleRefusedError
from hubmodule.settings import AuditPolicy

_logger = logging.getLogger("hubmodule")

_MOST_SHOWN = 10


def check_policy(directory: str) -> None:
    """Audits a SavedModel if HUBMODULE_AUDIT says so, before anything of it is imported.

    Args:
        directory: The directory of a module, or of a plain SavedModel.

    Raises:
        ModuleFormatError: If the SavedModel cannot be read.
        ModuleRefusedError: If there are findings of level medium or high, or damage that hides
            them, and HUBMODULE_AUDIT is "refuse"; with "warn", the log shows them.
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
    """What speaks against loading a SavedModel, a line each."""
    # Only here: most programs audit nothing, and should not wait for the import.
    from hubmodule.auditing import findings, texts
    from hubmodule.auditing.risks import Level
    from hubmodule.format import module_def, saved_model

    found = findings.audit(
        saved_model.read_proto(directory), directory, module_def.is_module(directory)
    )
    serious = [texts.describe(f) for f in found.findings if f.level >= Level.MEDIUM]
    return serious + [texts.make_printable(damage) for damage in found.damage]
