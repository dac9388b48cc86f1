"""A row of the table of risky ops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hubmodule.auditing.risks import Level, Risk


class HarmlessName(NamedTuple):
    """A name with which an op does not do what makes it risky.

    Attributes:
        value: The name; "x*" stands for every name that starts with "x".
        reason: What the op does with it, as a phrase.
        keys: The inputs and attributes that may hold it; () for all that hold names.
    """

    value: str
    reason: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class RiskyOp:
    """A row of the table.

    Attributes:
        op: The op type, as registered.
        risk: The class of the risk.
        level: The level of a finding: of every finding if the op uses no name, otherwise of one
            whose name is a constant other than an asset.
        reason: A sentence that says what the op does.
        names: The inputs and attributes that hold the names of files, addresses or callbacks.
        harmless: Names that are harmless. An empty name is one only where it is listed: many
            ops take it as a path in the current directory.
    """

    op: str
    risk: Risk
    level: Level
    reason: str
    names: tuple[str, ...] = ()
    harmless: tuple[HarmlessName, ...] = ()

    def is_harmless(self, key: str, value: str) -> bool:
        """Whether a constant name is harmless.

        Args:
            key: The input or attribute that holds the name.
            value: The name.
        """
        return any(
            value.startswith(name.value[:-1]) if name.value.endswith("*") else value == name.value
            for name in self.harmless
            if not name.keys or key in name.keys
        )


def allow_empty(reason: str, *keys: str) -> tuple[HarmlessName, ...]:
    """Makes the harmless names of an op for which an empty name is harmless.

    Args:
        reason: What the op does with it, as a phrase.
        *keys: The inputs and attributes that may hold it; none for all that hold names.
    """
    return (HarmlessName("", reason, keys),)
