"""Tests of hubmodule.inspection.differences."""

from __future__ import annotations

import json
import sys

import pytest

from hubmodule.inspection.diff import diff
from hubmodule.inspection.differences import Changes
from tests.inspection.modules import golden


def test_the_dict_is_what_json_gives_back() -> None:
    found = diff(golden("image"), golden("batch_norm")).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["schema"], found["is_equal"], found["is_compatible"]) == (1, False, False)


@pytest.mark.parametrize(
    "after, shown",
    [("image", "equal"), ("batch_norm", "different, cannot replace it")],
)
def test_the_repr_is_a_line(after: str, shown: str) -> None:
    old, new = golden("image"), golden(after)
    assert repr(diff(old, new)) == f"<hub.diff({old!r}, {new!r}): {shown}>"


def test_changes_are_false_if_there_are_none() -> None:
    assert not Changes()
    assert Changes(added=("x",))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
