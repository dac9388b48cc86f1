"""docs/auditing.md shows the table of ops, the comparison of scanners and the JSON as they are."""

from __future__ import annotations

import enum
import pathlib
import re
import sys

import pytest

from hubmodule.auditing.names import Source
from hubmodule.auditing.ops import RISKY_OPS
from hubmodule.auditing.risks import Level, Risk
from hubmodule.inspection.audit import audit
from hubmodule.inspection.facts import ModuleFormat
from scripts import auditing_page
from tests.auditing.hostile import Hostile, Naming, Place
from tests.auditing.protos import write_module


def test_the_table_of_ops_is_that_of_the_package() -> None:
    assert auditing_page.read_section("ops") == auditing_page.make_op_table()


@pytest.mark.parametrize("op", sorted(RISKY_OPS))
def test_every_op_is_in_the_table(op: str) -> None:
    assert f"`{op}`" in auditing_page.make_op_table()


def find_documented(table: str) -> list[str]:
    """Finds the first column of a table of the page by the title of the column."""
    page = auditing_page.PAGE.read_text(encoding="utf-8")
    rows = re.search(rf"^\| {table} \|.*\n\|[-|]*\n((?:\|.*\n)*)", page, re.MULTILINE)
    assert rows is not None
    return re.findall(r"^\| `?(\w+)", rows[1], re.MULTILINE)


def test_the_json_is_documented(tmp_path: pathlib.Path) -> None:
    graphs = Hostile(RISKY_OPS["ReadFile"], Naming.CONSTANT, Place.SIGNATURE).meta_graphs()
    report = audit(write_module(tmp_path / "m", *graphs)).to_dict()
    assert set(find_documented("the report")) == set(report)
    assert set(find_documented("a finding")) == set(report["findings"][0])
    assert set(find_documented("`source` of a name")) == {source.value for source in Source}


@pytest.mark.parametrize("kind", [Level, ModuleFormat, Risk])
def test_the_values_in_the_json_are_documented(kind: type[enum.Enum]) -> None:
    page = auditing_page.PAGE.read_text(encoding="utf-8")
    for item in kind:
        value = item.label if isinstance(item, Level) else item.value
        assert f"`{value}`" in page


def test_the_exit_statuses_are_documented() -> None:
    assert find_documented("exit status") == ["0", "1", "2"]


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
