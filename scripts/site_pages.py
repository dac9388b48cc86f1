"""Makes pages of the site from pages of the repository, which browsers of code show as they are."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

INDEX = "docs/index"
API = "docs/api"

_LINK = re.compile(r"(?<!!)\[([^]]*)\]\((?!\w+:|#)([^)#]+)(#[^)]*)?\)")

# The first cell of a row of a table.
_NAME = re.compile(r"^\| `(hub(?:module)?\.[\w.]+)` \|", re.MULTILINE)


def change_page(root: Path, name: str, text: str) -> str:
    """Returns the text of a page of the site.

    Args:
        root: The root of the checkout.
        name: The path of the page in the checkout, without its suffix, e.g. "docs/index".
        text: The text of the page in the checkout.
    """
    if name.startswith("examples/") and not name.endswith("README"):
        return text  # a notebook
    if name.endswith("/data/README"):
        return f"---\norphan: true\n---\n{text}"
    text = remove_links_to_directories(root, posixpath.dirname(name), text)
    if name == INDEX:
        return add_contents(root, text)
    return add_descriptions(text) if name == API else text


def remove_links_to_directories(root: Path, directory: str, text: str) -> str:
    """Replaces links to directories, which a site does not have, by their texts."""

    def replace(link: re.Match[str]) -> str:
        return link[1] if (root / directory / link[2]).is_dir() else link[0]

    return _LINK.sub(replace, text)


def add_contents(root: Path, text: str) -> str:
    """Adds a table of contents for each section of the index, and notebooks to the first."""
    first, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    notebooks = sorted(root.glob("examples/*/notebook.ipynb"))
    pages = [f"/{path.relative_to(root).as_posix()}" for path in notebooks]
    result = [first]
    for section in sections:
        title = section.partition("\n")[0].removeprefix("## ")
        # A part of a page is not listed, because the page itself is.
        links = [link for link in _LINK.finditer(section) if not link[3]]
        listed = [f"{link[1]} <{posixpath.normpath(f'/docs/{link[2]}')}>" for link in links]
        pages = [*listed, *pages]
        result.append(f"{section.rstrip()}\n\n{_make_contents(title, pages)}\n")
        pages = []
    return "\n".join(result)


def _make_contents(title: str, pages: Sequence[str]) -> str:
    lines = ["```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```"]
    return "\n".join(lines)


def add_descriptions(text: str) -> str:
    """Adds what docstrings say of each name to the page of the API, and links to it.

    The first cell of each row of its tables is a name, e.g. `hub.Module`.
    """
    result = []
    for section in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        names = _NAME.findall(section)
        linked = _NAME.sub(lambda row: f"| {{py:obj}}`{row[1]} <{_expand(row[1])}>` |", section)
        result.append("\n\n".join([linked.rstrip(), *map(_describe, names)]))
    return "\n\n".join(result) + "\n"


def _expand(name: str) -> str:
    """Returns the full name of what programs call hub.NAME."""
    return re.sub(r"^hub\.", "hubmodule.", name)


def _describe(name: str) -> str:
    full = _expand(name)
    last = full.rpartition(".")[2]
    directive = "autoclass" if last[:1].isupper() else "autofunction"
    options = {
        # A protocol message has methods that its users rarely need.
        "ImageModuleInfo": ["   :no-members:"],
        # Those of hubmodule, not those of keras.layers.Layer.
        "KerasLayer": ["   :inherited-members: Layer"],
    }.get(last, [])
    lines = [f".. {directive}:: {full}", *options]
    return "\n".join(["```{eval-rst}", *lines, "```"])


def change_docstring(lines: Sequence[str]) -> list[str]:
    """Marks the indented examples of a docstring as code; otherwise they would be quotations."""
    result: list[str] = []
    in_code = False
    for paragraph in _split_paragraphs(lines):
        indented = all(line.startswith("    ") for line in paragraph)
        if indented and paragraph[0].startswith("    >>>"):
            paragraph = [line[4:] for line in paragraph]
        elif indented and not in_code:
            result += ["::", ""]
        in_code = indented
        result += [*paragraph, ""]
    return result


def _split_paragraphs(lines: Sequence[str]) -> list[list[str]]:
    paragraphs = "\n".join(lines).split("\n\n")
    found = [[line for line in each.split("\n") if line.strip()] for each in paragraphs]
    return [paragraph for paragraph in found if paragraph]
