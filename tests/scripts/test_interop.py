"""The verdicts of the interop check, and the programs it runs being silent or absent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import interop
from scripts.interop import Cell, Side

OURS_NEW = Side("ours 2.21", "hubmodule", Path("new"))
OURS_OLD = Side("ours 2.15", "hubmodule", Path("old"))
HUB_015 = Side("hub 0.15", "tensorflow_hub", Path("peer215"))
HUB_012 = Side("hub 0.12", "tensorflow_hub", Path("peer115"))


def test_directions_are_all_in_which_one_side_is_ours() -> None:
    names = [(w.name, r.name) for w, r in interop.list_directions([OURS_NEW, HUB_015, HUB_012])]
    assert names == [
        ("ours 2.21", "hub 0.15"),
        ("ours 2.21", "hub 0.12"),
        ("hub 0.15", "ours 2.21"),
        ("hub 0.12", "ours 2.21"),
    ]


@pytest.mark.parametrize(
    ("writer", "reader", "module", "error", "verdict"),
    [
        (OURS_NEW, HUB_015, "dtypes", "", "ok"),
        (OURS_NEW, HUB_015, "dtypes", "ValueError", "failed"),
        # What TensorFlow 1.15 lacks counts only there, and only with the error foretold.
        (OURS_NEW, HUB_012, "sparse_lookup", "no SparseSegmentSqrtN", "n/a"),
        (OURS_NEW, HUB_012, "sparse_lookup", "something else", "failed"),
        (OURS_NEW, HUB_012, "sparse_lookup", "", "failed"),
        (OURS_NEW, OURS_OLD, "sparse_lookup", "no SparseSegmentSqrtN", "failed"),
        (HUB_012, OURS_OLD, "sparse_lookup", "", "ok"),
    ],
)
def test_verdict(writer: Side, reader: Side, module: str, error: str, verdict: str) -> None:
    assert interop.judge(writer, reader, module, error).verdict == verdict


class _Runner:
    """Stands for programs that write `a` and `b`, and read `a`, then crash."""

    def write(self, side: Side) -> dict[str, str]:
        return {"a": "", "b": "" if side.is_ours else "ValueError: no b"}

    def read(self, reader: Side, writers: list[Side]) -> dict[tuple[Side, str], str]:
        return {(writer, "a"): "" for writer in writers}


def test_what_is_not_reported_has_failed() -> None:
    cells = interop.compare(_Runner(), [OURS_NEW, HUB_015], ["a", "b", "c"])
    silent = "the program ended before it came to this module"
    assert [(cell.writer, cell.module, cell.verdict, cell.reason) for cell in cells] == [
        ("ours 2.21", "a", "ok", ""),
        ("ours 2.21", "b", "failed", silent),
        ("ours 2.21", "c", "failed", f"not written: {silent}"),
        ("hub 0.15", "a", "ok", ""),
        ("hub 0.15", "b", "failed", "not written: ValueError: no b"),
        ("hub 0.15", "c", "failed", f"not written: {silent}"),
    ]


CELLS = [
    Cell("ours 2.21", "hub 0.12", "dtypes", "ok"),
    Cell("ours 2.21", "hub 0.12", "sparse_lookup", "n/a", "op X is not in TF 1.15"),
    Cell("hub 0.12", "ours 2.21", "dtypes", "failed", "Traceback:\nValueError: bad\n"),
    Cell("hub 0.12", "ours 2.21", "sparse_lookup", "ok"),
]


def test_table() -> None:
    assert interop.format_table(CELLS).splitlines() == [
        "written by     ours 2.21  hub 0.12",
        "read by        hub 0.12   ours 2.21",
        "dtypes         ok         failed",
        "sparse_lookup  n/a        ok",
    ]


def test_reasons() -> None:
    assert interop.format_reasons(CELLS).splitlines() == [
        "n/a: sparse_lookup, ours 2.21 → hub 0.12: op X is not in TF 1.15",
        "failed: dtypes, hub 0.12 → ours 2.21: ValueError: bad",
    ]


def test_a_missing_interpreter_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "python")
    with pytest.raises(SystemExit, match=missing):
        interop.main(["--python", f"hub 0.12={missing}"])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
