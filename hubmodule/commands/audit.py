"""hubmodule audit: lists what a module can do beyond computing."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from hubmodule.commands.command import (
    STANDARD_OUTPUT,
    Command,
    parse_path,
    print_error,
    write_output,
)

if TYPE_CHECKING:
    from hubmodule.auditing.findings import Finding
    from hubmodule.inspection.audit import AuditReport

_FAILED = 2
_LEVELS = ("low", "medium", "high")


def _add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("handle", metavar="HANDLE", help="a path or an address")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument(
        "--sarif",
        metavar="FILE",
        type=parse_path,
        help="also write the findings as SARIF 2.1.0; - prints SARIF and nothing else",
    )
    parser.add_argument(
        "--fail-on",
        choices=_LEVELS,
        default="medium",
        metavar="LEVEL",
        help="end with status 1 if there is a finding of this level or above: low, medium (the "
        "default) or high; status 2 is for modules that cannot be read",
    )


def _audit(parsed: argparse.Namespace) -> int:
    from hubmodule._plain_errors import HubModuleError
    from hubmodule.auditing.risks import Level

    if parsed.json and parsed.sarif == STANDARD_OUTPUT:
        print_error("--json and --sarif - both print. Give --sarif the path of a file.")
        return _FAILED
    try:
        from hubmodule.inspection.audit import audit

        report = audit(parsed.handle)
    except (HubModuleError, OSError) as error:
        print_error(error)
        return _FAILED
    if parsed.sarif and not _write_sarif(report, parsed.sarif):
        return _FAILED
    if parsed.json:
        import json

        print(json.dumps(report.to_dict(), indent=2))
    elif parsed.sarif != STANDARD_OUTPUT:
        _print_report(report)
    if report.at_least(Level[parsed.fail_on.upper()]):
        return 1
    return _FAILED if report.damage else 0


def _write_sarif(report: AuditReport, path: str) -> bool:
    """Writes the findings as SARIF; returns whether they were written."""
    import json

    from hubmodule.inspection.sarif import make_sarif

    return write_output(path, json.dumps(make_sarif(report), indent=2))


def _print_report(report: AuditReport) -> None:
    from hubmodule.auditing.texts import shorten

    for same in _group_alike(report.findings):
        _print_findings(same)
    for damage in report.damage:
        print(f"hubmodule: damaged: {shorten(damage)}", file=sys.stderr)
    counts = [
        f"{count} {name}"
        for name in reversed(_LEVELS)
        if (count := sum(finding.level.label == name for finding in report.findings))
    ]
    what = "finding" if len(report.findings) == 1 else "findings"
    print(f"{', '.join(counts) or 'No'} {what} in {_describe_extent(report)} of {report.path}")
    if not report.findings:
        print("This does not prove that the module only computes.")


def _describe_extent(report: AuditReport) -> str:
    """Describes how many graphs, functions and nodes were checked."""
    counts = {"graph": report.graphs, "function": report.functions, "node": report.nodes}
    graphs, functions, nodes = (
        f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()
    )
    return f"{graphs}, {functions} and {nodes}"


def _group_alike(findings: tuple[Finding, ...]) -> list[list[Finding]]:
    """Groups findings that differ only in the node."""
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        key = (finding.level, finding.op, finding.risk, finding.names, finding.note)
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def _print_findings(findings: list[Finding]) -> None:
    """Prints findings that differ only in the node: the first, and how many there are."""
    from hubmodule.auditing import texts

    first = findings[0]
    count = f" ({len(findings)} nodes, the first is shown)" if len(findings) > 1 else ""
    print(f"{first.level.label:<6}  {texts.shorten(first.op)} {first.risk.title}{count}")
    names = texts.describe_names(first)
    for label, text in (
        ("uses", names),
        ("where", texts.describe_place(first)),
        ("when", texts.describe_reach(first)),
        ("why", first.reason),
        ("note", texts.shorten(first.note)),
    ):
        if text:
            print(f"        {label:<6} {text}")
    print()


AUDIT = Command(
    "audit",
    "List what a module can do beyond computing, without running it.",
    _add_audit_arguments,
    _audit,
)
