"""Draws a treemap as SVG: rectangles whose areas are in proportion to sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hubmodule.inspection.markup import Markup, make_element
from hubmodule.inspection.scope_sizes import Scope
from hubmodule.inspection.wording import format_bytes

WIDTH, HEIGHT = 960.0, 320.0
# Names of colours in page.css.
COLOURS = 6
_GAP = 2.0
# The width of a character and the height of a line, in units of the picture.
_CHARACTER, _LINE = 7.2, 18.0


@dataclasses.dataclass(frozen=True)
class Rectangle:
    """A rectangle, in units of the picture.

    Attributes:
        x: The left edge.
        y: The upper edge.
        width: The width.
        height: The height.
    """

    x: float
    y: float
    width: float
    height: float


def draw_treemap(scopes: Sequence[Scope], common: str, label: str) -> Markup:
    """Draws the sizes of scopes.

    Args:
        scopes: The scopes to draw, the largest first.
        common: The name of a scope that has all of them; it is left out of their names.
        label: What the picture shows, for screen readers.
    """
    shown = [scope for scope in scopes if scope.bytes > 0]
    rectangles = place_rectangles(
        [float(scope.bytes) for scope in shown], Rectangle(0, 0, WIDTH, HEIGHT)
    )
    names = [scope.name.removeprefix(common) for scope in shown]
    groups = list(dict.fromkeys(_get_group(name) for name in names))
    tiles = [
        _draw_tile(scope, name, rectangle, groups.index(_get_group(name)) % COLOURS)
        for scope, name, rectangle in zip(shown, names, rectangles, strict=True)
    ]
    return make_element(
        "svg",
        tiles,
        class_="treemap",
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        aria_label=label,
    )


def place_rectangles(sizes: Sequence[float], space: Rectangle) -> list[Rectangle]:
    """Divides a space into rectangles that are nearly square, row by row.

    Args:
        sizes: The sizes to which the areas are proportional, the largest first.
        space: The space to divide.

    Returns:
        A rectangle for each size.
    """
    placed: list[Rectangle] = []
    start = 0
    while start < len(sizes):
        # Summed again for each row: subtracting from a large sum would lose small sizes.
        left = sum(sizes[start:])
        end = start + 1
        while end < len(sizes) and _find_worst_ratio(
            sizes[start : end + 1], space, left
        ) <= _find_worst_ratio(sizes[start:end], space, left):
            end += 1
        row = sizes[start:end]
        placed_row, space = _place_row(row, space, left)
        placed += placed_row
        start = end
    return placed


def _find_worst_ratio(row: Sequence[float], space: Rectangle, left: float) -> float:
    """Finds the largest ratio of sides in a row along the shorter side of a space."""
    side = min(space.width, space.height)
    area = space.width * space.height
    if not side or not left or not row[-1]:
        return float("inf")
    thickness = sum(row) / left * area / side
    lengths = [size / left * area / thickness for size in (row[0], row[-1])]
    return max(max(length / thickness, thickness / length) for length in lengths)


def _place_row(
    row: Sequence[float], space: Rectangle, left: float
) -> tuple[list[Rectangle], Rectangle]:
    """Places the rectangles of a row; returns them and the space that is left."""
    share = sum(row) / left if left > 0 else 1.0
    placed = []
    offset = 0.0
    upright = space.width >= space.height
    for size in row:
        part = size / sum(row)
        if upright:
            height = part * space.height
            placed.append(Rectangle(space.x, space.y + offset, share * space.width, height))
            offset += height
        else:
            width = part * space.width
            placed.append(Rectangle(space.x + offset, space.y, width, share * space.height))
            offset += width
    if upright:
        taken = share * space.width
        rest = Rectangle(space.x + taken, space.y, max(space.width - taken, 0.0), space.height)
    else:
        taken = share * space.height
        rest = Rectangle(space.x, space.y + taken, space.width, max(space.height - taken, 0.0))
    return placed, rest


def _draw_tile(scope: Scope, name: str, rectangle: Rectangle, colour: int) -> Markup:
    width, height = max(rectangle.width - _GAP, 0.1), max(rectangle.height - _GAP, 0.1)
    size = format_bytes(scope.bytes)
    parts = [
        make_element("title", f"{scope.name or 'all variables'}: {size}"),
        make_element(
            "rect",
            x=f"{rectangle.x:.1f}",
            y=f"{rectangle.y:.1f}",
            width=f"{width:.1f}",
            height=f"{height:.1f}",
            rx=3,
        ),
    ]
    for number, text in enumerate([_shorten(name, width), size]):
        if text and len(text) * _CHARACTER + 10 <= width and (number + 1) * _LINE + 4 <= height:
            x, y = rectangle.x + 8, rectangle.y + (number + 1) * _LINE
            parts.append(make_element("text", text, x=f"{x:.1f}", y=f"{y:.1f}"))
    return make_element("g", parts, class_=f"tile colour-{colour}")


def _shorten(name: str, width: float) -> str:
    """Shortens a name to its end, which distinguishes scopes better than its beginning."""
    fitting = int((width - 10) / _CHARACTER)
    if len(name) <= fitting:
        return name
    return f"…{name[len(name) - fitting + 1 :]}" if fitting > 5 else ""


def _get_group(name: str) -> str:
    """Returns the outermost scope of a name; all its tiles have the same colour."""
    return name.partition("/")[0]
