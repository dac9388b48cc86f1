"""Values that go into and come out of a module, and how an npz file holds them.

A dense value is one array under its name. The parts of a composite one stand under
`name#part`: `#indices`, `#values` and `#dense_shape` of a sparse value, `#flat_values`
and `#row_splits_0`, `#row_splits_1`, … of a ragged one. `/` in a name is written `|`.
Runs on Python 3.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Union

import numpy as np


class Sparse(NamedTuple):
    """What a tf.SparseTensor holds."""

    indices: np.ndarray  # int64 [N, rank]
    values: np.ndarray  # [N]
    dense_shape: np.ndarray  # int64 [rank]


class Ragged(NamedTuple):
    """What a tf.RaggedTensor holds."""

    flat_values: np.ndarray
    nested_row_splits: tuple[np.ndarray, ...]  # int64, the outermost first


Value = Union[np.ndarray, Sparse, Ragged]  # noqa: UP007


def from_session(fetched: Any) -> Value:
    """The value of one thing that Session.run returned."""
    if hasattr(fetched, "dense_shape"):
        return Sparse(*(_plain(part) for part in fetched))
    if hasattr(fetched, "row_splits"):
        return _ragged(fetched)
    return _plain(fetched)


def _ragged(fetched: Any) -> Ragged:
    splits = []
    while hasattr(fetched, "row_splits"):
        splits.append(_plain(fetched.row_splits))
        fetched = fetched.values
    return Ragged(_plain(fetched), tuple(splits))


def _plain(array: Any) -> np.ndarray:
    array = np.asarray(array)
    # Arrays of objects would be pickled; those of fixed-size bytes are not.
    return array.astype(np.bytes_) if array.dtype == object else array


def to_tensor(tf: Any, value: Value) -> Any:
    """What a caller of a module passes for `value`: an array, or a composite tensor."""
    if isinstance(value, Sparse):
        return tf.SparseTensor(*value)
    if isinstance(value, Ragged):
        return tf.RaggedTensor.from_nested_row_splits(value.flat_values, value.nested_row_splits)
    return value


def save(path: Path, values: Mapping[str, Value]) -> None:
    """Writes `values` into an npz file."""
    arrays = {}
    for name, value in sorted(values.items()):
        for part, array in _parts(value).items():
            arrays[name.replace("/", "|") + part] = array
    np.savez_compressed(str(path), **arrays)


def _parts(value: Value) -> dict[str, np.ndarray]:
    if isinstance(value, Sparse):
        return {"#" + field: getattr(value, field) for field in value._fields}
    if isinstance(value, Ragged):
        splits = enumerate(value.nested_row_splits)
        parts = {"#row_splits_%d" % depth: part for depth, part in splits}  # noqa: UP031
        parts["#flat_values"] = value.flat_values
        return parts
    return {"": value}


def load(path: Path) -> dict[str, Value]:
    """Reads what `save` wrote, or an npz file of plain arrays."""
    parts: dict[str, dict[str, np.ndarray]] = {}
    # Recordings of strings by other programs may be arrays of objects.
    with np.load(str(path), allow_pickle=True) as arrays:
        for key in arrays:
            name, _, part = key.replace("|", "/").partition("#")
            parts.setdefault(name, {})[part] = _plain(arrays[key])
    return {name: _from_parts(of_name) for name, of_name in parts.items()}


def _from_parts(parts: dict[str, np.ndarray]) -> Value:
    if "" in parts:
        return parts[""]
    if "indices" in parts:
        return Sparse(**parts)
    splits = tuple(parts[key] for key in sorted(parts) if key.startswith("row_splits_"))
    return Ragged(parts["flat_values"], splits)


def differences(actual: Mapping[str, Value], expected: Mapping[str, Value]) -> dict[str, str]:
    """What differs between values of the same name; empty if nothing does."""
    found = {name: "missing" for name in expected if name not in actual}
    found.update((name, "unexpected") for name in actual if name not in expected)
    for name in set(actual) & set(expected):
        found[name] = difference(actual[name], expected[name])
    return {name: text for name, text in found.items() if text}


def difference(actual: Value, expected: Value, tolerance: float = 1e-5) -> str:
    """What differs between two values, or "".

    Numbers may differ by `tolerance` of themselves and of the largest, or of 1 if that is
    larger; all else must be equal.
    """
    if type(actual) is not type(expected):
        return f"{type(actual).__name__} instead of {type(expected).__name__}"
    if isinstance(expected, np.ndarray):
        return _array_difference(actual, expected, tolerance)
    actual_parts, parts = _parts(actual), _parts(expected)
    if sorted(actual_parts) != sorted(parts):
        return f"parts {sorted(actual_parts)} instead of {sorted(parts)}"
    found = {part: difference(actual_parts[part], parts[part], tolerance) for part in parts}
    return "; ".join(f"{part}: {text}" for part, text in found.items() if text)


def _array_difference(actual: np.ndarray, expected: np.ndarray, tolerance: float) -> str:
    if actual.dtype.kind != expected.dtype.kind or actual.shape != expected.shape:
        return f"{actual.dtype}{actual.shape} instead of {expected.dtype}{expected.shape}"
    if expected.dtype.kind == "f":
        # A difference of dtypes (float32 for float64) is one as well.
        if actual.dtype != expected.dtype:
            return f"{actual.dtype} instead of {expected.dtype}"
        # Sums of large terms may come out small: what they can lose is a part of the largest.
        largest = float(np.max(np.abs(expected[np.isfinite(expected)]), initial=1.0))
        same = np.allclose(actual, expected, tolerance, tolerance * largest, equal_nan=True)
    else:
        same = np.array_equal(actual, expected)
    return "" if same else f"{actual} instead of {expected}"
