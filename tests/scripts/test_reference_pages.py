"""The generated parts of the reference are those of the package."""

from __future__ import annotations

import argparse
import sys

import pytest

from hubmodule.__main__ import COMMANDS
from scripts import reference_pages
from scripts.generated_sections import read_section


def test_the_commands_are_those_of_the_parsers() -> None:
    """If not: python -m scripts.reference_pages."""
    page = read_section(reference_pages.COMMAND_LINE, "commands")
    assert page == reference_pages.make_commands()
    for command in COMMANDS:
        assert f"## `hubmodule {command.name}" in page


def test_the_exceptions_are_those_of_the_package() -> None:
    """If not: python -m scripts.reference_pages."""
    tree = read_section(reference_pages.API, "exceptions")
    assert tree == reference_pages.make_exceptions()
    assert "└── AliasError (ImportError)" in tree


def test_an_argument_says_what_it_takes_and_its_default() -> None:
    parser = argparse.ArgumentParser(prog="p", description="It does.")
    parser.add_argument("handle", metavar="HANDLE", nargs="+", help="a path | an address")
    parser.add_argument("--port", type=int, default=8501, help="a port")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing")
    assert reference_pages._describe_command(parser) == (
        "## `p`\n\nIt does.\n\n    p [OPTIONS] HANDLE …\n\n"
        "| argument | meaning |\n|---|---|\n"
        "| `HANDLE …` | a path \\| an address |\n"
        "| `--port PORT` | a port; default: 8501 |\n"
        "| `-q, --quiet` | print nothing |"
    )


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
