"""Where the recordings of a golden module lie: beside it, named after it and the call.

    NAME/                                the module
    NAME.json                            who made it, and what a program sees of it
    NAME__TAGS__SIGNATURE.npz            inputs (`in:…`) and outputs (`out:…`) of a call
    NAME__TAGS__SIGNATURE.trained.npz    what a training step on that call does

TAGS are joined by `-`; `notags` is the empty set. `_` stands for `:`. Runs on Python 3.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.golden import values
from tests.golden.definitions import Call
from tests.golden.values import Value


def call_name(call: Call) -> str:
    """The variant and signature of a call, as file names spell them."""
    return "__".join(["-".join(sorted(call.tags)) or "notags", call.signature.replace(":", "_")])


def outputs_file(directory: Path, module: str, call: Call) -> Path:
    """Where inputs and outputs of a call are recorded."""
    return directory / (module + "__" + call_name(call) + ".npz")


def training_file(directory: Path, module: str, call: Call) -> Path:
    """Where the effect of a training step is recorded."""
    return directory / (module + "__" + call_name(call) + ".trained.npz")


def description_file(directory: Path, module: str) -> Path:
    """Where it is recorded what a program sees of a module."""
    return directory / (module + ".json")


def save_call(file: Path, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> None:
    """Writes what went in and what came out."""
    seen = {"in:" + name: value for name, value in inputs.items()}
    seen.update(("out:" + name, value) for name, value in outputs.items())
    values.save(file, seen)


def load_call(file: Path) -> tuple[dict[str, Value], dict[str, Value]]:
    """Inputs and outputs, as save_call wrote them."""
    sides: dict[str, dict[str, Value]] = {"in": {}, "out": {}}
    for key, value in values.load(file).items():
        side, _, name = key.partition(":")
        sides[side][name] = value
    return sides["in"], sides["out"]
