"""Names of files, addresses and callbacks that ops use, and their sources."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tensorflow.core.framework import attr_value_pb2, node_def_pb2, tensor_pb2
from tensorflow.core.framework.types_pb2 import DT_STRING

# No file system allows longer paths. A hostile graph may join strings endlessly.
_MOST_CHARACTERS = 4096


class Source(enum.Enum):
    """Where an op gets a name from; the value is the name of the source in JSON."""

    ASSET = "asset"
    CHECKPOINT = "checkpoint"
    CONSTANT = "constant"
    COMPUTED = "computed"
    FED = "fed"


@dataclass(frozen=True)
class Name:
    """A name that an op uses.

    Attributes:
        source: Where the op gets the name from.
        value: The path of the asset in the module; the constant; or a phrase that says which
            checkpoint it is, or what computes or feeds the name.
    """

    source: Source
    value: str


TOO_LONG = Name(Source.COMPUTED, "in more steps than this audit follows")
TOO_MANY = Name(Source.COMPUTED, "from more values than this audit follows")


def make_constant(value: bytes) -> Name:
    """Makes a name of a constant string; one that is too long counts as computed."""
    text = value.decode(errors="backslashreplace")
    if len(text) > _MOST_CHARACTERS:
        return Name(Source.COMPUTED, f"from {len(text)} characters")
    return Name(Source.CONSTANT, text)


def join_names(parts: Sequence[Name], separator: str) -> Name:
    """Returns the name that an op makes when it joins names with a separator."""
    if sum(len(part.value) for part in parts) > _MOST_CHARACTERS:
        return TOO_LONG
    first, rest = parts[:1], parts[1:]
    constant = all(part.source is Source.CONSTANT for part in rest)
    if constant and first and first[0].source is Source.CONSTANT:
        return make_constant(separator.join(part.value for part in parts).encode())
    added = separator.join(["", *(part.value for part in rest)])
    # A next join could complete a "." at the end to "..".
    is_beside = constant and ".." not in added and not added.endswith(".")
    if is_beside and first and first[0].source is Source.CHECKPOINT:
        return first[0]
    shown = [
        f"'{part.value}'" if part.source in (Source.CONSTANT, Source.ASSET) else part.value
        for part in parts
    ]
    return Name(Source.COMPUTED, f"from {' and '.join(shown)}")


def read_constant(node: node_def_pb2.NodeDef) -> Iterator[Name]:
    """Yields the strings in the attribute `value` of a node, which is a constant."""
    tensor = node.attr["value"].tensor if "value" in node.attr else None
    if tensor is None or tensor.dtype != DT_STRING:
        yield Name(Source.COMPUTED, f"by {node.op} '{node.name}', which is not a string")
        return
    strings = _unpack(tensor) if tensor.tensor_content else tensor.string_val or [b""]
    for string in dict.fromkeys(strings):
        yield make_constant(string)


def read_attribute(value: attr_value_pb2.AttrValue) -> list[Name]:
    """Returns the strings of an attribute of a node; an empty list counts as an empty string."""
    kind = value.WhichOneof("value")
    if kind == "s":
        return [make_constant(value.s)]
    if kind == "list":
        return [make_constant(string) for string in value.list.s or [b""]]
    if kind == "placeholder":  # the caller of the function chooses it
        return [Name(Source.COMPUTED, f"by attribute '{value.placeholder}' of the function")]
    return [Name(Source.COMPUTED, "by an attribute that is not a string")]


def _unpack(tensor: tensor_pb2.TensorProto) -> Iterator[bytes]:
    """Yields strings from tensor_content: all sizes as varints, followed by all strings."""
    content = tensor.tensor_content
    sizes: list[int] = []
    position, count = 0, 1
    for dimension in tensor.tensor_shape.dim:
        count *= max(0, dimension.size)
    while len(sizes) < count and position < len(content):
        size, shift = 0, 0
        while position < len(content):
            byte = content[position]
            position += 1
            size |= (byte & 0x7F) << min(shift, 63)
            shift += 7
            if byte < 0x80:
                break
        sizes.append(size & 0xFFFFFFFF)  # as TensorFlow reads it
    for size in sizes:
        yield content[position : position + size]
        position += size
