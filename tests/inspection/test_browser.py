"""The page of a module in a browser: at two widths, light and dark."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from hubmodule.inspection.html_page import write_html
from hubmodule.inspection.inspect import inspect
from tests.inspection.browser import (
    accessibility_violations,
    measure_width,
    open_browser,
    requested,
    show,
    skipped_without,
)
from tests.inspection.modules import HOSTILE, add_asset, golden, meta_graph, write_module

MARKUP = "<img src=https://example.com/x onerror=alert(1)>"


@pytest.fixture(params=["image", "partitioned", "hostile"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The page of a module; of one with markup in every name that there is."""
    path = golden(request.param)
    if request.param == "hostile":
        graph = meta_graph({MARKUP}, name=MARKUP + HOSTILE)
        graph.graph_def.node.add(name="a", op=MARKUP)
        graph.signature_def[MARKUP].CopyFrom(graph.signature_def["default"])
        graph.meta_info_def.tensorflow_version = MARKUP
        graph.meta_info_def.any_info.Pack(StringValue(value=f"hubmodule {MARKUP}"))
        add_asset(graph, "y", MARKUP)
        path = write_module(tmp_path / "module", graph)
    file = tmp_path / "page.html"
    file.write_text(write_html(inspect(path)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@skipped_without
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_in_a_browser(page: Path, width: int, is_dark: bool, browser: Any) -> None:
    show(browser, page, width, is_dark)
    assert browser.get_log("browser") == []
    # The browser's own pages aside, and the pictures in them.
    addresses = [url for url in requested(browser) if not url.startswith(("chrome", "data:"))]
    assert set(addresses) == {page.as_uri()}
    assert measure_width(browser, width) <= width
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert accessibility_violations(browser) == {}


@skipped_without
def test_the_copy_button_and_the_filter(page: Path, browser: Any) -> None:
    show(browser, page, 1280, False)
    button = browser.find_element("css selector", "button[data-copy]")
    browser.execute_script(
        "window.copied = null;"
        "navigator.clipboard.writeText = async text => { window.copied = text; };"
    )
    button.click()
    assert "import hubmodule as hub" in browser.execute_script("return window.copied")
    browser.execute_script("document.querySelector('details').open = true")
    browser.find_element("id", "filter").send_keys("no such variable")
    assert browser.find_element("id", "shown").text.startswith("0 of ")
    assert browser.get_log("browser") == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
