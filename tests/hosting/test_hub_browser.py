"""The pages of a hub in a browser, as a server and as files: at two widths, light and dark."""

from __future__ import annotations

import contextlib
import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubmodule.hosting import page_renderer
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.serving import listen, make_server
from hubmodule.hosting.site import write_site
from tests.hosting.hubs import add_version
from tests.hosting.samples import add_golden, make_sample_hub
from tests.inspection.browser import (
    accessibility_violations,
    loading_page,
    measure_width,
    open_browser,
    requested,
    show,
    skipped_without,
)

pytestmark = skipped_without
MANY = 1000
VISIBLE = "[...document.querySelectorAll('.card:not([hidden])')].map(c => c.dataset.name)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving(hub: HubDirectory) -> Iterator[str]:
    """Serves a hub with its real pages while the block runs; the address."""
    with listen("127.0.0.1", 0) as listener:
        server = make_server(hub, page_renderer)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> HubDirectory:
    hub = make_sample_hub(tmp_path_factory.mktemp("hub"))
    add_version(hub, "acme/damaged/1", readme="The facts of this one are damaged.")
    return hub


@pytest.fixture(scope="module")
def address(hub: HubDirectory) -> Iterator[str]:
    with serving(hub) as address:
        yield address


@pytest.fixture(scope="module")
def site(hub: HubDirectory, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("site") / "out"
    write_site(hub, out)
    return out.as_uri() + "/"


@pytest.fixture(params=["served", "files"])
def root(request: pytest.FixtureRequest) -> str:
    """The address of the hub, on a server or in a directory; both end with "/"."""
    return request.getfixturevalue("address" if request.param == "served" else "site")


def find_page(root: str, handle: str) -> str:
    return f"{root}{handle}{'.html' if root.startswith('file:') else ''}"


def find_front_page(root: str) -> str:
    return f"{root}index.html" if root.startswith("file:") else root


def get_visible(browser: Any) -> list[str]:
    """The names of the modules that the front page shows, in their order."""
    return browser.execute_script(f"return {VISIBLE}")


def choose(browser: Any, name: str, value: str) -> None:
    """Chooses an option of a filter by its text."""
    select = browser.find_element("css selector", f"select[name={name}]")
    next(o for o in select.find_elements("tag name", "option") if o.text == value).click()


def press(browser: Any, *keys: str) -> None:
    """Presses keys where the focus is."""
    browser.switch_to.active_element.send_keys(*keys)


def capture_clipboard(browser: Any) -> None:
    browser.execute_script(
        "window.copied = null;"
        "navigator.clipboard.writeText = async text => { window.copied = text; };"
    )


HOSTILE = f"{'n' * 100}/{'n' * 100}/999999999"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "handle", ["", "acme/sentences/2", "acme/sentences/1", "acme/damaged/1", HOSTILE]
)
def test_pages(root: str, handle: str, width: int, is_dark: bool, browser: Any) -> None:
    page = find_page(root, handle) if handle else find_front_page(root)
    show(browser, page, width, is_dark)
    assert measure_width(browser, width) <= width
    assert browser.get_log("browser") == []
    # The browser's own pages aside, and the pictures in them.
    addresses = [url for url in requested(browser) if not url.startswith(("chrome", "data:"))]
    assert page in addresses
    assert [url for url in addresses if not url.startswith(root)] == []
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert accessibility_violations(browser) == {}


@pytest.fixture
def front(root: str, browser: Any) -> str:
    """The front page, shown without filters."""
    show(browser, "about:blank", 1280, False)
    show(browser, find_front_page(root), 1280, False)
    return root


class TestSearch:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("sentences", ["acme/sentences"]),
            ("REVIEWS vectors", ["acme/sentences"]),
            ("image_feature", ["acme/photos"]),
            ("lab/", ["lab/normalised", "lab/lookup"]),
            ("reviews lab", []),
        ],
    )
    def test_names_summaries_and_signatures(
        self, front: str, browser: Any, words: str, found: list[str]
    ) -> None:
        browser.find_element("id", "query").send_keys(words)
        assert get_visible(browser) == found
        status = browser.find_element("id", "found").text
        assert status == f"{len(found)} of 5 modules"
        assert browser.find_element("id", "none").is_displayed() is not bool(found)
        assert browser.get_log("browser") == []

    def test_descriptions_and_types(self, address: str, browser: Any) -> None:
        """These are in search.json, which the page loads when the search is used."""
        support = pytest.importorskip("selenium.webdriver.support.wait")
        show(browser, "about:blank", 1280, False)
        show(browser, address, 1280, False)
        browser.find_element("id", "query").send_keys("accuracy string")
        support.WebDriverWait(browser, 20).until(lambda _: get_visible(browser))
        assert get_visible(browser) == ["acme/sentences"]
        assert browser.get_log("browser") == []

    def test_keyboard(self, front: str, browser: Any) -> None:
        press(browser, "/")
        assert browser.switch_to.active_element.get_attribute("id") == "query"
        press(browser, "photos/")
        assert browser.find_element("id", "query").get_attribute("value") == "photos/"
        press(browser, "\ue00c", "photos", "\ue007")  # Escape, and Enter: to the first module
        assert browser.switch_to.active_element.text == "acme/photos"
        press(browser, "/", "\ue00c")  # Escape: all modules again
        assert len(get_visible(browser)) == 5

    def test_filters(self, front: str, browser: Any) -> None:
        browser.find_element("xpath", "//span[text()='Text feature vector']").click()
        assert get_visible(browser) == ["acme/sentences", "lab/lookup"]
        choose(browser, "publisher", "lab")
        assert get_visible(browser) == ["lab/lookup"]
        browser.find_element("xpath", "//span[text()='Other']").click()
        assert get_visible(browser) == ["lab/normalised"]
        browser.find_element("css selector", "button[type=reset]").click()
        browser.execute_async_script("setTimeout(arguments[0])")
        assert len(get_visible(browser)) == 5
        choose(browser, "size", "100 MB to 1 GB")
        assert get_visible(browser) == ["acme/photos"]
        choose(browser, "size", "10 to 100 MB")
        assert get_visible(browser) == ["acme/sentences"]

    def test_order(self, front: str, browser: Any) -> None:
        newest = get_visible(browser)
        choose(browser, "order", "By name")
        assert get_visible(browser) == sorted(newest)
        choose(browser, "order", "Smallest first")
        assert get_visible(browser)[-2:] == ["acme/sentences", "acme/photos"]
        choose(browser, "order", "Newest first")
        assert get_visible(browser) == newest

    def test_a_search_is_still_there_after_a_look_at_a_module(
        self, front: str, browser: Any
    ) -> None:
        browser.find_element("id", "query").send_keys("photos")
        with loading_page(browser):
            browser.find_element("link text", "acme/photos").click()
        assert browser.find_element("tag name", "h1").text.startswith("acme/photos")
        with loading_page(browser):
            browser.back()
        assert browser.find_element("id", "query").get_attribute("value") == "photos"
        assert get_visible(browser) == ["acme/photos"]

    def test_the_link_to_a_publisher(self, root: str, browser: Any) -> None:
        show(browser, find_page(root, "lab/lookup/3"), 1280, False)
        with loading_page(browser):
            browser.find_element("link text", "lab").click()
        assert get_visible(browser) == ["lab/normalised", "lab/lookup"]


def test_copies_the_handle_and_the_code(root: str, browser: Any) -> None:
    show(browser, find_page(root, "acme/sentences/2"), 1280, False)
    capture_clipboard(browser)
    hub = root.rstrip("/") if root.startswith("http") else page_renderer.EXAMPLE_URL
    browser.find_element("css selector", "button[data-copy=handle]").click()
    assert browser.execute_script("return window.copied") == f"{hub}/acme/sentences/2"
    # The text of an element out of sight is "" to the driver.
    announced = "return document.querySelector('.announcement').textContent"
    assert browser.execute_script(announced) == "Copied"
    browser.find_element("css selector", "[aria-label='Copy the code for graph mode']").click()
    assert f'hub.Module("{hub}/acme/sentences/2")' in browser.execute_script("return window.copied")
    assert browser.get_log("browser") == []


def test_the_pages_of_a_static_site_know_their_address(
    hub: HubDirectory, tmp_path: Path, browser: Any
) -> None:
    """On a web server, under a base path."""
    write_site(hub, tmp_path / "some" / "path")
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            base = f"http://127.0.0.1:{server.server_port}/some/path"
            show(browser, f"{base}/acme/sentences/2.html", 1280, False)
            handle = browser.find_element("id", "handle").text
            code = browser.find_element("css selector", ".snippet code").text
        finally:
            server.shutdown()
            thread.join()
    assert handle == f"{base}/acme/sentences/2"
    assert f'hub.Module("{handle}")' in code


def test_tabs(root: str, browser: Any) -> None:
    show(browser, find_page(root, "acme/sentences/2"), 1280, False)
    tabs = browser.find_elements("css selector", "[role=tab]")
    assert [tab.text for tab in tabs] == ["Graph mode", "Estimator column", "Keras", "Load"]

    def get_code() -> str:
        return browser.find_element("css selector", ".snippets").text

    assert "tf.Graph()" in get_code()
    tabs[0].click()
    press(browser, "\ue014")  # right
    assert "hub.text_embedding_column" in get_code()
    assert "tf.Graph()" not in get_code()
    press(browser, "\ue012", "\ue012")  # left, around the end
    assert browser.switch_to.active_element.text == "Load"
    assert "hub.load" in get_code()


def test_pages_can_be_read_without_their_script(root: str, browser: Any) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, find_front_page(root), 1280, False)
        page = browser.find_element("tag name", "main")
        assert "acme/sentences" in page.text
        assert "Search" not in page.text
        show(browser, find_page(root, "acme/sentences/2"), 1280, False)
        text = browser.find_element("tag name", "main").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "hub.text_embedding_column" in text
    assert "with tf.Graph().as_default()" in text


def test_the_skip_link(address: str, browser: Any) -> None:
    show(browser, "about:blank", 1280, False)
    show(browser, f"{address}acme/sentences/2", 1280, False)
    browser.find_element("tag name", "body").send_keys("\ue004")  # Tab
    assert browser.switch_to.active_element.text == "Skip to the content"
    press(browser, "\ue007")
    assert browser.switch_to.active_element.tag_name == "main"


def test_a_thousand_modules(tmp_path: Path, browser: Any) -> None:
    hub = HubDirectory(tmp_path / "hub")
    add_golden(hub, "team/m/1", "image", "One of many.")
    (module,) = hub.make_index()["modules"]
    index = {"schema": 1, "modules": [{**module, "name": f"m{i:04}"} for i in range(MANY)]}
    file = tmp_path / "index.html"
    file.write_text(page_renderer.render_front_page(index), encoding="utf-8")
    for path, content in page_renderer.list_static_files().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    show(browser, file, 1280, False)
    assert browser.find_element("id", "found").text == "1000 modules"
    # What is far below the screen is not laid out.
    far = "return document.querySelector('.card:last-child a').checkVisibility"
    assert browser.execute_script(f"{far}({{contentVisibilityAuto: true}})") is False
    browser.find_element("id", "query").send_keys("m0999")
    assert get_visible(browser) == ["team/m0999"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
