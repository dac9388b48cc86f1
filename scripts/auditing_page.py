"""Writes the table of risky ops into docs/auditing.md: python -m scripts.auditing_page."""

from __future__ import annotations

import pathlib

from hubmodule.auditing.ops import RISKY_OPS
from hubmodule.auditing.risks import Risk
from hubmodule.auditing.risky_op import HarmlessName, RiskyOp
from scripts import generated_sections

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "auditing.md"


def make_op_table() -> str:
    """Makes the table of risky ops in Markdown, with one row for ops that differ only by name."""
    rows = ["| ops | class | level | names | harmless names | why |", "|---|---|---|---|---|---|"]
    for risk in Risk:
        alike: dict[RiskyOp, list[str]] = {}
        for op, row in RISKY_OPS.items():
            if row.risk is risk:
                key = RiskyOp("", row.risk, row.level, row.reason, row.names, row.harmless)
                alike.setdefault(key, []).append(op)
        for row, ops in alike.items():
            names = ", ".join(f"`{name}`" for name in row.names)
            shown = " ".join(f"`{op}`" for op in ops)
            level = row.level.label
            harmless = "; ".join(map(_describe_harmless, row.harmless))
            cells = (shown, risk.value, level, names, harmless, row.reason)
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _describe_harmless(name: HarmlessName) -> str:
    value = f"`{name.value}`" if name.value else "an empty name"
    where = f" in {', '.join(f'`{key}`' for key in name.keys)}" if name.keys else ""
    return f"{value}{where}: {name.reason}"


def read_section(name: str) -> str:
    """Reads a generated section of the page."""
    return generated_sections.read_section(PAGE, name)


def replace_section(name: str, text: str) -> None:
    """Replaces a generated section of the page."""
    generated_sections.replace_section(PAGE, name, text)


if __name__ == "__main__":
    replace_section("ops", make_op_table())
