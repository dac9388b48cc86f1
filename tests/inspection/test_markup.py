"""Tests of hubmodule.inspection.markup."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection.markup import Markup, escape, join, make_element, mark_trusted
from tests.inspection.modules import HOSTILE

ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#x27;\\x1b[31m"


def test_texts_are_escaped_once() -> None:
    assert make_element("p", make_element("b", HOSTILE)) == f"<p><b>{ESCAPED}</b></p>"
    assert escape(HOSTILE) == ESCAPED
    assert escape("größe\n") == "größe\n"


def test_attributes() -> None:
    made = make_element("a", class_="x", aria_label=HOSTILE, hidden=True, title=None, tabindex=0)
    assert made == f'<a class="x" aria-label="{ESCAPED}" hidden tabindex="0"></a>'


def test_void_elements() -> None:
    assert make_element("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_children() -> None:
    assert join(["<", [Markup("<br>"), "&"], mark_trusted("<i>")]) == "&lt;<br>&amp;<i>"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
