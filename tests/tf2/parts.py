"""What an object for a module is made of."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from hubmodule.format import checkpoint, saved_model
from hubmodule.tf2.state import State
from hubmodule.tf2.variants import Variants

EMPTY = checkpoint.Contents("none", {}, {})


def parts(path: Path | str) -> tuple:
    """The variant without tags of a module, and its state, which is still empty."""
    variant = Variants(saved_model.read(str(path))).get(frozenset())
    prefix = saved_model.checkpoint_prefix(str(path))
    has_checkpoint = tf.io.gfile.exists(prefix + ".index")
    contents = checkpoint.read_contents(prefix) if has_checkpoint else EMPTY
    return variant, State(contents)
