"""Plots how time and graph grow with the size of a module, for both libraries.

    python -m benchmarks.growth --ours PYTHON --peer PYTHON [--rounds 5] [--file docs/growth.png]

Each module has two signatures over the same layers, as in `modules`; one of them is applied
once. Times are processor times, which equal wall-clock times on a machine without other load.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from benchmarks.runs import ROOT, Pythons, Result, RunError, add_arguments, measure_case

# About 75 nodes each.
LAYERS = [1, 3, 7, 13, 27, 53, 107, 160, 213, 266]
LIBRARIES = ["tensorflow_hub", "hubmodule"]
COLOURS = {"tensorflow_hub": "#9a9a9a", "hubmodule": "#d95f02"}
INK = "#333333"

Points = Mapping[str, Sequence[float]]


def main() -> None:
    """Measures, and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--file", type=Path, default=ROOT / "docs" / "growth.png")
    options = parser.parse_args()
    try:
        sizes, results = _measure(Pythons(options.ours, options.peer), options.rounds)
    except RunError as error:
        sys.exit(str(error))
    seconds, nodes = (
        {name: [result.values[name][metric] for result in results] for name in LIBRARIES}
        for metric in ("cpu", "nodes")
    )
    _plot(sizes, seconds, nodes, options.file)
    print(f"{'nodes':>7}{'tensorflow_hub':>24}{'hubmodule':>24}")
    for i, size in enumerate(sizes):
        cells = (f"{seconds[n][i]:12.3f} s{nodes[n][i]:10,.0f}" for n in LIBRARIES)
        print(f"{size:7,}{''.join(cells)}")


def _measure(pythons: Pythons, rounds: int) -> tuple[list[int], list[Result]]:
    """Makes the modules, and measures each; returns their numbers of nodes, and the results."""
    results = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as directory:
        sizes = _make_modules(pythons, directory)
        for layers in LAYERS:
            folder = Path(directory, str(layers))
            results.append(measure_case(pythons, "nodes", LIBRARIES, folder, rounds))
            for failure in results[-1].failures.values():
                raise RunError(failure)
    return sizes, results


def _make_modules(pythons: Pythons, directory: str) -> list[int]:
    """Makes a module of each size, and returns their numbers of nodes."""
    layers = [str(count) for count in LAYERS]
    out = pythons.run("hubmodule", "benchmarks.modules", directory, *layers)
    return json.loads(out.splitlines()[-1])


def _plot(sizes: Sequence[int], seconds: Points, nodes: Points, path: Path) -> None:
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 11, "text.color": INK})
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), dpi=160)
    _draw(left, sizes, seconds, "Processor time to instantiate and apply", "{:.1f} s")
    _draw(right, sizes, nodes, "Nodes added to the graph", "{:,.0f}")
    left.yaxis.set_major_formatter(lambda value, _: f"{value:g} s")
    figure.subplots_adjust(left=0.05, right=0.87, bottom=0.15, top=0.88, wspace=0.55)
    figure.savefig(path, facecolor="white")


def _draw(axes: Axes, sizes: Sequence[int], points: Points, title: str, form: str) -> None:
    for name, values in points.items():
        style = {"color": COLOURS[name], "linewidth": 2.2, "marker": "o", "markersize": 4.5}
        axes.plot(sizes, values, **style)
        # A label at the end of each line makes a legend unnecessary.
        axes.annotate(
            f"{name}\n{form.format(values[-1])}",
            (sizes[-1], values[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=COLOURS[name],
            fontweight="bold",
            fontsize=10,
        )
    axes.set_title(title, loc="left", color=INK, fontweight="bold", pad=12)
    axes.set_xlabel("nodes in the module", color=INK)
    axes.set_xlim(0, sizes[-1] * 1.01)
    axes.set_xticks(range(0, 20_001, 5_000))
    axes.set_ylim(0, max(map(max, points.values())) * 1.1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.tick_params(colors=INK, length=0)
    axes.grid(axis="y", color="#e6e6e6")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


if __name__ == "__main__":
    main()
