"""Reads the HTML of pages."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "input", "link", "img", "br", "hr"}
# Elements of SVG that the pages write without an end tag.
_SELF_CLOSING = {"path", "circle", "use"}


class Page(HTMLParser):
    """The elements of a page, with their attributes, and its text.

    Attributes:
        elements: The name and attributes of each element.
        unclosed: The elements that have no end tag.
        text: The text of the page.
    """

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.unclosed: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        assert tag in _SELF_CLOSING
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        if tag not in ("li", "p") or self.unclosed[-1] == tag:
            assert self.unclosed.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data

    def get_attributes(self, tag: str) -> list[dict[str, str | None]]:
        """Returns the attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def get_addresses(self) -> set[str | None]:
        """Returns all addresses that the page refers to, for links or to load them."""
        return {
            value
            for _, attributes in self.elements
            for name, value in attributes.items()
            if name in ("href", "src", "action", "srcset", "poster", "background")
        }

    def has_handlers(self) -> bool:
        """Whether an element has an attribute that holds a script or a style."""
        return any(
            name.startswith("on") or name == "style"
            for _, attributes in self.elements
            for name in attributes
        )
