"""Tests of hubmodule.hosting.links."""

from __future__ import annotations

import sys
from urllib.parse import urljoin

import pytest

from hubmodule.hosting.links import SERVED, STATIC, get_handle, get_picture
from hubmodule.hosting.names import ModuleName

BASE = "https://example.com/some/path/"


@pytest.mark.parametrize(("links", "suffix"), [(SERVED, ""), (STATIC, ".html")])
def test_pages_refer_to_each_other(links, suffix: str) -> None:
    page = urljoin(BASE, links.get_page_from_front("acme", "sentences", 2))
    assert page == f"{BASE}acme/sentences/2{suffix}"
    assert urljoin(page, links.get_page(1)) == f"{BASE}acme/sentences/1{suffix}"
    assert urljoin(page, f"../../{links.front_page}").startswith(BASE)


def test_archives() -> None:
    page = f"{BASE}acme/sentences/2"
    archive = "?tf-hub-format=compressed"
    assert urljoin(page, SERVED.get_archive(2)) == f"{page}{archive}"
    assert urljoin(f"{page}.html", STATIC.get_archive(2)) == f"{page}/module.tar.gz"


def test_pictures() -> None:
    assert get_picture(2, "p/a ?.png") == "2/p/a%20%3F.png"


@pytest.mark.parametrize("base", ["https://example.com", "https://example.com/"])
def test_handles(base: str) -> None:
    assert get_handle(base, ModuleName("acme", "x"), 2) == "https://example.com/acme/x/2"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
