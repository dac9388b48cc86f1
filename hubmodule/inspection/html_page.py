"""Writes the facts of a module as one HTML file that loads no other file."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
from collections.abc import Iterator

from hubmodule._version import __version__
from hubmodule.inspection.facts import ModuleFacts
from hubmodule.inspection.html_sections import (
    render_common_signatures,
    render_content_sections,
    render_foreign_ops,
    render_graph_sections,
    render_list,
    render_section,
    render_signature_sections,
    render_table,
    render_usage,
)
from hubmodule.inspection.markup import Markup, make_element, mark_trusted
from hubmodule.inspection.report import describe_writers
from hubmodule.inspection.wording import format_bytes


def write_html(facts: ModuleFacts) -> str:
    """Writes the page of a module.

    Args:
        facts: The facts of the module.

    Returns:
        A complete HTML document.
    """
    style, script = _read_resource("page.css"), _read_resource("page.js")
    name = facts.handle.rstrip("/").rpartition("/")[2] or facts.handle
    head = make_element(
        "head",
        make_element("meta", charset="utf-8"),
        # Even if a name were taken for markup, it could not load or run anything.
        make_element(
            "meta",
            http_equiv="Content-Security-Policy",
            content=f"default-src 'none'; style-src '{_hash_source(style)}'; "
            f"script-src '{_hash_source(script)}'",
        ),
        make_element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        make_element("meta", name="color-scheme", content="light dark"),
        make_element("title", f"{name}: what the module is"),
        make_element("style", style),
    )
    body = make_element(
        "body",
        make_element("a", "Skip to the content", class_="skip", href="#content"),
        _render_header(name, facts),
        make_element("main", _render_sections(facts), id="content"),
        make_element(
            "footer",
            make_element("p", f"Read from the files by hubmodule {__version__}; nothing was run."),
        ),
        make_element("script", script),
    )
    return f"<!DOCTYPE html>\n{make_element('html', head, body, lang='en')}\n"


def _read_resource(name: str) -> Markup:
    return mark_trusted(importlib.resources.files(__package__).joinpath(name).read_text("utf-8"))


def _hash_source(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _render_header(name: str, facts: ModuleFacts) -> Markup:
    figures = {
        "Format": facts.format.value,
        "Written by": describe_writers(facts),
        "Graph": format_bytes(facts.sizes.graph),
        "Variables": format_bytes(facts.sizes.variables),
        "Assets": format_bytes(facts.sizes.assets),
    }
    return make_element(
        "header",
        make_element("h1", name),
        make_element("p", make_element("code", facts.handle), class_="handle"),
        make_element(
            "dl",
            [
                make_element("div", make_element("dt", k), make_element("dd", v))
                for k, v in figures.items()
            ],
            class_="figures",
        ),
    )


def _render_sections(facts: ModuleFacts) -> Iterator[Markup]:
    if facts.damage:
        yield render_section("Damaged", render_list(facts.damage), class_="warning")
    if facts.findings:
        findings = [(f.op, f.level, f.node, f.reason) for f in facts.findings]
        heads = ("Op", "Level", "Node", "What it does")
        table = render_table("Findings", heads, findings, class_="stacked")
        yield render_section("Findings", table, class_="warning")
    yield render_foreign_ops(facts)
    if facts.usage:
        yield render_section("Use it", render_usage(facts.usage))
    yield from render_signature_sections(facts)
    if facts.common_signatures:
        yield render_section("Common signatures", render_common_signatures(facts))
    yield from render_content_sections(facts)
    yield from render_graph_sections(facts)
