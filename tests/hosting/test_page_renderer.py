"""Tests of hubmodule.hosting.page_renderer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.links import STATIC
from hubmodule.hosting.names import ModuleName
from hubmodule.hosting.page_renderer import (
    EXAMPLE_URL,
    list_static_files,
    render_front_page,
    render_message_page,
    render_module_page,
)
from tests.hosting.hubs import add_version
from tests.hosting.parsed_html import Page
from tests.hosting.samples import MARKUP, add_golden, make_sample_hub

URL = "https://hub.example.com"
SENTENCES = ModuleName("acme", "sentences")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> HubDirectory:
    return make_sample_hub(tmp_path_factory.mktemp("hub"))


def render(hub: HubDirectory, handle: str, url: str = URL, **more: Any) -> str:
    publisher, name, version = handle.split("/")
    return render_module_page(hub, ModuleName(publisher, name), int(version), url, **more)


def list_handles(hub: HubDirectory) -> list[str]:
    return [
        f"{name}/{version}" for name in hub.list_modules() for version in hub.list_versions(name)
    ]


def check_page(html: str) -> Page:
    """Checks what holds for all pages; returns the page."""
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert page.unclosed == []
    assert not page.has_handlers()
    assert page.get_attributes("style") == []
    (script,) = page.get_attributes("script")
    (stylesheet, icon) = reversed(page.get_attributes("link"))
    loaded = {script["src"], stylesheet["href"], icon["href"]}
    assert {str(path).removeprefix("../../") for path in loaded} == list_static_files().keys()
    policy = page.get_attributes("meta")[1]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert str(policy["content"]).startswith("default-src 'none';")
    assert "unsafe" not in str(policy["content"])
    assert len(page.get_attributes("h1")) == len(page.get_attributes("main")) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len({*ids})
    return page


class TestFrontPage:
    def test_lists_all_modules(self, hub: HubDirectory) -> None:
        page = check_page(render_front_page(hub.read_index()))
        cards = [a for a in page.get_attributes("li") if a.get("class") == "card"]
        assert [a["data-name"] for a in cards[:2]] == ["lab/normalised", "acme/sentences"]
        assert len(cards) == 5
        assert cards[1]["data-kinds"] == "text feature vector"
        assert cards[1]["data-bytes"] == "23000000"
        assert "Embeds sentences of reviews as vectors for classifiers." in page.text
        assert "23.0 MB" in page.text
        assert {"acme/sentences/2", "lab/lookup/3"} <= page.get_addresses()

    def test_links_of_a_static_site(self, hub: HubDirectory) -> None:
        page = check_page(render_front_page(hub.read_index(), STATIC))
        assert "acme/sentences/2.html" in page.get_addresses()

    def test_filters_are_what_the_hub_has(self, hub: HubDirectory) -> None:
        page = check_page(render_front_page(hub.read_index()))
        kinds = [a["value"] for a in page.get_attributes("input") if a.get("name") == "kind"]
        assert kinds == ["", "image feature vector", "text feature vector", "other"]
        (search,) = page.get_attributes("form")
        assert "hidden" in search  # without the script, which shows it, it could do nothing

    def test_an_empty_hub(self, tmp_path: Path) -> None:
        page = check_page(render_front_page(HubDirectory(tmp_path).read_index()))
        assert "hubmodule publish MODULE_DIR HUB" in page.text
        assert page.get_attributes("form") == []

    def test_damaged_entries_do_not_hide_others(self, hub: HubDirectory) -> None:
        index = hub.read_index()
        index["modules"][0]["versions"][0]["bytes"] = None
        page = check_page(render_front_page(index))
        assert len([a for a in page.get_attributes("li") if a.get("class") == "card"]) == 4


class TestModulePage:
    def test_every_page_is_well_formed(self, hub: HubDirectory) -> None:
        for handle in list_handles(hub):
            check_page(render(hub, handle))
            check_page(render(hub, handle, links=STATIC))

    def test_what_it_shows(self, hub: HubDirectory) -> None:
        text = check_page(render(hub, "acme/sentences/2")).text
        sha256 = hub.read_facts(SENTENCES, 2)["archive"]["sha256"]
        for part in (
            "What it is for",
            'hub.text_embedding_column(\n    "text",\n'
            '    "https://hub.example.com/acme/sentences/2",',
            "with tf.Graph().as_default():",
            'hub.load("https://hub.example.com/acme/sentences/2")',
            "float32 [?, 3]",
            "Compatible: programs that call version 1 can call this one.",
            "No findings of level high or medium.",
            f"https://hub.example.com/acme/sentences/2#sha256={sha256}",
            "hubmodule diff https://hub.example.com/acme/sentences/1 "
            "https://hub.example.com/acme/sentences/2 --weights",
            "2026-02-05",
        ):
            assert part in text

    def test_addresses(self, hub: HubDirectory) -> None:
        served = check_page(render(hub, "acme/sentences/2")).get_addresses()
        assert {"../.././", "1", "2?tf-hub-format=compressed", "2/accuracy.png"} <= served
        static = check_page(render(hub, "acme/sentences/2", links=STATIC)).get_addresses()
        assert {"../../index.html", "1.html", "2/module.tar.gz", "2/accuracy.png"} <= static

    def test_an_unknown_address_of_the_hub(self, hub: HubDirectory) -> None:
        html = render(hub, "acme/sentences/2", url="")
        (body,) = check_page(html).get_attributes("body")
        assert body == {"data-root": "../../", "data-placeholder": EXAMPLE_URL}
        (body,) = check_page(render(hub, "acme/sentences/2")).get_attributes("body")
        assert body == {"data-root": "../../"}

    def test_an_older_version(self, hub: HubDirectory) -> None:
        page = check_page(render(hub, "acme/sentences/1"))
        assert "is the newest.\nIt is compatible" in page.text
        assert "published without a description" in page.text

    def test_the_index_that_is_given_is_not_read(
        self, hub: HubDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        index = hub.read_index()
        monkeypatch.setattr(hub, "read_index", None)
        assert "23.0 MB" in render(hub, "acme/sentences/1", index=index)

    def test_hostile_content(self, hub: HubDirectory) -> None:
        (handle,) = [handle for handle in list_handles(hub) if handle.startswith("nnn")]
        html = render(hub, handle)
        page = check_page(html)
        assert page.get_attributes("img") == []
        assert MARKUP in page.text
        outside = {a for a in page.get_addresses() if "://" in str(a)}
        assert outside == {"https://evil.example/f.png", "https://evil.example/g"}
        assert "1 finding of level high or medium" in page.text

    def test_unprintable_characters(self, tmp_path: Path) -> None:
        hub = HubDirectory(tmp_path)
        add_golden(hub, "acme/x/1", "image", published="\u202e2026\x1b\x00")
        html = render(hub, "acme/x/1")
        assert "\u202e" not in html
        assert r"\u202e2026\x1b\x00" in check_page(html).text

    def test_damaged_facts(self, tmp_path: Path) -> None:
        hub = HubDirectory(tmp_path)
        add_version(hub, "acme/x/1", readme="# X\n\nWhat it is.")
        page = check_page(render(hub, "acme/x/1"))
        assert "The facts of this version are damaged" in page.text
        assert "facts.json.facts has no field 'assets'" in page.text
        assert "What it is." in page.text
        assert "1?tf-hub-format=compressed" in page.get_addresses()


def test_messages() -> None:
    page = check_page(render_message_page("No such module", MARKUP, "../../"))
    assert MARKUP in page.text
    assert "../../static/hub.css" in page.get_addresses()


def test_static_files_load_nothing_from_elsewhere() -> None:
    files = list_static_files()
    assert {*files} == {"static/hub.css", "static/hub.js", "static/hub.svg"}
    for content in files.values():
        text = content.decode().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text
        assert "@import" not in text
        assert "url(" not in text


def test_needs_no_tensorflow(tmp_path: Path) -> None:
    add_version(HubDirectory(tmp_path), "acme/x/1")
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from hubmodule.hosting.hub_directory import HubDirectory\n"
        "from hubmodule.hosting.names import ModuleName\n"
        "from hubmodule.hosting.page_renderer import render_front_page, render_module_page\n"
        f"hub = HubDirectory({str(tmp_path)!r})\n"
        "render_front_page(hub.read_index())\n"
        "render_module_page(hub, ModuleName('acme', 'x'), 1, '')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
