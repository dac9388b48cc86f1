"""trainable: a module that is called and trained."""

from __future__ import annotations

import sys

import pytest

import hubmodule as hub
from hubmodule.errors import NoSuchVariantError
from tests.module.graphs import affine, exported


def test_only_calls_for_training_run_updates(tmp_path):
    module = hub.load(exported(tmp_path / "m", affine))
    assert module([1.0]).numpy().tolist() == [3.0]
    assert {v.numpy() for v in module.variables} == {2.0, 1.0}
    module([1.0], training=True)
    assert {v.numpy() for v in module.variables} == {2.0, 11.0}


def test_losses_follow_the_variables(tmp_path):
    module = hub.load(exported(tmp_path / "m", affine))
    [loss], [w] = module.regularization_losses, module.trainable_variables
    assert loss().numpy() == 2.0
    w.assign(4.0)
    assert loss().numpy() == 8.0


def test_losses_are_no_signatures(tmp_path):
    module = hub.load(exported(tmp_path / "m", affine))
    assert list(module.signatures) == ["default"]
    with pytest.raises(NoSuchVariantError, match="absent"):
        module.with_tags({"absent"})


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
