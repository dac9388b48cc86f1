"""Renders facts of a module as sections of an HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hubmodule.inspection.facts import ModuleFacts, SignatureFacts, Usage, VariantFacts
from hubmodule.inspection.markup import Markup, join, make_element
from hubmodule.inspection.report import (
    describe_graph,
    describe_place,
    group_signatures,
    group_variants,
)
from hubmodule.inspection.scope_sizes import (
    Scope,
    build_scopes,
    find_common_scope,
    find_largest_scopes,
)
from hubmodule.inspection.treemap import draw_treemap
from hubmodule.inspection.wording import (
    describe_tags,
    describe_tensor,
    format_bytes,
    format_count,
    format_shape,
    format_tags,
)

_MOST_TILES = 48
_MOST_BARS = 12
_MOST_OPS = 20

Row = Sequence[str]


def render_signature_sections(facts: ModuleFacts) -> Iterator[Markup]:
    """Renders a section for each group of graph variants that have the same signatures.

    Args:
        facts: The facts of the module.
    """
    for variants in group_variants(facts.variants):
        title = f"Signatures{describe_place(variants, facts.variants)}"
        if signatures := variants[0].signatures:
            yield render_section(title, _render_signatures(title, signatures))
    if facts.calls:
        calls = [(f"({call.arguments})", call.outputs) for call in facts.calls]
        table = render_table("Calls of the object", ("Arguments", "Result"), calls)
        yield render_section("Calls", table)


def render_foreign_ops(facts: ModuleFacts) -> Markup:
    """Renders a section with the ops that other packages register; nothing if there are none.

    Args:
        facts: The facts of the module.
    """
    if not facts.foreign_ops:
        return Markup()
    title = "Ops of other packages"
    rows = [(op.op, op.package or "not known") for op in facts.foreign_ops]
    table = render_table(title, ("Op", "Package to import"), rows)
    return render_section(title, table, class_="notice")


def render_content_sections(facts: ModuleFacts) -> Iterator[Markup]:
    """Renders sections for the variables and the assets of a module.

    Args:
        facts: The facts of the module.
    """
    if facts.variables:
        yield render_section("Variables", _render_variables(facts))
    if facts.assets:
        rows = [(a.name, a.sha256, format_bytes(a.bytes)) for a in facts.assets]
        table = render_table("Assets", ("File", "SHA-256", "Size"), rows, class_="stacked")
        yield render_section("Assets", table)


def render_graph_sections(facts: ModuleFacts) -> Iterator[Markup]:
    """Renders a section for the graph of each variant: its size, tables, messages and ops.

    Args:
        facts: The facts of the module.
    """
    return (_render_graph(variant, facts) for variant in facts.variants)


def render_section(title: str, *content: Iterable[str], class_: str | None = None) -> Markup:
    """Renders a section with a heading.

    Args:
        title: The heading.
        content: The elements below it.
        class_: The CSS class of the section.
    """
    return make_element("section", make_element("h2", title), *content, class_=class_)


def render_list(items: Iterable[str]) -> Markup:
    """Renders texts as a list.

    Args:
        items: The texts.
    """
    return make_element("ul", [make_element("li", item) for item in items], class_="plain")


def render_table(label: str, heads: Row, rows: Iterable[Row], class_: str | None = None) -> Markup:
    """Renders a table whose first column has names.

    Args:
        label: What the table shows, for screen readers.
        heads: The titles of the columns. If the last one is "Size" or "Number", the cells
            below it are aligned as numbers.
        rows: The cells of each row.
        class_: The CSS class of the table: "stacked" if its rows are too wide for a phone.
    """
    classes = ["name", *([None] * (len(heads) - 1))]
    if heads[-1] in ("Size", "Number"):
        classes[-1] = "size"
    head = [
        make_element("th", text, scope="col", class_="size" if kind == "size" else None)
        for text, kind in zip(heads, classes, strict=True)
    ]
    body = [
        make_element(
            "tr",
            [
                make_element("td", cell, class_=kind)
                for cell, kind in zip(row, classes, strict=True)
            ],
        )
        for row in rows
    ]
    table = make_element(
        "table",
        make_element("thead", make_element("tr", head)),
        make_element("tbody", body),
        class_=class_,
    )
    return _make_scrollable(label, table)


def _make_scrollable(label: str, content: Markup, **attributes: str) -> Markup:
    # tabindex: the keyboard has to reach what scrolls.
    return make_element(
        "div",
        content,
        class_="scroll",
        role="region",
        aria_label=label,
        tabindex=0,
        **attributes,
    )


def render_usage(usages: Iterable[Usage]) -> Markup:
    """Renders code, with a button that copies it, for each way to use a module.

    Args:
        usages: The ways, in their order.
    """
    return make_element(
        "div",
        [_render_snippet(number, usage.way, usage.code) for number, usage in enumerate(usages)],
        class_="snippets",
    )


def _render_snippet(number: int, way: str, code: str) -> Markup:
    title = way[:1].upper() + way[1:]
    button = make_element(
        "button",
        "Copy",
        type="button",
        data_copy=f"code-{number}",
        aria_label=f"Copy the code for {way}",
    )
    pre = make_element(
        "pre",
        make_element("code", code, id=f"code-{number}"),
        tabindex=0,
        role="region",
        aria_label=way,
    )
    bar = make_element("div", make_element("h3", title), button, class_="bar")
    return make_element("div", bar, pre, class_="snippet")


def _render_signatures(section: str, signatures: Sequence[SignatureFacts]) -> Iterator[Markup]:
    for names, signature in group_signatures(signatures):
        title = ", ".join(names)
        rows = [
            (info.name, direction, describe_tensor(info))
            for direction, infos in (("input", signature.inputs), ("output", signature.outputs))
            for info in infos
        ]
        yield make_element("h3", make_element("code", title))
        yield render_table(f"{section}: {title}", ("Name", "Direction", "Type and shape"), rows)


def render_common_signatures(facts: ModuleFacts) -> Iterator[Markup]:
    """Renders which common signatures a module fulfils, and what it lacks.

    Args:
        facts: The facts of the module.
    """
    for common in facts.common_signatures:
        if common.fulfilled:
            state = make_element("span", "fulfilled", class_="state-yes")
        else:
            state = make_element("span", "nearly fulfilled", class_="state-no")
        yield make_element("h3", f"{common.name}: ", state)
        if common.missing:
            yield render_list(common.missing)


def _render_variables(facts: ModuleFacts) -> Iterator[Markup]:
    common = find_common_scope(build_scopes(facts.variables))
    trainable = sum(bool(variable.trainable_in) for variable in facts.variables)
    yield make_element(
        "p",
        f"{format_count(len(facts.variables), 'variable')} of {format_bytes(common.bytes)}; "
        f"{trainable:,} trainable.",
        [" All are in the scope ", make_element("code", common.name), "."] if common.name else (),
    )
    tiles = find_largest_scopes(common, _MOST_TILES)
    if sum(tile.bytes > 0 for tile in tiles) > 1:
        yield draw_treemap(
            tiles, common.name, "Bytes of variables by scope; the table has them too"
        )
    yield _render_bars(common)
    yield _render_all_variables(facts)


def _render_bars(common: Scope) -> Markup:
    scopes = find_largest_scopes(common, _MOST_BARS)
    largest = max(scope.bytes for scope in scopes) or 1
    rows = [
        make_element(
            "tr",
            make_element("td", scope.name.removeprefix(common.name) or "all", class_="name"),
            make_element("td", _render_bar(scope.bytes / largest), class_="bar"),
            make_element("td", format_bytes(scope.bytes), class_="size"),
        )
        for scope in scopes
    ]
    heads = [
        make_element("th", "Scope or variable", scope="col"),
        make_element("th", "Share", scope="col"),
        make_element("th", "Size", scope="col", class_="size"),
    ]
    table = make_element(
        "table", make_element("thead", make_element("tr", heads)), make_element("tbody", rows)
    )
    return _make_scrollable("Bytes of variables by scope", table)


def _render_bar(share: float) -> Markup:
    bar = make_element("rect", width=f"{max(share * 100, 0.5):.2f}", height=12, y=4, rx=1)
    return make_element(
        "svg", bar, viewBox="0 0 100 20", preserveAspectRatio="none", aria_hidden="true"
    )


def _render_all_variables(facts: ModuleFacts) -> Markup:
    rows = [
        (
            variable.name,
            variable.dtype,
            format_shape(variable.shape)
            + (f" in {variable.partitions} parts" if variable.partitions > 1 else ""),
            ", ".join(format_tags(tags) for tags in variable.trainable_in) or "no",
            format_bytes(variable.bytes),
        )
        for variable in facts.variables
    ]
    table = render_table("All variables", ("Name", "Type", "Shape", "Trainable in", "Size"), rows)
    total = format_count(len(rows), "variable")
    return make_element(
        "details",
        make_element("summary", f"Table of {total}"),
        make_element(
            "label",
            "Show those whose name contains ",
            make_element("input", id="filter", type="search"),
        ),
        make_element("p", total, id="shown", role="status"),
        make_element("div", table, id="variables"),
    )


def _render_graph(variant: VariantFacts, facts: ModuleFacts) -> Markup:
    several = len(facts.variants) > 1
    parts = [make_element("p", f"{describe_graph(variant)}.")]
    notes = []
    if variant.update_ops:
        notes.append(f"{format_count(len(variant.update_ops), 'update op')} to run in training")
    if variant.regularization_losses:
        notes.append(format_count(len(variant.regularization_losses), "regularisation loss term"))
    for message in variant.messages:
        fields = ", ".join(f"{key} {value}" for key, value in (message.content or {}).items())
        notes.append(f"attached message {message.key}: {fields or format_bytes(message.bytes)}")
    if notes:
        parts.append(render_list(notes))
    if variant.tables:
        rows = [
            (t.name, f"{t.key_dtype or '?'} to {t.value_dtype or '?'}", t.asset or "no asset")
            for t in variant.tables
        ]
        parts.append(make_element("h3", "Lookup tables"))
        parts.append(render_table("Lookup tables", ("Table", "Types", "Filled from"), rows))
    parts.append(_render_ops(variant))
    where = f" variant {describe_tags(variant.tags)}" if several else ""
    return render_section(f"Graph{where}", join(parts))


def _render_ops(variant: VariantFacts) -> Markup:
    ops = sorted(variant.op_counts.items(), key=lambda item: (-item[1], item[0]))
    if not ops:
        return Markup()
    heads = ("Type", "Number")
    rows = [(op, f"{number:,}") for op, number in ops]
    largest = render_table("Ops by type", heads, rows[:_MOST_OPS])
    rest = Markup()
    if len(rows) > _MOST_OPS:
        rest = make_element(
            "details",
            make_element("summary", f"{len(rows) - _MOST_OPS} other types of ops"),
            render_table("Other types of ops", heads, rows[_MOST_OPS:]),
        )
    return join([make_element("h3", f"Ops of {format_count(len(rows), 'type')}"), largest, rest])
