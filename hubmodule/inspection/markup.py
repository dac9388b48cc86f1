"""Builds HTML in which nothing from a module can be markup: all text is escaped here."""

from __future__ import annotations

import html
from collections.abc import Iterable

_VOID = frozenset({"br", "input", "link", "meta"})


class Markup(str):
    """Text that is HTML already; only `make_element`, `join` and `mark_trusted` make it."""

    __slots__ = ()


Child = str | Iterable[str]


def make_element(
    tag: str, *children: Child, **attributes: str | int | float | bool | None
) -> Markup:
    """An element.

    Args:
        tag: The name of the element.
        children: Its content: markup, text to escape, and sequences of both.
        attributes: Its attributes; `class_` is class and `aria_label` aria-label. True is an
            attribute without a value; None and False leave it out.
    """
    spelled = "".join(_write_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{spelled}>")
    return Markup(f"<{tag}{spelled}>{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Markup:
    """Markup and texts, one after the other."""
    flat = (child if isinstance(child, str) else join(child) for child in children)
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in flat))


def escape(text: str) -> Markup:
    """A text as HTML; characters that HTML does not allow are spelled as in Python."""
    allowed = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )
    return Markup(html.escape(allowed))


def mark_trusted(text: str) -> Markup:
    """HTML, CSS or JavaScript from a file of this package, taken as it is."""
    return Markup(text)


def _write_attribute(name: str, value: str | int | float | bool | None) -> str:
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
