"""Tests of hubmodule.inspection.report."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from hubmodule.inspection.facts import FindingFacts
from hubmodule.inspection.inspect import inspect
from hubmodule.inspection.report import write_report
from tests.inspection.modules import HOSTILE, golden, meta_graph, signature, variable, write_module


def titles(facts) -> list[str]:
    return [section.title for section in write_report(facts)]


def test_sections() -> None:
    facts = inspect(golden("image"))
    assert titles(facts)[1:] == [
        "Graph variant without tags",
        "Signatures default, image_feature_vector",
        "1 variable, 1 trainable",
        "Ops of 9 types",
        "Fulfils the common signature: image feature vector",
        "To use it: graph mode",
        "To use it: Estimator column",
        "To use it: Keras",
        "To use it: load",
    ]


def test_variants_with_the_same_signatures_share_them() -> None:
    assert titles(inspect(golden("batch_norm")))[1:4] == [
        "Graph variant without tags",
        "Graph variant tagged train",
        "Signature default of all graph variants",
    ]


def test_variants_with_other_signatures_are_told_apart() -> None:
    facts = inspect(golden("batch_norm"))
    first, second = facts.variants
    third = dataclasses.replace(second, tags=("gpu", "train"))
    other = dataclasses.replace(first, signatures=(signature("other"),))
    found = titles(dataclasses.replace(facts, variants=(other, second, third)))
    assert "Signature other of the graph variant without tags" in found
    both = "Signature default of the graph variants tagged train and tagged gpu, train"
    assert both in found


def test_the_scope_of_all_variables_is_shown_once() -> None:
    facts = dataclasses.replace(
        inspect(golden("image")), variables=(variable("net/a/x"), variable("net/b"))
    )
    section = next(s for s in write_report(facts) if "variables" in s.title)
    assert section.title == "2 variables, 2 trainable, in net/"
    assert [row[0] for row in section.rows] == ["a/x", "b"]


def test_findings_and_damage_come_first() -> None:
    findings = (FindingFacts("high", "ReadFile", "x/read", "It reads a file."),)
    facts = dataclasses.replace(inspect(golden("image")), damage=("It is.",), findings=findings)
    damage, found = write_report(facts)[1:3]
    assert (damage.title, damage.lines, damage.is_warning) == ("Damaged", ("It is.",), True)
    assert (found.title, found.rows) == (
        "Findings",
        (("high", "ReadFile", "x/read", "It reads a file."),),
    )


def test_everything_is_printable(tmp_path) -> None:
    facts = inspect(write_module(tmp_path, meta_graph(name=HOSTILE)))
    for section in write_report(facts):
        texts = [section.title, *section.lines, *(cell for row in section.rows for cell in row)]
        assert [text for text in texts if not text.isprintable()] == []


def test_who_wrote_it() -> None:
    facts = inspect(golden("image"))
    (variant,) = facts.variants
    ours = dataclasses.replace(variant, hubmodule_version="1.2", signatures=(signature(),))
    facts = dataclasses.replace(facts, variants=(ours,))
    assert ("written by", "TensorFlow 2.15.1, hubmodule 1.2") in write_report(facts)[0].rows


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
