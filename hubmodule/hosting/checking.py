"""Checks a module before it is published: what it is, what it can do, and that it loads.

Each function imports TensorFlow when it is called.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hubmodule._plain_errors import HubModuleError, PublishError

if TYPE_CHECKING:
    from hubmodule.inspection.audit import AuditReport
    from hubmodule.inspection.facts import ModuleFacts

_MOST_SHOWN = 3
_HERE = "MODULE_DIR"


@dataclasses.dataclass(frozen=True)
class CheckedModule:
    """A module that may be published.

    Attributes:
        directory: Path of the module.
        facts: What its files say.
        audit: What its graphs can do beyond computing.
    """

    directory: str
    facts: ModuleFacts
    audit: AuditReport

    def describe(self, handle: str) -> dict[str, Any]:
        """Returns the facts and the audit as JSON values, without the path of the module.

        Args:
            handle: The handle to name in them and in the code to paste.
        """
        from hubmodule.inspection.usage import write_usage

        known = self.facts
        usage = write_usage(
            handle,
            known.format,
            known.variants,
            known.calls,
            known.common_signatures,
            known.foreign_ops,
        )
        facts = dataclasses.replace(known, handle=handle, path="", usage=usage)
        audit = dataclasses.replace(self.audit, handle=handle, path="")
        value = {"facts": facts.to_dict(), "audit": audit.to_dict()}
        return _hide_paths(value, _list_spellings(self.directory))


def check_module(directory: str, allow_findings: bool) -> CheckedModule:
    """Checks that a directory is a module that others can use.

    Args:
        directory: Path of the module, on any file system.
        allow_findings: Whether to accept what the audit finds at level high.

    Raises:
        NotAModuleError: If it is not a module or SavedModel; the message says what it is.
        PublishError: If the module is damaged, does not load, or can do more than compute.
        UnregisteredOpsError: If it needs ops that this process does not have.
    """
    from hubmodule.auditing.risks import Level
    from hubmodule.format.directory import inspect_directory
    from hubmodule.inspection.audit import audit
    from hubmodule.inspection.inspect import inspect

    inspect_directory(directory)
    report = audit(directory)
    high = report.at_least(Level.HIGH)
    # Before it is loaded, which runs parts of it.
    if high and not allow_findings:
        raise PublishError(_describe_findings(directory, report))
    facts = inspect(directory)
    damage = [*dict.fromkeys((*facts.damage, *report.damage))]
    if damage:
        raise PublishError(f"{directory} is damaged: {' '.join(damage)} Export the module again.")
    _check_loads(directory, [variant.tags for variant in facts.variants])
    return CheckedModule(directory, facts, report)


def _describe_findings(directory: str, report: AuditReport) -> str:
    from hubmodule.auditing.printable import make_printable
    from hubmodule.auditing.risks import Level

    high = report.at_least(Level.HIGH)
    shown = ", ".join(
        f"{make_printable(finding.op)} at {make_printable(finding.node)}"
        for finding in high[:_MOST_SHOWN]
    )
    more = f" and {len(high) - _MOST_SHOWN} more" if len(high) > _MOST_SHOWN else ""
    return (
        f"{directory} can do more than compute: {shown}{more}. See what with `hubmodule audit`. "
        "If its users should get it nevertheless, pass allow_findings=True."
    )


def _check_loads(directory: str, variants: Iterable[tuple[str, ...]]) -> None:
    """Loads each graph variant, in a thread: the graph of the caller does not matter there."""
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        for tags in variants:
            thread.submit(_load, directory, tags).result()


def _load(directory: str, tags: tuple[str, ...]) -> None:
    import tensorflow as tf

    from hubmodule.tf2.load import load

    try:
        if tf.executing_eagerly():
            load(directory, tags)
            return
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            load(directory, tags)
            session.run(tf.compat.v1.global_variables_initializer())
            session.run(tf.compat.v1.tables_initializer())
    except HubModuleError:
        raise
    except Exception as error:  # TensorFlow documents none of what it raises here
        name = f"the graph variant {set(tags)}" if tags else "the module"
        raise PublishError(
            f"{directory} does not load: TensorFlow fails on {name} with "
            f"{type(error).__name__}: {error}"
        ) from error


def _list_spellings(directory: str) -> list[str]:
    """Lists the absolute paths by which a directory may be named, the longest first."""
    if "://" in directory and not directory.startswith("file://"):
        return [directory]
    path = directory.removeprefix("file://")
    return sorted({os.path.abspath(path), os.path.realpath(path)} - {"/"}, key=len, reverse=True)


def _hide_paths(value: Any, paths: list[str]) -> Any:
    """Replaces the paths of a module in all strings of a JSON value."""
    if isinstance(value, str):
        for path in paths:
            value = value.replace(path, _HERE)
        return value
    if isinstance(value, dict):
        return {_hide_paths(key, paths): _hide_paths(item, paths) for key, item in value.items()}
    return [_hide_paths(item, paths) for item in value] if isinstance(value, list) else value
