"""Tests of hubmodule.hosting.markdown."""

from __future__ import annotations

import sys

import hypothesis
import pytest
from hypothesis import strategies

from hubmodule.hosting.markdown import render_markdown
from tests.hosting.parsed_html import Page
from tests.hosting.samples import HOSTILE_README


def render(text: str, *pictures: str) -> str:
    """Renders a text, in a hub that has some pictures."""
    return render_markdown(text, lambda path: f"3/{path}" if path in pictures else None).strip()


def test_headings_come_below_those_of_the_page() -> None:
    assert render("# A\n\n##### B") == "<h3>A</h3>\n<h6>B</h6>"


def test_tables_and_code_can_be_scrolled_by_keyboard() -> None:
    html = render("| a |\n|---|\n| ~~b~~ |\n\n```python\nx < 1\n```\n\n    y")
    scrolling = [a for _, a in Page(html).elements if a.get("class") == "scroll"]
    assert [a["tabindex"] for a in scrolling] == ["0", "0", "0"]
    assert [a["aria-label"] for a in scrolling] == ["Table", "Code", "Code"]
    assert "<s>b</s>" in html
    assert "<code>x &lt; 1\n</code>" in html


def test_links_to_the_web() -> None:
    assert render("[a](https://example.com/?a=1&b) <mailto:a@example.com>") == (
        '<p><a href="https://example.com/?a=1&amp;b" rel="nofollow noopener noreferrer">a</a> '
        '<a href="mailto:a@example.com" rel="nofollow noopener noreferrer">mailto:a@example.com'
        "</a></p>"
    )


@pytest.mark.parametrize(
    "address", ["LICENSE", "../x", "//example.com", "/x", "#x", "ftp://x", "//[", "http:x\\\\[::1"]
)
def test_other_links_become_text(address: str) -> None:
    page = Page(render(f"[*a* b]({address})"))
    assert page.text.strip() == "a b"
    assert [a for a in page.get_addresses() if not str(a).startswith("http")] == []


def test_pictures_of_the_hub() -> None:
    assert render("![a <b>](p/x.png)", "p/x.png") == (
        '<p><img src="3/p/x.png" alt="a &lt;b&gt;" loading="lazy"></p>'
    )


def test_other_pictures_become_links() -> None:
    html = render("![a](https://example.com/a.png) ![](b.png)")
    assert Page(html).get_attributes("img") == []
    assert 'href="https://example.com/a.png"' in html
    assert html.endswith("</a> picture</p>")


def test_a_picture_in_a_link() -> None:
    page = Page(render("[![a](https://example.com/a.png)](https://example.com/b)"))
    assert page.get_addresses() == {"https://example.com/b"}
    assert page.text.strip() == "a"


def test_metadata_is_left_out() -> None:
    text = "---\ntags: x\n---\nA <!-- hidden\nlines -->b\n\n```\n<!-- stays -->\n```\n\n<!-- open"
    assert Page(render(text)).text.split() == ["A", "b", "<!--", "stays", "-->"]


def test_hostile_text() -> None:
    page = Page(render(HOSTILE_README))
    assert page.unclosed == []
    assert not page.has_handlers()
    assert {tag for tag, _ in page.elements} == {"p", "a"}
    assert page.get_addresses() == {"https://evil.example/f.png", "https://evil.example/g"}
    assert all(a["rel"] == "nofollow noopener noreferrer" for a in page.get_attributes("a"))
    assert "<script>alert(1)</script>" in page.text


@hypothesis.settings(deadline=None)
@hypothesis.given(
    strategies.text(strategies.sampled_from("<>[]()!\"'`*#|-:/\\& \nahrefsrc=javascript:"))
)
def test_no_text_makes_an_address_that_runs(text: str) -> None:
    page = Page(render(text))
    assert not page.has_handlers()
    assert all(
        str(address).startswith(("http:", "https:", "mailto:")) for address in page.get_addresses()
    )
    assert "script" not in {tag for tag, _ in page.elements}


def test_a_long_text_is_cut_off() -> None:
    assert len(render("a " * 500_000)) < 210_000


# The time of the parser grows with the square of their number.
@pytest.mark.parametrize("bracket", ["[", "![", "[a](x"])
def test_a_text_with_many_brackets_is_cut_off(bracket: str) -> None:
    html = render(f"first {bracket * 100_000}")
    assert html.startswith(("<p>first [", "<p>first !["))
    assert html.count("[") == 5000


def test_deep_nesting_ends() -> None:
    assert "deep" in render(">" * 5000 + " deep") or render(">" * 5000)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
