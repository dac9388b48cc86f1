"""The findings of an audit in SARIF 2.1.0, which code hosts and editors show.

The format is the standard of OASIS, "Static Analysis Results Interchange Format (SARIF)
Version 2.1.0".
"""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

from hubmodule._version import __version__
from hubmodule.auditing import texts
from hubmodule.auditing.findings import Finding
from hubmodule.auditing.risks import Level, Risk
from hubmodule.format import saved_model
from hubmodule.inspection.audit import AuditReport

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {Level.HIGH: "error", Level.MEDIUM: "warning", Level.LOW: "note"}
_RISKS = list(Risk)


def to_sarif(report: AuditReport) -> dict[str, Any]:
    """A report as a SARIF log of one run, as JSON can hold it."""
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _make_driver()},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"MODULE": {"uri": _make_uri(report.path)}},
                "invocations": [_make_invocation(report)],
                "results": [_make_result(finding) for finding in report.findings],
            }
        ],
    }


def _make_driver() -> dict[str, Any]:
    return {
        "name": "hubmodule audit",
        "version": __version__,
        "rules": [
            {
                "id": risk.value,
                "shortDescription": {"text": f"The op {risk.title}."},
            }
            for risk in _RISKS
        ],
    }


def _make_invocation(report: AuditReport) -> dict[str, Any]:
    return {
        "executionSuccessful": not report.damage,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": texts.make_printable(damage)}}
            for damage in report.damage
        ],
    }


def _make_result(finding: Finding) -> dict[str, Any]:
    return {
        "ruleId": finding.risk.value,
        "ruleIndex": _RISKS.index(finding.risk),
        "level": _LEVELS[finding.level],
        "message": {"text": " ".join(filter(None, _write_sentences(finding)))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": saved_model.BINARY, "uriBaseId": "MODULE"},
                    # Code hosts show no result without a line, even in a binary file.
                    "region": {"startLine": 1},
                },
                "logicalLocations": [
                    {
                        "name": finding.node,
                        "fullyQualifiedName": _qualify(finding),
                        "kind": "function" if finding.function else "member",
                    }
                ],
            }
        ],
        "partialFingerprints": {"finding/v1": _hash(finding)},
    }


def _write_sentences(finding: Finding) -> list[str]:
    note = texts.make_printable(finding.note)
    return [
        f"{texts.describe(finding).partition(': ')[2]}.",
        finding.reason,
        f"{note[:1].upper()}{note[1:]}." if note else "",
    ]


def _qualify(finding: Finding) -> str:
    return "/".join(filter(None, (",".join(finding.tags), finding.function, finding.node)))


def _hash(finding: Finding) -> str:
    """The same for one finding in two versions of a module, where its place is the same."""
    key = [finding.op, finding.risk.value, _qualify(finding)]
    key += [f"{name.source.value} {name.value}" for name in finding.names]
    return hashlib.sha256("\0".join(key).encode(errors="surrogatepass")).hexdigest()[:32]


def _make_uri(path: str) -> str:
    uri = path if "://" in path else pathlib.Path(path).absolute().as_uri()
    return uri.rstrip("/") + "/"
