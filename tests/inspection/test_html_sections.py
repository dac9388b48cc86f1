"""Tests of hubmodule.inspection.html_sections."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from hubmodule.inspection.facts import ForeignOp, Usage
from hubmodule.inspection.html_sections import (
    render_content_sections,
    render_foreign_ops,
    render_list,
    render_section,
    render_signature_sections,
    render_table,
    render_usage,
)
from hubmodule.inspection.inspect import inspect
from hubmodule.inspection.markup import join
from tests.inspection.modules import HOSTILE, golden

ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#x27;\\x1b[31m"


def test_tables_escape_and_align() -> None:
    table = render_table("Sizes", ("File", "Size"), [(HOSTILE, "4 B")])
    assert f'<td class="name">{ESCAPED}</td><td class="size">4 B</td>' in table
    assert '<th scope="col" class="size">Size</th>' in table
    # The keyboard reaches what scrolls, and screen readers name it.
    assert 'role="region" aria-label="Sizes" tabindex="0"' in table


def test_sections_and_lists() -> None:
    section = render_section("A", render_list(["b", "<"]), class_="warning")
    assert section == (
        '<section class="warning"><h2>A</h2><ul class="plain"><li>b</li><li>&lt;</li></ul>'
        "</section>"
    )


def test_code_has_a_button() -> None:
    html = render_usage([Usage("Keras", "a = 1"), Usage("load", HOSTILE)])
    assert '<button type="button" data-copy="code-0" aria-label="Copy the code for Keras">' in html
    assert f'<code id="code-1">{ESCAPED}</code>' in html


def test_foreign_ops() -> None:
    facts = inspect(golden("image"))
    assert render_foreign_ops(facts) == ""
    op = ForeignOp("SentencepieceOp", "tensorflow_text")
    assert "tensorflow_text" in render_foreign_ops(dataclasses.replace(facts, foreign_ops=(op,)))


def test_sections_of_a_module() -> None:
    facts = inspect(golden("image"))
    assert "image_feature_vector" in join(render_signature_sections(facts))
    assert "<h2>Variables</h2>" in join(render_content_sections(facts))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
