"""Sites with links that lead nowhere, or that load from elsewhere, are noticed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.check_site import check


def write_site(directory: Path, body: str) -> Path:
    directory.joinpath("index.html").write_text(f"<h1 id='top'>A</h1>{body}", encoding="utf-8")
    directory.joinpath("b.html").write_text("<p id='place'>B</p>", encoding="utf-8")
    return directory


@pytest.mark.parametrize(
    "body, problem",
    [
        ("<a href='b.html#place'>b</a><a href='#top'>a</a><a href='https://h/'>h</a>", None),
        ("<a href='c.html'>c</a>", "links to c.html, which does not exist."),
        ("<a href='b.html#no'>b</a>", "links to b.html#no, a place that the page does not have."),
        ("<script src='https://h/x.js'></script>", "loads https://h/x.js."),
        (f"<p>{Path.home()}/x</p>", f"has the path {Path.home()} of this machine."),
    ],
)
def test_problems(tmp_path: Path, body: str, problem: str | None) -> None:
    wanted = [] if problem is None else [f"index.html: {problem}"]
    assert check(write_site(tmp_path, body)) == wanted


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
