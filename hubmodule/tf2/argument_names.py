"""Chooses Python arguments for inputs of a signature, which may have names invalid in Python."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

# Names that tf.saved_model.save does not change: those that an op can have.
_NAME_OF_OP = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/-]*")


def choose_arguments(names: Iterable[str]) -> dict[str, str]:
    """Chooses the Python argument that stands for each input of a signature.

    A name that can be an argument stays. In another name, "_" replaces each character that is
    invalid in an argument, as in TensorFlow. If two arguments would then be equal, in any case
    of letters, a number is added to the second.

    Args:
        names: Names of inputs, all different.

    Returns:
        The argument by the name of the input.
    """
    arguments: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names, key=lambda name: (_make_identifier(name) != name, name)):
        argument, count = _make_identifier(name), 0
        while argument.lower() in taken:
            count += 1
            argument = f"{_make_identifier(name)}_{count}"
        taken.add(argument.lower())
        arguments[name] = argument
    return arguments


def choose_key(name: str, argument: str) -> str:
    """Chooses the key for an input that tf.saved_model.save can write to a signature_def.

    Args:
        name: Name of the input.
        argument: Its Python argument, from choose_arguments().

    Returns:
        The name if TensorFlow accepts it and derives the argument from it, else the argument.
    """
    keeps = _NAME_OF_OP.fullmatch(name) is not None
    return name if keeps and _replace_invalid_characters(name) == argument else argument


def _make_identifier(name: str) -> str:
    argument = _replace_invalid_characters(name)
    # TensorFlow's own functions have an argument `self`.
    return f"{argument}_" if keyword.iskeyword(argument) or argument == "self" else argument


def _replace_invalid_characters(name: str) -> str:
    argument = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return argument if argument[:1].isalpha() else f"arg_{argument}"
