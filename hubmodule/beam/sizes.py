"""Counts the bytes of elements, for the metrics of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_BYTES_OF_NUMBER = 8


def count_bytes(values: Iterable[Any]) -> int:
    """Returns the number of bytes of values: of their data, without Python's objects.

    Args:
        values: Numbers, texts, arrays, and dicts and sequences of such.
    """
    values = list(values)
    try:  # Texts are what most pipelines pass, and joining them is fast.
        return len("".join(values).encode(errors="surrogatepass"))
    except TypeError:
        return sum(map(_count, values))


def _count(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode(errors="surrogatepass"))
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.nbytes if value.dtype != object else count_bytes(value.ravel().tolist())
    if isinstance(value, Mapping):
        return count_bytes(value.values())
    if isinstance(value, Iterable):
        return count_bytes(value)
    if hasattr(value, "nested_row_splits"):
        return count_bytes([value.flat_values, *value.nested_row_splits])
    return _BYTES_OF_NUMBER
