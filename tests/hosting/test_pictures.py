"""Tests of hubmodule.hosting.pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hubmodule.errors import PublishError
from hubmodule.hosting import pictures
from hubmodule.hosting.pictures import find_pictures
from tests.hosting.samples import PICTURE


def test_a_readme_of_unfinished_pictures(tmp_path: Path) -> None:
    # Without a limit, each would be searched for to the end of the text.
    assert find_pictures("![" * 100_000, str(tmp_path)) == {}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("a.png", "p/b c.JPG", "vector.svg"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICTURE)
    (tmp_path / "outside.png").write_bytes(PICTURE)
    return tmp_path / "docs"


@pytest.mark.parametrize(
    ("readme", "names"),
    [
        ("![a](a.png) and ![](./a.png 'title')", ["a.png"]),
        ("[![b](p/b%20c.JPG)](https://example.com)", ["p/b c.JPG"]),
        ("![b](<p/b c.JPG>)", ["p/b c.JPG"]),
        ("![c](https://example.com/c.png) ![d](//example.com/d.png) [e](e.png)", []),
    ],
)
def test_pictures_beside_the_readme(directory: Path, readme: str, names: list[str]) -> None:
    assert find_pictures(readme, str(directory)) == {
        name: os.path.join(directory, name) for name in names
    }


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("none.png", "does not exist"),
        ("../outside.png", "outside of its directory"),
        ("/etc/passwd.png", "outside of its directory"),
        ("vector.svg", "is not a picture"),
        ("module/a.png", "is not a picture"),
    ],
)
def test_what_cannot_be_published(directory: Path, address: str, message: str) -> None:
    with pytest.raises(PublishError, match=message):
        find_pictures(f"![x]({address})", str(directory))


def test_a_link_that_leads_outside(directory: Path) -> None:
    (directory / "link.png").symlink_to(directory.parent / "outside.png")
    with pytest.raises(PublishError, match="outside of its directory"):
        find_pictures("![x](link.png)", str(directory))


def test_a_large_picture(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_LARGEST", len(PICTURE) - 1)
    with pytest.raises(PublishError, match="Make the picture smaller"):
        find_pictures("![x](a.png)", str(directory))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
