"""Describes findings to people; escapes control characters in the names of a module."""

from __future__ import annotations

from hubmodule.auditing.findings import Finding
from hubmodule.auditing.names import Name, Source
from hubmodule.auditing.printable import make_printable

_LONGEST_SHOWN = 200
_MOST_SHOWN = 5


def describe(finding: Finding) -> str:
    """Describes a finding on one line."""
    names = describe_names(finding)
    uses = f": {names}" if names else ""
    return (
        f"{finding.level.label}: {shorten(finding.op)} {finding.risk.title}{uses} "
        f"({describe_place(finding)}; {describe_reach(finding)})"
    )


def explain(finding: Finding) -> str:
    """Explains in sentences what the op of a finding does, and which names it uses."""
    names = describe_names(finding)
    return f"{finding.reason} It uses {names}." if names else finding.reason


def describe_names(finding: Finding) -> str:
    """Describes the names that a node uses and their sources; "" if it uses none."""
    return _join_texts([_describe_name(name) for name in finding.names])


def describe_place(finding: Finding) -> str:
    """Describes where the node of a finding is."""
    place = f"node '{shorten(finding.node)}'"
    if finding.function:
        place += f" of function '{shorten(finding.function)}'"
    return f"{place} in {describe_variant(finding)}"


def describe_variant(finding: Finding) -> str:
    """Describes the graph variant of a finding by its tags."""
    if not finding.tags:
        return "the variant without tags"
    return f"variant {{{', '.join(map(shorten, finding.tags))}}}"


def describe_reach(finding: Finding) -> str:
    """Describes what runs the node of a finding."""
    if not finding.reached_from:
        return "nothing runs it"
    return f"run by {_join_texts([shorten(label) for label in finding.reached_from])}"


def shorten(text: str) -> str:
    """Shortens a text of a module, and makes it printable."""
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "…"
    return make_printable(text)


def _describe_name(name: Name) -> str:
    if name.source is Source.CONSTANT:
        return f"'{shorten(name.value)}'"
    if name.source is Source.ASSET:
        return f"asset '{shorten(name.value)}'"
    if name.source is Source.CHECKPOINT:
        return shorten(name.value)
    return f"a name {name.source.value} {shorten(name.value)}"


def _join_texts(texts: list[str]) -> str:
    rest = len(texts) - _MOST_SHOWN
    return ", ".join(texts[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
