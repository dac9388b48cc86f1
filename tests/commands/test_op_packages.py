"""Tests of hubmodule.commands.op_packages; those of convert use it, too."""

from __future__ import annotations

import argparse
import sys

import pytest

from hubmodule.commands.op_packages import add_import_argument, import_packages
from hubmodule.errors import ModuleDefinitionError


def parse(*arguments: str) -> list[str]:
    parser = argparse.ArgumentParser()
    add_import_argument(parser)
    return parser.parse_args(arguments).packages


def test_packages() -> None:
    assert parse() == []
    assert parse("--import", "json", "--import", "os.path") == ["json", "os.path"]
    import_packages(["json", "os.path"])


@pytest.mark.parametrize("name", ["no_such_package", "", "./x"])
def test_packages_that_cannot_be_imported(name: str) -> None:
    with pytest.raises(ModuleDefinitionError, match=f"--import {name} failed: "):
        import_packages([name])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
