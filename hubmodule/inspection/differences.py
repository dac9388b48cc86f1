"""The dataclasses that describe the differences of two modules, and their form as JSON.

`schema` is the version of the layout, as in facts.py.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from hubmodule.inspection.facts import convert_to_plain

SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class Change:
    """Something that both modules have, and that differs.

    Attributes:
        name: Its name.
        before: A description of it in the first module.
        after: A description of it in the second module.
    """

    name: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True)
class Changes:
    """What was added, removed and changed.

    Attributes:
        added: The names of what only the second module has, sorted.
        removed: The names of what only the first module has, sorted.
        changed: What both modules have and differs, sorted by name.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclasses.dataclass(frozen=True)
class ValueChange:
    """A variable whose stored value differs.

    Attributes:
        name: The name of the variable.
        largest_difference: The largest absolute difference of two elements; None if the values
            were not read, or are not numbers, or the difference is not finite.
        relative_difference: The Euclidean norm of the difference over that of the first
            value; None in the same cases, and if the first value is zero.
        reason: If the values were read, why a difference is None, as a phrase; otherwise "".
    """

    name: str
    largest_difference: float | None = None
    relative_difference: float | None = None
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class ScopeChange:
    """A scope of a graph variant, or a function, in which ops differ.

    Attributes:
        variant: The tags of the variant.
        scope: The scope, which ends with "/"; "" for ops outside of scopes; or "function NAME".
        added: How many ops of each type were added.
        removed: How many ops of each type were removed.
        changed: How many ops of each type have other inputs or attributes.
        attributes: What differs in the ops that changed: names of attributes, "input" and
            "device".
    """

    variant: tuple[str, ...]
    scope: str
    added: dict[str, int]
    removed: dict[str, int]
    changed: dict[str, int]
    attributes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, repr=False)
class ModuleDifferences:
    """Everything that differs between two modules.

    Attributes:
        before: The handle of the first module.
        after: The handle of the second module.
        about: Changes of format and of the programs that wrote the modules.
        variants: Changes of graph variants.
        signatures: Changes of signatures, as "NAME" or "NAME (TAGS)".
        variables: Changes of variables other than their values.
        values: Variables with other values.
        common_variables: The number of variables that both modules have.
        assets: Changes of assets.
        messages: Changes of attached messages.
        ops: Changes of ops, sorted by variant and scope.
        incompatible: Why the second module cannot replace the first one for programs that
            call it, a sentence each; empty if it can.
        cannot_restore: Why checkpoints of programs that train the first module cannot be
            restored with the second one, a sentence each; empty if they can.
        damage: What could not be compared, because a module is damaged; a sentence each.
        calls: Changes of the calls of the object of a TF2 SavedModel and of its public methods:
            "METHOD(ARGUMENTS)", and the result.
        schema: The version of this layout.
    """

    before: str
    after: str
    about: tuple[Change, ...]
    variants: Changes
    signatures: Changes
    variables: Changes
    values: tuple[ValueChange, ...]
    common_variables: int
    assets: Changes
    messages: Changes
    ops: tuple[ScopeChange, ...]
    incompatible: tuple[str, ...]
    cannot_restore: tuple[str, ...]
    damage: tuple[str, ...]
    calls: Changes = Changes()
    schema: int = SCHEMA

    def __repr__(self) -> str:
        if self.is_equal:
            verdict = "equal"
        else:
            verdict = f"different, {'can' if self.is_compatible else 'cannot'} replace it"
        damaged = ", damaged" if self.damage else ""
        return f"<hub.diff({self.before!r}, {self.after!r}): {verdict}{damaged}>"

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not any(
            (
                self.about,
                self.variants,
                self.signatures,
                self.calls,
                self.variables,
                self.values,
                self.assets,
                self.messages,
                self.ops,
            )
        )

    @property
    def is_compatible(self) -> bool:
        """Whether the second module can replace the first one for programs that call it."""
        return not self.incompatible

    def to_dict(self) -> dict[str, Any]:
        """Converts the differences to dicts, lists, strings and numbers, for JSON."""
        return {
            **convert_to_plain(self),
            "is_equal": self.is_equal,
            "is_compatible": self.is_compatible,
        }
