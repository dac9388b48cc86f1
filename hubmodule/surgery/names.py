"""The spelling of names in GraphDefs.

An input of a node is "op" (its output 0), "op:2", or "^op" (a control input); a
tensor is "op:2", with the index; a scope ends with "/", or is empty.
"""

from __future__ import annotations


def get_op_name(reference: str) -> str:
    """Returns the name of the op that an input, a tensor name or an op name refers to."""
    return reference.lstrip("^").partition(":")[0]


def get_tensor_name(reference: str) -> str:
    """Returns the name of the tensor that a data input refers to: "op" means "op:0"."""
    return reference if ":" in reference else reference + ":0"


def is_control(reference: str) -> bool:
    """Whether an input is a control input."""
    return reference.startswith("^")


def add_scope(scope: str, reference: str) -> str:
    """Returns the name of an input, a tensor or an op after it is moved under a scope."""
    return "^" + scope + reference[1:] if is_control(reference) else scope + reference
