"""docs/auditing.md shows the table of ops and the write_comparison as they are."""

from __future__ import annotations

import pathlib
import re
import sys

import pytest

from hubmodule.auditing.ops import RISKY_OPS
from scripts import auditing_page


def test_the_table_of_ops_is_that_of_the_package() -> None:
    assert auditing_page.read_section("ops") == auditing_page.make_op_table()


@pytest.mark.parametrize("op", sorted(RISKY_OPS))
def test_every_op_is_in_the_table(op: str) -> None:
    assert f"`{op}`" in auditing_page.make_op_table()


def test_sections_are_replaced(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x: generated -->\nold\n<!-- end of x -->\nb\n")
    monkeypatch.setattr(auditing_page, "PAGE", page)
    auditing_page.replace_section("x", r"new \1")
    assert auditing_page.read_section("x") == r"new \1"
    assert re.fullmatch(r"a\n<!-- x.*-->\nb\n", page.read_text(), re.DOTALL)


def test_a_section_that_the_page_lacks() -> None:
    with pytest.raises(ValueError, match="has no section 'y'"):
        auditing_page.read_section("y")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
