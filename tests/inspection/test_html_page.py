"""Tests of hubmodule.inspection.html_page."""

from __future__ import annotations

import dataclasses
import sys
from html.parser import HTMLParser

import pytest

from hubmodule.inspection.facts import FindingFacts
from hubmodule.inspection.html_page import write_html
from hubmodule.inspection.inspect import inspect
from tests.inspection.modules import ALL_GOLDEN, HOSTILE, golden, meta_graph, write_module


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data


@pytest.mark.parametrize("path", ALL_GOLDEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pages_are_well_formed_and_load_nothing(path) -> None:
    page = Page(write_html(inspect(path)))
    assert page.open == []
    assert page.tags.count("script") == 1
    loading = {"src", "action", "background", "poster", "data", "srcset"}
    assert [name for name, _ in page.attributes if name in loading] == []
    assert {value for name, value in page.attributes if name == "href"} == {"#content"}


def test_names_that_hold_markup(tmp_path) -> None:
    graph = meta_graph({HOSTILE}, name=HOSTILE)
    graph.graph_def.node.add(name="a", op=HOSTILE)
    text = write_html(inspect(write_module(tmp_path, graph)))
    page = Page(text)
    assert page.tags.count("script") == 1
    assert "\x1b" not in text
    assert "<script>alert(1)" in page.text  # as text


def test_what_it_shows() -> None:
    text = Page(write_html(inspect(golden("image")))).text
    for part in (
        "TF1 Hub format",
        "image_feature_vector",
        "float32 [?, 4]",
        "height 6",
        "fulfilled",
    ):
        assert part in text


def test_findings_and_damage() -> None:
    findings = (FindingFacts("high", "ReadFile", "x/read", "It reads a file."),)
    facts = dataclasses.replace(inspect(golden("image")), damage=("It is.",), findings=findings)
    text = Page(write_html(facts)).text
    assert "Damaged" in text
    assert "It reads a file." in text


def test_no_empty_sections() -> None:
    text = Page(write_html(inspect(golden("dtypes")))).text
    for title in ("Findings", "Damaged", "Variables of", "Calls", "Ops of other packages"):
        assert title not in text


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
