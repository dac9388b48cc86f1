"""Renders the pages of a hub; the same for `hubmodule serve` and `hubmodule site`."""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jinja2

from hubmodule._version import __version__
from hubmodule.hosting import records
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.links import SERVED, Links
from hubmodule.hosting.module_page import ModulePage, gather_module_page
from hubmodule.hosting.names import ModuleName
from hubmodule.hosting.records import AuditFinding
from hubmodule.inspection import conformance, html_sections
from hubmodule.inspection.differences import Changes
from hubmodule.inspection.facts import Sizes
from hubmodule.inspection.markup import Markup, escape, join, make_element
from hubmodule.inspection.report import describe_writers
from hubmodule.inspection.wording import format_bytes, format_count

# Even if a name or README were taken for markup, it could not run anything, nor load anything
# from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)
# Stands for the address of a static site in the code to paste; the script puts in the real one.
EXAMPLE_URL = "https://hub.example.com"

_MOST_SIGNATURES = 6
_MOST_CHANGES = 20
_ICONS = {
    conformance.TEXT: "text",
    conformance.IMAGE: "image",
    conformance.CLASSIFICATION: "labels",
}
_OTHER_ICON = "graph"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?=T|$)")
_ROOT_OF_VERSION = "../../"


def render_front_page(index: Mapping[str, Any], links: Links = SERVED) -> str:
    """Renders the page that lists all modules.

    Args:
        index: The content of index.json.
        links: How pages refer to each other.

    Returns:
        A complete HTML document.
    """
    modules = sorted(
        records.read_modules(index), key=lambda module: module.newest.published, reverse=True
    )
    return _render(
        "front.html.j2",
        links,
        root="",
        modules=modules,
        publishers=sorted({module.publisher for module in modules}),
        versions=sum(len(module.versions) for module in modules),
        kinds=_list_sorted(kind for module in modules for kind in module.newest.conformance),
        has_others=any(not module.newest.conformance for module in modules),
        formats=_list_sorted(module.newest.format for module in modules),
        most_signatures=_MOST_SIGNATURES,
    )


def _list_sorted(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def render_module_page(
    hub: HubDirectory,
    name: ModuleName,
    version: int,
    base_url: str,
    index: Mapping[str, Any] | None = None,
    links: Links = SERVED,
) -> str:
    """Renders the page of a version of a module.

    If its facts are damaged, the page says so, and shows what can be read.

    Args:
        hub: The hub.
        name: The name of the module.
        version: The number of the version.
        base_url: The address of the hub, for the code to paste; "" if it is not known.
        index: The content of index.json; None reads it from the hub.
        links: How pages refer to each other.

    Returns:
        A complete HTML document.

    Raises:
        HandleNotFoundError: If the hub lacks this version.
    """
    page = gather_module_page(hub, name, version, base_url or EXAMPLE_URL)
    indexed = records.find_module(hub.read_index() if index is None else index, name)
    return _render(
        "module.html.j2",
        links,
        root=_ROOT_OF_VERSION,
        description=page.summary,
        page=page,
        placeholder="" if base_url else EXAMPLE_URL,
        indexed={entry.version: entry for entry in indexed.versions} if indexed else {},
        most=_MOST_CHANGES,
        **_describe_record(page),
    )


def _describe_record(page: ModulePage) -> dict[str, Any]:
    """Returns the variables of the template that come from facts.json."""
    record = page.record
    if record is None:
        return {"record": None, "facts": None, "kinds": (), "level": None}
    findings = record.audit.findings
    before = page.step.before if page.step else page.version
    older = f"{page.handle.rpartition('/')[0]}/{before}"
    return {
        "record": record,
        "facts": record.facts,
        "audit": record.audit,
        "kinds": [kind.name for kind in record.facts.common_signatures if kind.fulfilled],
        "level": findings[0].level if findings else None,
        "lacking": any(not kind.fulfilled for kind in record.facts.common_signatures),
        "serious": [finding for finding in findings if finding.level != "low"],
        "low": [finding for finding in findings if finding.level == "low"],
        "diff_command": f"hubmodule diff {older} {page.handle} --weights",
    }


def render_message_page(title: str, message: str, root: str, links: Links = SERVED) -> str:
    """Renders a page with a message, e.g. that a module does not exist.

    Args:
        title: The heading of the page.
        message: What happened, and what to do next.
        root: The address of the front page's directory relative to the page, e.g. "../../";
            "" if the page is beside the front page.
        links: How pages refer to each other.

    Returns:
        A complete HTML document.
    """
    return _render("message.html.j2", links, root=root, title=title, message=message)


@functools.cache
def list_static_files() -> dict[str, bytes]:
    """Returns the path -> the content of the files that pages load, relative to the front page."""
    inspection = importlib.resources.files("hubmodule.inspection")
    static = importlib.resources.files(__package__).joinpath("static")
    return {
        # The pages have the sections of `hubmodule inspect --html`.
        "static/hub.css": inspection.joinpath("page.css").read_bytes()
        + static.joinpath("hub.css").read_bytes(),
        "static/hub.js": inspection.joinpath("page.js").read_bytes()
        + static.joinpath("hub.js").read_bytes(),
        "static/hub.svg": static.joinpath("hub.svg").read_bytes(),
    }


def _render(template: str, links: Links, **variables: Any) -> str:
    return (
        _make_environment()
        .get_template(template)
        .render(links=links, policy=CONTENT_SECURITY_POLICY, generator=__version__, **variables)
    )


@functools.cache
def _make_environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hubmodule.hosting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_escape,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        choose_icon=_choose_icon,
        count_beyond=_count_beyond,
        describe_writers=describe_writers,
        draw_sizes=_draw_sizes,
        format_bytes=format_bytes,
        format_count=format_count,
        render_common_signatures=html_sections.render_common_signatures,
        render_content_sections=html_sections.render_content_sections,
        render_findings=_render_findings,
        render_foreign_ops=html_sections.render_foreign_ops,
        render_graph_sections=html_sections.render_graph_sections,
        render_list=html_sections.render_list,
        render_signature_sections=html_sections.render_signature_sections,
        render_usage=html_sections.render_usage,
        shorten_date=_shorten_date,
    )
    return environment


def _escape(value: object) -> object:
    """Escapes text as all pages do: unprintable characters too, which could reverse its order."""
    return escape(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _choose_icon(kinds: Sequence[str]) -> str:
    return next((_ICONS[kind] for kind in kinds if kind in _ICONS), _OTHER_ICON)


def _count_beyond(changes: Changes, most: int) -> int:
    """Counts the changes that are left out if only the first ones of each sort are shown."""
    return sum(
        max(len(part) - most, 0) for part in (changes.added, changes.removed, changes.changed)
    )


def _shorten_date(time: str) -> str:
    """Returns the day of a time in ISO 8601."""
    found = _DATE.match(time)
    return found[0] if found else time


def _render_findings(findings: Sequence[AuditFinding], label: str) -> Markup:
    rows = [
        (f.op, f.level, f.node, f.reason, "; ".join(f.reached_from) or "nothing") for f in findings
    ]
    heads = ("Op", "Level", "Node", "What it does", "What runs it")
    return html_sections.render_table(label, heads, rows, class_="stacked")


def _draw_sizes(sizes: Sizes) -> Markup:
    """Draws the sizes of the files as a bar of three colours, and lists them."""
    parts = {"Graph": sizes.graph, "Variables": sizes.variables, "Assets": sizes.assets}
    total = sum(parts.values()) or 1
    left = 0.0
    bars, rows = [], []
    for number, (name, size) in enumerate(parts.items()):
        width = size / total * 100
        bars.append(
            make_element(
                "rect",
                x=f"{left:.2f}",
                width=f"{width:.2f}",
                height=10,
                class_=f"part-{number}",
            )
        )
        left += width
        key = make_element("span", class_=f"key part-{number}")
        rows.append(
            make_element(
                "div", make_element("dt", key, name), make_element("dd", format_bytes(size))
            )
        )
    bar = make_element(
        "svg",
        bars,
        class_="sizes",
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    return join([bar, make_element("dl", rows, class_="about")])
