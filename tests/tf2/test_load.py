"""Tests of hub.load."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import NoSuchVariantError, NotAModuleError

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"


@pytest.mark.parametrize("handle", [None, 5, b"path"])
def test_a_handle_is_a_string(handle: Any) -> None:
    with pytest.raises(ValueError, match="Expected a string"):
        hub.load(handle)


@pytest.mark.parametrize(
    "file, told",
    [("model.index", "checkpoint"), ("config.json", "Keras"), ("notes.txt", "notes.txt")],
)
def test_what_is_there_instead_is_told(file: str, told: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text("")
    with pytest.raises(NotAModuleError, match=told):
        hub.load(str(tmp_path))


def test_plain_saved_models_are_loaded_as_they_are(tmp_path: Path) -> None:
    plain = tf.train.Checkpoint(number=tf.Variable(3.0))
    tf.saved_model.save(plain, str(tmp_path))
    assert hub.load(str(tmp_path)).number.numpy() == 3.0


def test_unknown_tags_name_those_there_are() -> None:
    with pytest.raises(NoSuchVariantError, match="train"):
        hub.load(str(GOLDEN / "batch_norm"), tags={"absent"})


def test_variants_share_their_variables() -> None:
    module = hub.load(str(GOLDEN / "batch_norm"))
    other = module.with_tags({"train"})
    assert [v is w for v, w in zip(module.variables, other.variables, strict=True)] == [True] * 5


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
