"""What an object for a module is made of."""

from __future__ import annotations

from pathlib import Path

import hubmodule as hub
from hubmodule.format.checkpoint import Contents
from hubmodule.module.spec import read_checkpoint
from hubmodule.module.variant import Variant
from hubmodule.tf2.state import ModuleState
from hubmodule.tf2.variants import Variants

EMPTY = Contents("none", {}, {})


def parts(path: Path | str) -> tuple[Variant, ModuleState]:
    """The variant without tags of a module, and its state, which is still empty."""
    spec = hub.load_module_spec(path)
    contents = read_checkpoint(spec)
    assert contents is not None
    return Variants(spec).get(frozenset()), ModuleState(contents)
