"""Writes the differences of two modules as the sections of a page for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from hubmodule.inspection.differences import Changes, ModuleDifferences, ScopeChange, ValueChange
from hubmodule.inspection.report import Section, make_section
from hubmodule.inspection.wording import format_count, format_tags

_MOST_ROWS = 20


def write_diff_report(differences: ModuleDifferences) -> tuple[Section, ...]:
    """Writes the sections of a page.

    Args:
        differences: The differences of two modules.

    Returns:
        The sections. The first names the modules; next are damage and, if the modules differ,
        whether the second can replace the first.
    """
    return tuple(_make_sections(differences))


def _make_sections(differences: ModuleDifferences) -> Iterator[Section]:
    title = "The modules are equal" if differences.is_equal else "The modules differ"
    if differences.is_equal and differences.damage:
        title += ", as far as they can be read"
    yield make_section(title, [("before", differences.before), ("after", differences.after)])
    if differences.damage:
        yield make_section("Damaged", lines=differences.damage, is_warning=True)
    if differences.is_equal:
        return
    yield _describe_verdict(
        "Programs that call the first {can} call the second", differences.incompatible
    )
    yield _describe_verdict(
        "Checkpoints of programs that train the first {can} be restored with the second",
        differences.cannot_restore,
    )
    for change in differences.about:
        yield make_section(f"Changed: {change.name}", [(change.before, "->", change.after)])
    for title, changes in (
        ("Graph variants", differences.variants),
        ("Signatures", differences.signatures),
        ("Calls of the object", differences.calls),
        ("Variables", differences.variables),
        ("Assets", differences.assets),
        ("Attached messages", differences.messages),
    ):
        if changes:
            yield _describe_changes(title, changes)
    if differences.values:
        yield _describe_values(differences.values, differences.common_variables)
    if differences.ops:
        yield _describe_ops(differences.ops)


def _describe_verdict(title: str, reasons: tuple[str, ...]) -> Section:
    title = title.format(can="cannot" if reasons else "can")
    return make_section(title, lines=_shorten(reasons), is_warning=bool(reasons))


def _describe_changes(title: str, changes: Changes) -> Section:
    lines = [f"+ {name}" for name in changes.added]
    lines += [f"- {name}" for name in changes.removed]
    for change in changes.changed:
        lines += [f"~ {change.name}", f"  was {change.before}", f"  is {change.after}"]
    return make_section(title, lines=_shorten(tuple(lines)))


def _describe_values(values: tuple[ValueChange, ...], variables: int) -> Section:
    ordered = sorted(
        values,
        key=lambda v: (not v.reason, -(v.relative_difference or 0), -(v.largest_difference or 0)),
    )[:_MOST_ROWS]
    title = f"Values of {len(values):,} of {format_count(variables, 'variable')} changed"
    if all(value.largest_difference is None and not value.reason for value in values):
        lines = (*_describe_rest(len(values)), "--weights says by how much")
        return make_section(title, [(value.name,) for value in ordered], lines=lines)
    rows = [(value.name, *_format_difference(value)) for value in ordered]
    heads = ("variable", "largest difference", "relative difference")
    return make_section(title, [heads, *rows], lines=_describe_rest(len(values)))


def _format_difference(value: ValueChange) -> tuple[str, str]:
    if value.largest_difference is None:
        return value.reason or "not read", ""
    relative = value.relative_difference
    return (
        f"{value.largest_difference:.3g}",
        value.reason if relative is None else f"{relative:.3g}",
    )


def _describe_ops(changes: tuple[ScopeChange, ...]) -> Section:
    several = len({change.variant for change in changes}) > 1
    rows = []
    for change in sorted(changes, key=lambda change: -_count_ops(change))[:_MOST_ROWS]:
        where = change.scope or "outside of scopes"
        if several:
            where += f" ({format_tags(change.variant)})"
        parts = [
            f"{sign}{number} {op}"
            for sign, ops in (("+", change.added), ("-", change.removed), ("~", change.changed))
            for op, number in ops.items()
        ]
        text = ", ".join(parts)
        if change.attributes:
            text += f"; differs in {', '.join(change.attributes)}"
        rows.append((where, text))
    return make_section("Ops by scope", rows, lines=_describe_rest(len(changes)))


def _count_ops(change: ScopeChange) -> int:
    return sum(sum(ops.values()) for ops in (change.added, change.removed, change.changed))


def _shorten(lines: tuple[str, ...]) -> tuple[str, ...]:
    return lines[:_MOST_ROWS] + _describe_rest(len(lines))


def _describe_rest(number: int) -> tuple[str, ...]:
    return (f"and {number - _MOST_ROWS} more; --json has all",) if number > _MOST_ROWS else ()
