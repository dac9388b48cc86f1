"""Renders the README of a module as HTML that runs nothing and loads only pictures of the hub."""

from __future__ import annotations

import functools
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from hubmodule.hosting.readmes import remove_metadata
from hubmodule.inspection.markup import Markup, make_element, mark_trusted

# The rest of a longer text is cut off: no description needs it, and parsing takes time, which
# grows with the square of the number of brackets.
_MOST_CHARACTERS = 200_000
_MOST_BRACKETS = 5000
# The page has headings of the levels 1 and 2 of its own.
_HEADING_SHIFT = 2
_LAST_HEADING = 6

FindPicture = Callable[[str], str | None]


def render_markdown(text: str, find_picture: FindPicture) -> Markup:
    """Renders a text in Markdown as HTML.

    HTML in the text is shown as text. Links lead to http, https and mailto addresses only, and
    ask search engines not to follow them.

    Args:
        text: The text.
        find_picture: Returns the address of a picture, given its path relative to the text;
            None if the hub does not have it. A picture from elsewhere becomes a link.
    """
    parser = _make_parser()
    tokens = parser.parse(remove_metadata(_cut(text)))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            level = int(token.tag.removeprefix("h")) + _HEADING_SHIFT
            token.tag = f"h{min(level, _LAST_HEADING)}"
        if token.children:
            token.children = [*_restrict_links(_restrict_pictures(token.children, find_picture))]
    return mark_trusted(parser.renderer.render(tokens, parser.options, {}))


def _cut(text: str) -> str:
    """Returns the part of a text that is rendered."""
    parts = text[:_MOST_CHARACTERS].split("[", _MOST_BRACKETS + 1)
    return "[".join(parts[: _MOST_BRACKETS + 1])


@functools.cache
def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False})
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    parser.add_render_rule("fence", _render_code)
    parser.add_render_rule("code_block", _render_code)
    return parser


def _open_table(self: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>\n'


def _close_table(self: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return "</table></div>\n"


def _render_code(self: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    code = make_element("code", tokens[index].content)
    return make_element("pre", code, class_="scroll", role="region", aria_label="Code", tabindex=0)


def _restrict_pictures(tokens: Sequence[Token], find_picture: FindPicture) -> Iterator[Token]:
    """Yields tokens with pictures of the hub only; other pictures become links to them."""
    in_link = False
    for token in tokens:
        in_link = {"link_open": True, "link_close": False}.get(token.type, in_link)
        if token.type != "image":
            yield token
            continue
        source = str(token.attrGet("src") or "")
        address = find_picture(source)
        if address is not None:
            token.attrs = {"src": address, "alt": "", "loading": "lazy"}
            yield token
            continue
        text = Token("text", "", 0, content=token.content or "picture")
        if in_link:
            yield text
        else:
            yield Token("link_open", "a", 1, attrs={"href": source})
            yield text
            yield Token("link_close", "a", -1)


def _restrict_links(tokens: Sequence[Token] | Iterator[Token]) -> Iterator[Token]:
    """Yields tokens without the links that lead to other places than addresses of the web."""
    keeps_link = True
    for token in tokens:
        if token.type == "link_open":
            keeps_link = _is_web_address(str(token.attrGet("href") or ""))
            token.attrs = {
                "href": token.attrs.get("href", ""),
                "rel": "nofollow noopener noreferrer",
            }
        if keeps_link or token.type not in ("link_open", "link_close"):
            yield token


def _is_web_address(address: str) -> bool:
    try:
        return urllib.parse.urlsplit(address).scheme in ("http", "https", "mailto")
    except ValueError:  # e.g. an unfinished IPv6 address
        return False
