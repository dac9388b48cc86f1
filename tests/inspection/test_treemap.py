"""Tests of hubmodule.inspection.treemap."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import hypothesis
import pytest
from hypothesis import strategies

from hubmodule.inspection.scope_sizes import Scope
from hubmodule.inspection.treemap import Rectangle, draw_treemap, place_rectangles
from tests.inspection.modules import HOSTILE

SPACE = Rectangle(0, 0, 960, 320)


@hypothesis.given(strategies.lists(strategies.floats(1, 1e12), min_size=1, max_size=60))
def test_areas_are_to_each_other_as_sizes(sizes: list[float]) -> None:
    sizes.sort(reverse=True)
    placed = place_rectangles(sizes, SPACE)
    assert len(placed) == len(sizes)
    for size, rectangle in zip(sizes, placed, strict=True):
        area = rectangle.width * rectangle.height
        assert area == pytest.approx(size / sum(sizes) * 960 * 320, rel=1e-3, abs=1e-3)
        assert rectangle.x >= -1e-6
        assert rectangle.x + rectangle.width <= 960 + 1e-3
        assert rectangle.y + rectangle.height <= 320 + 1e-3


def test_equal_sizes_give_squarish_rectangles() -> None:
    ratios = [r.width / r.height for r in place_rectangles([1.0] * 12, SPACE)]
    assert max(ratios) < 2.1
    assert min(ratios) > 0.45


def test_the_picture_is_well_formed() -> None:
    scopes = [Scope(HOSTILE, 900), Scope("a/b", 90), Scope("a/c", 0)]
    svg = ElementTree.fromstring(draw_treemap(scopes, "", "Sizes"))
    assert svg.get("aria-label") == "Sizes"
    titles = [title.text for title in svg.iter("title")]
    assert titles == [HOSTILE.replace("\x1b", "\\x1b") + ": 900 B", "a/b: 90 B"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
