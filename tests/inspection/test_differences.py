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


def test_changes_are_false_if_there_are_none() -> None:
    assert not Changes()
    assert Changes(added=("x",))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
