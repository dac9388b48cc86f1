"""variants: the graph variants of a module."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import hubmodule as hub
from hubmodule.errors import NoSuchVariantError
from hubmodule.tf2.variants import Variants
from tests.module.graphs import affine, exported

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"


def test_each_is_worked_out_once() -> None:
    variants = Variants(hub.load_module_spec(str(GOLDEN / "batch_norm")))
    assert set(variants.tags) == {frozenset(), frozenset({"train"})}
    assert variants.get(frozenset({"train"})) is variants.get(frozenset({"train"}))


def test_unknown_tags_name_those_there_are() -> None:
    variants = Variants(hub.load_module_spec(str(GOLDEN / "batch_norm")))
    with pytest.raises(NoSuchVariantError, match=r"\['absent'\].*\['train'\]"):
        variants.choose_tags({"absent"})


def test_references_become_handles() -> None:
    variants = Variants(hub.load_module_spec(str(GOLDEN / "ref_variables")))
    ops = {node.op for node in variants.get(frozenset()).meta_graph.graph_def.node}
    assert "VarHandleOp" in ops
    assert "VariableV2" not in ops


def test_losses_are_signatures_of_a_variant_of_their_own(tmp_path: Path) -> None:
    variants = Variants(hub.load_module_spec(exported(tmp_path / "m", affine)))
    losses, names = variants.get_losses(frozenset())
    assert len(names) == 1
    assert list(losses.signatures) == names
    assert list(variants.get(frozenset()).signatures) == ["default"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
