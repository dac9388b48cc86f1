"""Reads and replaces the sections of pages that programs write."""

from __future__ import annotations

import re
from pathlib import Path


def read_section(page: Path, name: str) -> str:
    """Reads a generated section of a page.

    Args:
        page: The path of the page.
        name: The name in the comments around the section.

    Raises:
        ValueError: If the page has no such section.
    """
    found = re.search(_make_pattern(name), page.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise ValueError(f"{page} has no section {name!r}.")
    return found[2].strip()


def replace_section(page: Path, name: str, text: str) -> None:
    """Replaces a generated section of a page."""
    new = re.sub(
        _make_pattern(name),
        lambda found: f"{found[1]}\n{text}\n{found[3]}",
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    page.write_text(new, encoding="utf-8")


def _make_pattern(name: str) -> str:
    return rf"(<!-- {name}: generated -->)(.*?)(<!-- end of {name} -->)"
