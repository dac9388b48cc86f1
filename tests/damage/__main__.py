"""Damages modules in many ways, uses each, and counts how that ends.

    python -m tests.damage --cases 1000 [--part 0/2] [--modules FOLDER] [--json FILE]

The cases are the same in each run: case i is module i of the list, by turns, damaged by seed i.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

# Before TensorFlow is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from tests.damage.cases import CRASH, HANG, OUTCOMES, RAW, run_case
from tests.damage.uses import USES

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def main() -> None:
    """Runs the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--modules", type=Path, action="append", default=[])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--limit", type=float, default=60.0)
    options = parser.parse_args()
    modules = modules_in([GOLDEN, *options.modules])
    part, parts = map(int, options.part.split("/"))
    counts: dict[str, Counter[str]] = {use: Counter() for use in USES}
    lines = []
    for seed in range(options.first + part, options.first + options.cases, parts):
        module = modules[seed % len(modules)]
        what, results = run_case(module, seed, options.limit)
        for result in results:
            counts[result.use][result.outcome] += 1
            if result.outcome in (RAW, CRASH, HANG):
                print(
                    f"{seed} {module.name} | {what} | {result.use} {result.outcome} | "
                    f"{result.text[-400:]}",
                    flush=True,
                )
        lines.append(
            {
                "seed": seed,
                "module": str(module),
                "what": what,
                "results": [asdict(result) for result in results],
            }
        )
        if options.json:
            options.json.write_text(json.dumps(lines))
    print(table(counts))


def modules_in(folders: Sequence[Path]) -> list[Path]:
    """The modules below folders, folder by folder, in the order of their paths."""
    return [p.parent for folder in folders for p in sorted(folder.rglob("tfhub_module.pb"))]


def table(counts: dict[str, Counter[str]]) -> str:
    """The counts as a table of uses and outcomes."""
    rows = [f"{'':10}" + "".join(f"{outcome:>12}" for outcome in OUTCOMES)]
    for use, counted in counts.items():
        rows.append(f"{use:10}" + "".join(f"{counted[outcome]:12}" for outcome in OUTCOMES))
    return "\n".join(rows)


if __name__ == "__main__":
    main()
