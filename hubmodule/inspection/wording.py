"""Sizes, types and names as the pages for people show them."""

from __future__ import annotations

from hubmodule.inspection.facts import UNKNOWN_DTYPE, Shape, TensorFacts

_UNITS = ("kB", "MB", "GB", "TB")


def format_bytes(size: int | None) -> str:
    """A size with its unit: "1.6 MB"; "?" if it is not known."""
    if size is None:
        return "?"
    if size < 1000:
        return f"{size} B"
    value, unit = size / 1000, _UNITS[0]
    for larger in _UNITS[1:]:
        if value >= 999.95:
            value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"


def format_count(number: int, noun: str) -> str:
    """A number and what it counts: "1 node", "1,200 nodes"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_tags(tags: tuple[str, ...]) -> str:
    """The tags of a graph variant in a list: "gpu, train", or "no tags"."""
    return ", ".join(tags) if tags else "no tags"


def describe_tags(tags: tuple[str, ...]) -> str:
    """The tags of a graph variant in a sentence: "tagged gpu, train", or "without tags"."""
    return f"tagged {', '.join(tags)}" if tags else "without tags"


def describe_tensor(info: TensorFacts) -> str:
    """The type, shape and kind of an input or output: "float32 [?, 128], sparse"."""
    kind = "" if info.kind == "dense" else f", {info.type or info.kind}"
    return describe_type(info.dtype, info.shape) + kind


def describe_type(dtype: str, shape: Shape) -> str:
    """A type and shape: "float32 [?, 128]"."""
    if dtype == UNKNOWN_DTYPE and shape is None:
        return "of unknown type and shape"
    return f"{dtype} {format_shape(shape)}"


def format_shape(shape: Shape) -> str:
    """A shape: "[?, 128]", or "of any shape"."""
    if shape is None:
        return "of any shape"
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def make_printable(text: str) -> str:
    """A text from a module without what a terminal would obey, such as escape sequences."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
