"""Pages of the site are made from pages of the repository."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.site_pages import change_docstring, change_page

INDEX = """# Title

## Tutorials

- [First](first.md): a page, and [a part](second.md#part)

## Reference

- [Other](../OTHER.md)
"""


def test_sections_of_the_index_become_contents(tmp_path: Path) -> None:
    (tmp_path / "examples" / "one").mkdir(parents=True)
    (tmp_path / "examples" / "one" / "notebook.ipynb").touch()
    text = change_page(tmp_path, "docs/index", INDEX)
    _, first, second = text.split("```{toctree}\n")
    assert first.partition("```")[0] == (
        ":hidden:\n:caption: Tutorials\n\nFirst </docs/first.md>\n/examples/one/notebook.ipynb\n"
    )
    assert second.partition("```")[0] == ":hidden:\n:caption: Reference\n\nOther </OTHER.md>\n"


def test_names_of_the_api_get_their_descriptions(tmp_path: Path) -> None:
    page = "# API\n\n## Part\n\n| name | does |\n|---|---|\n| `hub.load` | loads |\n"
    text = change_page(tmp_path, "docs/api", page)
    assert "| {py:obj}`hub.load <hubmodule.load>` | loads |" in text
    assert "```{eval-rst}\n.. autofunction:: hubmodule.load\n```" in text


def test_links_to_directories_become_text(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "code" / "a.py").touch()
    page = "[code](../code) and [a](../code/a.py)"
    assert change_page(tmp_path, "docs/page", page) == "code and [a](../code/a.py)"


def test_notebooks_stay_as_they_are(tmp_path: Path) -> None:
    assert change_page(tmp_path, "examples/one/notebook", "{}") == "{}"


def test_examples_in_docstrings_are_code() -> None:
    text = (
        "Does.\n\n    >>> f(\n    ...     1)\n    2\n\nMore:\n\n    import x\n\n    x.y()\n\nEnd."
    )
    assert change_docstring(text.split("\n")) == [
        *["Does.", "", ">>> f(", "...     1)", "2", "", "More:", ""],
        *["::", "", "    import x", "", "    x.y()", "", "End.", ""],
    ]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
