"""Collects what a pipeline makes in the process of the test."""

from __future__ import annotations

import itertools
from typing import Any

import apache_beam as beam

_NUMBERS = itertools.count()
_collected: dict[int, list[Any]] = {}


def _collect(value: Any, number: int) -> None:
    _collected[number].append(value)


def collect(values: beam.PCollection) -> list[Any]:
    """Returns a list that the elements are added to when the pipeline runs."""
    # A pipeline pickles its functions, so the list itself would be copied.
    number = next(_NUMBERS)
    _collected[number] = []
    _ = values | f"collect {number}" >> beam.Map(_collect, number)
    return _collected[number]
