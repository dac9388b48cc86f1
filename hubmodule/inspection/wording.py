"""Writes sizes, types and names as the pages show them."""

from __future__ import annotations

from hubmodule.inspection.facts import UNKNOWN_DTYPE, Shape, TensorFacts

_UNITS = ("kB", "MB", "GB", "TB")


def format_bytes(size: int | None) -> str:
    """Writes a size with its unit, e.g. "1.6 MB"; "?" if it is not known.

    Args:
        size: The size in bytes; None if it is not known.
    """
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
    """Writes a number and what it counts, e.g. "1 node" or "1,200 nodes".

    Args:
        number: The number.
        noun: What it counts, in the singular.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_tags(tags: tuple[str, ...]) -> str:
    """Writes tags for a list, e.g. "gpu, train", or "no tags".

    Args:
        tags: The tags of a graph variant.
    """
    return ", ".join(tags) if tags else "no tags"


def describe_tags(tags: tuple[str, ...]) -> str:
    """Writes tags for a sentence, e.g. "tagged gpu, train", or "without tags".

    Args:
        tags: The tags of a graph variant.
    """
    return f"tagged {', '.join(tags)}" if tags else "without tags"


def describe_tensor(info: TensorFacts) -> str:
    """Writes the type, shape and kind of a tensor, e.g. "float32 [?, 128], sparse".

    Args:
        info: An input or output of a signature.
    """
    kind = "" if info.kind == "dense" else f", {info.type or info.kind}"
    return describe_type(info.dtype, info.shape) + kind


def describe_type(dtype: str, shape: Shape) -> str:
    """Writes a type and shape, e.g. "float32 [?, 128]".

    Args:
        dtype: The name of the type, or "unknown".
        shape: The shape.
    """
    if dtype == UNKNOWN_DTYPE and shape is None:
        return "of unknown type and shape"
    return f"{dtype} {format_shape(shape)}"


def format_shape(shape: Shape) -> str:
    """Writes a shape, e.g. "[?, 128]", or "of any shape" if the rank is not known.

    Args:
        shape: The shape.
    """
    if shape is None:
        return "of any shape"
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"
