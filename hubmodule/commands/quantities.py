"""Parses and formats times and sizes such as "12h" and "10GB"."""

from __future__ import annotations

import argparse
import re

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_seconds(text: str) -> float:
    """Parses a time such as "12h"; returns seconds."""
    return _parse_quantity(text, _SECONDS, "a time such as 12h, 30d or 8w")


def parse_bytes(text: str) -> int:
    """Parses a size such as "10GB"; returns bytes."""
    return int(_parse_quantity(text.upper(), _BYTES, "a size such as 500MB or 10GB"))


def _parse_quantity(text: str, units: dict[str, int], what: str) -> float:
    match = re.fullmatch(r"(\d{1,18}(?:\.\d+)?)\s*([A-Za-z]+)", text)
    if match is None or match[2] not in units:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return float(match[1]) * units[match[2]]


def format_duration(seconds: float) -> str:
    """Formats a time in its largest unit up to days, e.g. "3d"."""
    unit = next((unit for unit in "dhm" if seconds >= _SECONDS[unit]), "s")
    return f"{int(seconds // _SECONDS[unit])}{unit}"
