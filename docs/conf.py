"""Configures Sphinx for the site: sphinx-build -c docs . build/site, by `make docs`.

The source directory is the root of the checkout, so that links from page to page are the same in
the site as in a browser of the repository.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
# TensorFlow reads these when autodoc imports it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import hubmodule  # noqa: E402
from scripts import site_pages  # noqa: E402

project = "hubmodule"
author = "The hubmodule contributors"
project_copyright = author
version = release = hubmodule.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "*.md", "examples/**/README.md", "examples/*/*.ipynb"]
exclude_patterns = ["build", ".venv*", ".cache"]
nitpicky = True
# What the docstrings name, and no page of this site describes.
nitpick_ignore_regex = [("py:.*", r"(?!hubmodule\.).*"), ("py:.*", r"hubmodule\.\w+\..*")]
# A JSON with "…" in it is still shown.
suppress_warnings = ["misc.highlighting_failure"]

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 4
highlight_language = "text"

# `make docs` runs each notebook; an error in one ends it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"hubmodule {release}"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
templates_path = ["templates"]
html_additional_pages = {"index": "front.html"}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}


def setup(app: Any) -> None:
    """Connects what makes pages of the site from pages of the repository."""
    app.connect("source-read", _change_page)
    # Before napoleon, which has 500.
    app.connect("autodoc-process-docstring", _change_docstring, priority=400)


def _change_page(app: Any, name: str, source: list[str]) -> None:
    source[0] = site_pages.change_page(ROOT, name, source[0])


def _change_docstring(app: Any, what: str, name: str, value: Any, options: Any, lines: Any) -> None:
    lines[:] = site_pages.change_docstring(lines)
