"""Makes HTML, and escapes all text, so that no name in a module can become markup."""

from __future__ import annotations

import html
from collections.abc import Iterable

from hubmodule.auditing.printable import make_printable

_VOID = frozenset({"br", "input", "link", "meta"})


class Markup(str):
    """A text that is HTML; only `make_element`, `join` and `mark_trusted` make it."""

    __slots__ = ()

    def __html__(self) -> Markup:
        """Returns the text itself: template engines ask for it, and then do not escape it."""
        return self


Child = str | Iterable[str]


def make_element(
    tag: str, *children: Child, **attributes: str | int | float | bool | None
) -> Markup:
    """Makes an element.

    Args:
        tag: The name of the element, e.g. "td".
        children: Its content: markup, text to escape, and sequences of both.
        attributes: Its attributes by their names in Python: `class_` stands for class,
            `aria_label` for aria-label. True makes an attribute without a value; None and
            False make none.
    """
    spelled = "".join(_write_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{spelled}>")
    return Markup(f"<{tag}{spelled}>{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Markup:
    """Joins markup and texts.

    Args:
        children: Markup, text to escape, and sequences of both.
    """
    flat = (child if isinstance(child, str) else join(child) for child in children)
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in flat))


def escape(text: str) -> Markup:
    """Escapes a text for HTML, and writes unprintable characters as Python escapes them."""
    lines = (make_printable(line) for line in text.split("\n"))
    return Markup(html.escape("\n".join(lines)))


def mark_trusted(text: str) -> Markup:
    """Marks HTML, CSS or JavaScript from a file of this package as markup, without escaping it."""
    return Markup(text)


def _write_attribute(name: str, value: str | int | float | bool | None) -> str:
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
