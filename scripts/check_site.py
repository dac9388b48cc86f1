"""Checks a site: links lead somewhere, nothing is loaded from elsewhere, no path of this machine.

python -m scripts.check_site build/site
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADING = {"img": "src", "script": "src", "link": "href", "iframe": "src"}
_ROOT = Path(__file__).resolve().parents[1]


class _Page(HTMLParser):
    """Collects what a page links to and loads, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in _LOADING and _LOADING[tag] in values:
            self.loaded.append(values[_LOADING[tag]])


def check(site: Path) -> list[str]:
    """Returns what is wrong with a site, a sentence each.

    Args:
        site: The directory with the pages.
    """
    pages = {path.resolve(): _read(path) for path in sorted(site.rglob("*.html"))}
    return [
        f"{path.relative_to(site.resolve())}: {problem}"
        for path in pages
        for problem in _check_page(path, pages)
    ]


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _check_page(path: Path, pages: dict[Path, _Page]) -> Iterator[str]:
    for secret in (str(_ROOT), str(Path.home())):
        if re.search(rf"{re.escape(secret)}(?![\w-])/", path.read_text(encoding="utf-8")):
            yield f"has the path {secret} of this machine."
    for address in pages[path].loaded:
        if urlsplit(address).netloc:
            yield f"loads {address}."
    for address in pages[path].links + pages[path].loaded:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file():
            yield f"links to {address}, which does not exist."
        elif target in pages and unquote(parts.fragment) not in {"", *pages[target].anchors}:
            yield f"links to {address}, a place that the page does not have."


def main() -> int:
    """Runs the program, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path, help="the directory with the pages")
    problems = check(parser.parse_args().site)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
