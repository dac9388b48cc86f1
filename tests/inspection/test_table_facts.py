"""Tests of hubmodule.inspection.table_facts."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection.facts import TableFacts
from hubmodule.inspection.inspect import inspect
from tests.inspection.modules import golden


def test_tables_and_their_assets() -> None:
    (variant,) = inspect(golden("twin_assets")).variants
    assert {table.name: table.asset for table in variant.tables} == {
        "hash_table": "words.txt",
        "hash_table_1": "words.txt0",
    } or {table.asset for table in variant.tables} == {"words.txt", "words.txt0"}


def test_a_table_without_an_asset() -> None:
    (variant,) = inspect(golden("constant_table")).variants
    assert variant.tables == (TableFacts("hash_table", "HashTableV2", "int64", "string", None),)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
