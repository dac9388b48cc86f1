"""Writes the facts of a module as the sections of a page for a terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from hubmodule.auditing.printable import make_printable
from hubmodule.inspection.facts import ModuleFacts, SignatureFacts, TensorFacts, VariantFacts
from hubmodule.inspection.scope_sizes import build_scopes, find_common_scope, find_largest_scopes
from hubmodule.inspection.wording import (
    describe_tags,
    describe_tensor,
    describe_type,
    format_bytes,
    format_count,
)

_MOST_SCOPES = 12
_MOST_OPS = 12


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of a page.

    Attributes:
        title: Its heading.
        rows: The cells of each row of a table, printable; all rows have the same length.
        shares: The length of a bar for each row, from 0 to 1; empty if there are no bars.
        lines: The lines of text below the table.
        code: Whether the lines are Python.
        is_warning: Whether the section says that something is wrong.
    """

    title: str
    rows: tuple[tuple[str, ...], ...] = ()
    shares: tuple[float, ...] = ()
    lines: tuple[str, ...] = ()
    code: bool = False
    is_warning: bool = False


def write_report(facts: ModuleFacts) -> tuple[Section, ...]:
    """Writes the sections of a module's page.

    Args:
        facts: The facts of the module.

    Returns:
        The sections, in their order; the first has the handle, format and sizes.
    """
    return tuple(_make_sections(facts))


def _make_sections(facts: ModuleFacts) -> Iterator[Section]:
    yield _describe_module(facts)
    if facts.damage:
        yield make_section("Damaged", lines=facts.damage, is_warning=True)
    if facts.findings:
        findings = [(f.level, f.op, f.node, f.reason) for f in facts.findings]
        yield make_section("Findings", findings, is_warning=True)
    yield from map(_describe_variant, facts.variants)
    for variants in group_variants(facts.variants):
        place = describe_place(variants, facts.variants)
        for names, signature in group_signatures(variants[0].signatures):
            yield _describe_signature(names, signature, place)
    if facts.calls:
        rows = [(f"({call.arguments})", call.outputs) for call in facts.calls]
        yield make_section("Calls of the object", rows)
    yield from _describe_content(facts)
    yield from _advise(facts)


def _describe_module(facts: ModuleFacts) -> Section:
    sizes = facts.sizes
    rows = [
        ("format", facts.format.value),
        ("written by", describe_writers(facts)),
        (
            "size",
            f"graph {format_bytes(sizes.graph)}, variables {format_bytes(sizes.variables)}, "
            f"assets {format_bytes(sizes.assets)}",
        ),
    ]
    if facts.path != facts.handle:
        rows.append(("path", facts.path))
    return make_section(facts.handle, rows)


def describe_writers(facts: ModuleFacts) -> str:
    """Names the programs that wrote a module, e.g. "TensorFlow 2.15.1, hubmodule 0.1.0".

    Args:
        facts: The facts of the module.
    """
    writers = dict.fromkeys(
        writer
        for variant in facts.variants
        for writer in (
            variant.tensorflow_version and f"TensorFlow {variant.tensorflow_version}",
            variant.hubmodule_version and f"hubmodule {variant.hubmodule_version}",
        )
        if writer
    )
    return ", ".join(writers) or "unknown"


def _describe_variant(variant: VariantFacts) -> Section:
    rows = [("graph", describe_graph(variant))]
    if variant.update_ops:
        rows.append(("update ops", str(len(variant.update_ops))))
    if variant.regularization_losses:
        rows.append(
            ("regularisation", format_count(len(variant.regularization_losses), "loss term"))
        )
    for table in variant.tables:
        types = f"{table.key_dtype or '?'} to {table.value_dtype or '?'}"
        source = f", from assets/{table.asset}" if table.asset else ""
        rows.append(("table", f"{table.name}: {types}{source}"))
    for message in variant.messages:
        fields = ", ".join(f"{k} {v}" for k, v in (message.content or {}).items())
        rows.append(("message", f"{message.key}: {fields or format_bytes(message.bytes)}"))
    return make_section(f"Graph variant {describe_tags(variant.tags)}", rows)


def describe_graph(variant: VariantFacts) -> str:
    """Writes how many nodes and functions a variant has.

    Args:
        variant: The facts of the variant.
    """
    text = format_count(variant.nodes, "node")
    if variant.functions:
        functions = format_count(variant.functions, "function")
        text += f", {functions} with {format_count(variant.function_nodes, 'node')}"
    return text


def group_variants(variants: Iterable[VariantFacts]) -> list[list[VariantFacts]]:
    """Groups graph variants that have the same signatures.

    Args:
        variants: The graph variants of a module.

    Returns:
        The groups, in the order of their first variants.
    """
    groups: dict[tuple[SignatureFacts, ...], list[VariantFacts]] = {}
    for variant in variants:
        groups.setdefault(variant.signatures, []).append(variant)
    return list(groups.values())


def describe_place(group: Sequence[VariantFacts], variants: Sequence[VariantFacts]) -> str:
    """Writes which graph variants are in a group, to be appended to a title.

    Args:
        group: The variants in the group.
        variants: All variants of the module.

    Returns:
        A text that begins with a space; "" if the module has only one variant.
    """
    if len(variants) == 1:
        return ""
    if len(group) == len(variants):
        return " of all graph variants"
    noun = "variant" if len(group) == 1 else "variants"
    return f" of the graph {noun} {' and '.join(describe_tags(v.tags) for v in group)}"


def group_signatures(
    signatures: Iterable[SignatureFacts],
) -> list[tuple[list[str], SignatureFacts]]:
    """Groups signatures that have the same inputs and outputs.

    Args:
        signatures: The signatures of a variant.

    Returns:
        For each group, the names of its signatures, and the first of them.
    """
    groups: dict[tuple[object, object], tuple[list[str], SignatureFacts]] = {}
    for signature in signatures:
        key = signature.inputs, signature.outputs
        groups.setdefault(key, ([], signature))[0].append(signature.name)
    return list(groups.values())


def _describe_signature(names: Sequence[str], signature: SignatureFacts, place: str) -> Section:
    def make_row(direction: str, info: TensorFacts) -> tuple[str, str, str]:
        return direction, info.name, describe_tensor(info)

    rows = [make_row("in", info) for info in signature.inputs]
    rows += [make_row("out", info) for info in signature.outputs]
    word = "Signature" if len(names) == 1 else "Signatures"
    return make_section(f"{word} {', '.join(names)}{place}", rows)


def _describe_content(facts: ModuleFacts) -> Iterator[Section]:
    if facts.variables:
        yield _describe_variables(facts)
    if facts.assets:
        rows = [(a.name, format_bytes(a.bytes), f"sha256 {a.sha256[:16]}…") for a in facts.assets]
        yield make_section("Assets", rows)
    totals: dict[str, int] = {}
    for variant in facts.variants:
        for op, number in variant.op_counts.items():
            totals[op] = totals.get(op, 0) + number
    if totals:
        largest = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        lines = [", ".join(f"{op} {number:,}" for op, number in largest[:_MOST_OPS])]
        if len(largest) > _MOST_OPS:
            lines.append(f"and {len(largest) - _MOST_OPS} other types")
        yield make_section(f"Ops of {len(largest)} types", lines=tuple(lines))


def _describe_variables(facts: ModuleFacts) -> Section:
    common = find_common_scope(build_scopes(facts.variables))
    scopes = find_largest_scopes(common, _MOST_SCOPES)
    largest = max(scope.bytes for scope in scopes) or 1
    rows = []
    shapes = {variable.name: variable for variable in facts.variables}
    for scope in scopes:
        variable = shapes.get(scope.name)
        if variable is None:
            what = format_count(scope.variables, "variable")
        else:
            what = describe_type(variable.dtype, variable.shape)
            what += f" in {variable.partitions} parts" if variable.partitions > 1 else ""
        name = scope.name.removeprefix(common.name)
        rows.append((name or "all", what, format_bytes(scope.bytes)))
    trainable = sum(bool(variable.trainable_in) for variable in facts.variables)
    title = f"{format_count(len(facts.variables), 'variable')}, {trainable:,} trainable"
    title += f", in {common.name}" if common.name else ""
    return make_section(title, rows, tuple(scope.bytes / largest for scope in scopes))


def _advise(facts: ModuleFacts) -> Iterator[Section]:
    if facts.foreign_ops:
        rows = [
            (op.op, f"import {op.package}" if op.package else "package not known")
            for op in facts.foreign_ops
        ]
        yield make_section("Ops of other packages", rows, is_warning=True)
    for common in facts.common_signatures:
        verb = "Fulfils" if common.fulfilled else "Nearly fulfils"
        yield make_section(f"{verb} the common signature: {common.name}", lines=common.missing)
    for usage in facts.usage:
        yield Section(f"To use it: {usage.way}", lines=tuple(usage.code.split("\n")), code=True)


def make_section(
    title: str,
    rows: Sequence[tuple[str, ...]] = (),
    shares: tuple[float, ...] = (),
    lines: tuple[str, ...] = (),
    is_warning: bool = False,
) -> Section:
    """Makes a section, and makes its texts, which may come from a module, printable.

    Args:
        title: Its heading.
        rows: The cells of each row of a table; all rows have the same length.
        shares: The length of a bar for each row, from 0 to 1; empty for no bars.
        lines: The lines of text below the table.
        is_warning: Whether the section says that something is wrong.
    """
    return Section(
        make_printable(title),
        tuple(tuple(map(make_printable, row)) for row in rows),
        shares,
        tuple(map(make_printable, lines)),
        is_warning=is_warning,
    )
