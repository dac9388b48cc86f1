"""Runs one case with one library in this process, and prints the measurements.

    python -m benchmarks.one_case CASE (hubmodule|tensorflow_hub|floor) FOLDER

The floor is the same work done by TensorFlow alone, without a library.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement

# The first session of a process takes longer; running this before keeps that out of the figures.
_WARM_UP = tf.Graph()


def main() -> None:
    """Prints one line of JSON."""
    name, library, folder = sys.argv[1:]
    case = importlib.import_module(f"benchmarks.cases.{name}")
    measurement = Measurement()
    with _WARM_UP.as_default(), tf.compat.v1.Session() as session:
        session.run(tf.constant(1) + 1)
    if library == "floor":
        case.measure_floor(Path(folder), measurement)
    else:
        case.measure(library, Path(folder), measurement)
    print(json.dumps(measurement.values))


if __name__ == "__main__":
    main()
