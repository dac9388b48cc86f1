"""Writes the findings of an audit as SARIF 2.1.0, which code hosts and editors show.

SARIF is the OASIS standard "Static Analysis Results Interchange Format (SARIF)
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


def make_sarif(report: AuditReport) -> dict[str, Any]:
    """Makes a SARIF log with one run from a report, as values that JSON can hold."""
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
            {"level": "error", "message": {"text": texts.shorten(damage)}}
            for damage in report.damage
        ],
    }


def _make_result(finding: Finding) -> dict[str, Any]:
    return {
        "ruleId": finding.risk.value,
        "ruleIndex": _RISKS.index(finding.risk),
        "level": _LEVELS[finding.level],
        "message": {"text": " ".join(filter(None, _make_sentences(finding)))},
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
                        "fullyQualifiedName": _make_qualified_name(finding),
                        "kind": "function" if finding.function else "member",
                    }
                ],
            }
        ],
        "partialFingerprints": {"finding/v1": _make_fingerprint(finding)},
    }


def _make_sentences(finding: Finding) -> list[str]:
    note = texts.shorten(finding.note)
    return [
        f"{texts.describe(finding).partition(': ')[2]}.",
        finding.reason,
        f"{note[:1].upper()}{note[1:]}." if note else "",
    ]


def _make_qualified_name(finding: Finding) -> str:
    return "/".join(filter(None, (",".join(finding.tags), finding.function, finding.node)))


def _make_fingerprint(finding: Finding) -> str:
    """Makes a digest that stays the same for a finding that a new version of a module keeps."""
    key = [finding.op, finding.risk.value, _make_qualified_name(finding)]
    key += [f"{name.source.value} {name.value}" for name in finding.names]
    return hashlib.sha256("\0".join(key).encode(errors="surrogatepass")).hexdigest()[:32]


def _make_uri(path: str) -> str:
    uri = path if "://" in path else pathlib.Path(path).absolute().as_uri()
    return uri.rstrip("/") + "/"
