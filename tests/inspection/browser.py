"""Debian's Chromium, driven by selenium; nothing is downloaded."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".cache" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
_CHROMIUM = shutil.which("chromium")
_DRIVER = shutil.which("chromedriver")
_FLAGS = (
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "hide-scrollbars",
)

skipped_without = pytest.mark.skipif(
    not (_CHROMIUM and _DRIVER and AXE.is_file()),
    reason="needs chromium, chromedriver and axe-core: make browser",
)


@contextlib.contextmanager
def open_browser(profile: Path) -> Iterator[Any]:
    """A browser with the logs of its console and of its requests."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM
    for flag in (*_FLAGS, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(_DRIVER, env={**os.environ, "SE_OFFLINE": "true"})
    browser = webdriver.Chrome(options, service)
    try:
        yield browser
    finally:
        browser.quit()


def show(browser: Any, page: Path | str, width: int, is_dark: bool) -> None:
    """Loads a file or an address on a screen of a width in pixels; its logs begin anew."""
    # Windows are not as narrow as phones; what a page sees can be.
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    for log in ("browser", "performance"):
        browser.get_log(log)
    address = page if isinstance(page, str) else page.as_uri()
    with loading_page(browser, address):
        browser.get(address)


@contextlib.contextmanager
def loading_page(browser: Any, address: str = "") -> Iterator[None]:
    """Waits after the block, which leads to another page, until that and its scripts are loaded.

    On a busy machine, Chromium's driver may go on while the page before is still there, or the
    empty document of a new process. So the page before gets a mark, a new one each time: where
    the block goes back to a page, that may have the mark of an earlier block.
    """
    wait = pytest.importorskip("selenium.webdriver.support.wait")
    mark = str(uuid.uuid4())
    browser.execute_script("window.mark = arguments[0]", mark)
    yield
    wait.WebDriverWait(browser, 60, 0.02).until(
        lambda _: browser.execute_script(
            "const [mark, address] = arguments;"
            "return window.mark !== mark && document.readyState === 'complete'"
            " && (location.href !== 'about:blank' || address === 'about:blank')",
            mark,
            address,
        )
    )


def measure_width(browser: Any, enough: int) -> int:
    """The width in pixels that a page needs, once the browser has laid it out.

    In the first frames, Chromium has not decided yet which parts of a page are visible; so this
    waits for up to a hundred frames until the width is small enough.
    """
    return browser.execute_async_script(
        "const [enough, done] = arguments, root = document.documentElement;"
        "const measure = frames => root.scrollWidth <= enough || !frames ? done(root.scrollWidth)"
        " : requestAnimationFrame(() => measure(frames - 1));"
        "measure(100);",
        enough,
    )


def requested(browser: Any) -> list[str]:
    """The addresses that the browser asked for since `show`."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]


def accessibility_violations(browser: Any) -> dict[str, list[str]]:
    """The rules of axe-core that a page breaks seriously, with the elements."""
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    result = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then(done, error => done({error: String(error)}));"
    )
    return {
        violation["id"]: [node["html"] for node in violation["nodes"]]
        for violation in result["violations"]
        if violation["impact"] in ("serious", "critical")
    }
