"""Measures the time and memory per unit as a module grows in one of its dimensions.

    python -m benchmarks.sizes [--dimension NAME ...] [--scale 1] [--plot docs/sizes.svg]

Each dimension is measured at four sizes, each twice the one before, in a process of its own. A time
per unit that does not grow means that nothing is quadratic. `import` is TensorFlow's own import of
the nodes that Module() and its applications add, which does become slower as a graph grows. With
--scale 10, for example, all sizes are ten times as large.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

import hubmodule as hub
from benchmarks.measuring import Measurement
from benchmarks.runs import QUIET, ROOT

tf1 = tf.compat.v1

DOUBLINGS = 4
METRICS = ("Module() and calls", "import", "export", "hub.load")


def _build_nodes(count: int) -> Any:
    outputs = inputs = tf1.placeholder(tf.float32, [])
    for _ in range(count):
        outputs = tf.negative(outputs)
    hub.add_signature(inputs=inputs, outputs=outputs)


def _build_variables(count: int) -> None:
    names = [f"layer_{number}" for number in range(count)]
    hub.add_signature(outputs=tf.add_n([tf1.get_variable(name, []) for name in names]))


def _build_signatures(count: int) -> None:
    for number in range(count):
        inputs = tf1.placeholder(tf.float32, [])
        hub.add_signature(f"signature_{number}", inputs, inputs + 1.0)
    hub.add_signature(inputs=inputs, outputs=inputs + 1.0)


def _build_one(unused: int = 0) -> None:
    del unused
    inputs = tf1.placeholder(tf.float32, [])
    hub.add_signature(inputs=inputs, outputs=inputs * tf1.get_variable("w", []))


def _make_spec(build: Callable[[int], None], count: int) -> hub.ModuleSpec:
    return hub.create_module_spec(lambda: build(count))


def _make_variants(count: int) -> hub.ModuleSpec:
    tags = [set(), *({f"variant_{number}"} for number in range(1, count))]
    return hub.create_module_spec(_build_one, [(each, {}) for each in tags])


# The spec of a module of a size, the number of applications, and the smallest size.
DIMENSIONS: dict[str, tuple[Callable[[int], hub.ModuleSpec], bool, int]] = {
    "nodes": (lambda n: _make_spec(_build_nodes, n), False, 1250),
    "variables": (lambda n: _make_spec(_build_variables, n), False, 125),
    "signatures": (lambda n: _make_spec(_build_signatures, n), False, 50),
    "variants": (_make_variants, False, 5),
    "applications": (lambda n: _make_spec(_build_one, n), True, 10),
}


def main() -> None:
    """Prints the time per unit, and plots it if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dimension", nargs="*", choices=DIMENSIONS, default=list(DIMENSIONS))
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(_measure(options.measure[0], int(options.measure[1]))))
        return
    found: dict[str, dict[int, dict[str, float]]] = {}
    print("processor time in microseconds per unit; memory in kilobytes per unit")
    for dimension in options.dimension:
        smallest = DIMENSIONS[dimension][2] * options.scale
        found[dimension] = {}
        for size in [smallest << doubling for doubling in range(DOUBLINGS)]:
            values = _run(dimension, size)
            found[dimension][size] = {name: value / size for name, value in values.items()}
            cells = (f"{name} {value / size * 1e6:9.1f}" for name, value in values.items())
            print(f"{size:8,} {dimension:13}{'  '.join(cells)}", flush=True)
    if options.plot:
        _plot(found, options.plot)


def _run(dimension: str, size: int) -> dict[str, float]:
    """Measures a size in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.sizes", "--measure", dimension, str(size)]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def _measure(dimension: str, size: int) -> dict[str, float]:
    """Measures a size in this process: the processor time of each of METRICS, and the memory."""
    make, applies, _ = DIMENSIONS[dimension]
    seconds: dict[str, float] = {}
    memory = 0.0

    def measure(name: str, work: Callable[[], Any]) -> None:
        nonlocal memory
        measurement = Measurement()
        with measurement():
            work()
        seconds[name] = measurement.values["cpu"]
        memory = max(memory, measurement.values.get("memory", 0.0))

    _use(make(2), 1)  # what is done once in a process does not count
    with tempfile.TemporaryDirectory() as directory:
        path, graph = str(Path(directory, "module")), tf.Graph()
        with graph.as_default(), tf1.Session() as session:
            module = hub.Module(make(size))
            session.run(tf1.global_variables_initializer())
            measure("export", lambda: module.export(path, session))
        calls = size if applies else 1
        measure("Module() and calls", lambda: _use(path, calls))
        nodes = _use(path, calls).as_graph_def()
        measure("import", lambda: _import(nodes))
        measure("hub.load", lambda: hub.load(path))
    return {name: seconds[name] for name in METRICS} | {"memory": memory / 1e9}


def _use(spec: Any, calls: int) -> tf.Graph:
    with tf.Graph().as_default() as graph:
        module = hub.Module(spec)
        infos = module.get_input_info_dict()
        for _ in range(calls):
            module(tf.constant(1.0) if infos else None)
    return graph


def _import(nodes: tf.compat.v1.GraphDef) -> None:
    with tf.Graph().as_default():
        tf.import_graph_def(nodes, name="")


def _plot(found: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "sizes"  # the same ids in each run
    figure, plots = plt.subplots(1, len(found), figsize=(3 * len(found), 3), squeeze=False)
    for axes, (dimension, sizes) in zip(plots[0], found.items(), strict=True):
        for name in METRICS:
            axes.plot(list(sizes), [each[name] * 1e6 for each in sizes.values()], label=name)
        axes.set_title(f"microseconds per {dimension.removesuffix('s')}", fontsize=9)
        axes.set_ylim(bottom=0)
    plots[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    import os

    os.environ.update(QUIET)
    main()
