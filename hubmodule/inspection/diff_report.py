"""What a page for a terminal shows of the differences of two modules."""

from __future__ import annotations

from collections.abc import Iterator

from hubmodule.inspection.differences import Changes, ModuleDifferences, ScopeChange, ValueChange
from hubmodule.inspection.report import Section, make_section
from hubmodule.inspection.wording import format_count, format_tags

_MOST_ROWS = 20


def write_diff_report(differences: ModuleDifferences) -> tuple[Section, ...]:
    """The sections of the page; the first says which modules, the second what it means."""
    return tuple(_sections(differences))


def _sections(differences: ModuleDifferences) -> Iterator[Section]:
    yield make_section(
        "The modules are equal" if differences.is_equal else "The modules differ",
        [("before", differences.before), ("after", differences.after)],
    )
    if differences.damage:
        yield make_section("Damaged", lines=differences.damage, is_warning=True)
    if differences.is_equal:
        return
    yield _verdict("replace the first for its callers", differences.incompatible)
    yield _verdict("restore checkpoints of programs with the first", differences.cannot_restore)
    for change in differences.about:
        yield make_section(f"Changed: {change.name}", [(change.before, "->", change.after)])
    for title, changes in (
        ("Graph variants", differences.variants),
        ("Signatures", differences.signatures),
        ("Variables", differences.variables),
        ("Assets", differences.assets),
        ("Attached messages", differences.messages),
    ):
        if changes:
            yield _changes(title, changes)
    if differences.values:
        yield _values(differences.values)
    if differences.ops:
        yield _ops(differences.ops)


def _verdict(what: str, reasons: tuple[str, ...]) -> Section:
    verb = "cannot" if reasons else "can"
    title = f"The second {verb} {what}"
    return make_section(title, lines=_shorten(reasons), is_warning=bool(reasons))


def _changes(title: str, changes: Changes) -> Section:
    lines = [f"+ {name}" for name in changes.added]
    lines += [f"- {name}" for name in changes.removed]
    for change in changes.changed:
        lines += [f"~ {change.name}", f"  was {change.before}", f"  is {change.after}"]
    return make_section(title, lines=_shorten(tuple(lines)))


def _values(values: tuple[ValueChange, ...]) -> Section:
    ordered = sorted(
        values, key=lambda v: (-(v.relative_difference or 0), -(v.largest_difference or 0), v.name)
    )
    rows = [
        (value.name, _number(value.largest_difference), _number(value.relative_difference))
        for value in ordered[:_MOST_ROWS]
    ]
    title = f"Values of {format_count(len(values), 'variable')} changed"
    if any(value.largest_difference is not None for value in values):
        rows.insert(0, ("variable", "largest", "relative"))
    else:
        rows = [row[:1] for row in rows]  # type: ignore[misc]
    return make_section(title, rows, lines=_rest(len(values)))


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"


def _ops(changes: tuple[ScopeChange, ...]) -> Section:
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
        rows.append((where, ", ".join(parts)))
    return make_section("Ops by scope", rows, lines=_rest(len(changes)))


def _count_ops(change: ScopeChange) -> int:
    return sum(sum(ops.values()) for ops in (change.added, change.removed, change.changed))


def _shorten(lines: tuple[str, ...]) -> tuple[str, ...]:
    return lines[:_MOST_ROWS] + _rest(len(lines))


def _rest(number: int) -> tuple[str, ...]:
    return (f"and {number - _MOST_ROWS} more; --json has all",) if number > _MOST_ROWS else ()
