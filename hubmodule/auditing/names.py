"""Names of files, addresses and callbacks, and where ops have them from."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tensorflow.core.framework import attr_value_pb2, node_def_pb2, tensor_pb2
from tensorflow.core.framework.types_pb2 import DT_STRING

# No file system takes a longer path. A hostile graph may join strings without end.
_MOST_CHARACTERS = 4096


class Source(enum.Enum):
    """What kind of name an op uses. The value names it in JSON."""

    ASSET = "asset"
    CHECKPOINT = "checkpoint"
    CONSTANT = "constant"
    COMPUTED = "computed"
    FED = "fed"


@dataclass(frozen=True)
class Name:
    """A name that an op uses.

    Attributes:
        source: Its kind.
        value: The name of the asset, the constant, or what computes or feeds it.
    """

    source: Source
    value: str


TOO_LONG = Name(Source.COMPUTED, "in more steps than this audit follows")
TOO_MANY = Name(Source.COMPUTED, "from more values than this audit follows")


def make_constant(value: bytes) -> Name:
    """The name that a constant string is."""
    text = value.decode(errors="backslashreplace")
    if len(text) > _MOST_CHARACTERS:
        return Name(Source.COMPUTED, f"from {len(text)} characters")
    return Name(Source.CONSTANT, text)


def join_names(parts: Sequence[Name], separator: str) -> Name:
    """The name that an op makes of names, with a text between them."""
    if sum(len(part.value) for part in parts) > _MOST_CHARACTERS:
        return TOO_LONG
    first, rest = parts[:1], parts[1:]
    constant = all(part.source is Source.CONSTANT for part in rest)
    if constant and first and first[0].source is Source.CONSTANT:
        return make_constant(separator.join(part.value for part in parts).encode())
    added = separator.join(["", *(part.value for part in rest)])
    is_beside = constant and ".." not in added
    if is_beside and first and first[0].source is Source.CHECKPOINT:
        return first[0]
    shown = [
        f"'{part.value}'" if part.source in (Source.CONSTANT, Source.ASSET) else part.value
        for part in parts
    ]
    return Name(Source.COMPUTED, f"from {' and '.join(shown)}")


def read_constant(node: node_def_pb2.NodeDef) -> Iterator[Name]:
    """Yields the strings of a node whose op is Const."""
    tensor = node.attr["value"].tensor if "value" in node.attr else None
    if tensor is None or tensor.dtype != DT_STRING:
        yield Name(Source.COMPUTED, f"by Const '{node.name}', which is not a string")
        return
    strings = _unpack(tensor) if tensor.tensor_content else tensor.string_val or [b""]
    for string in dict.fromkeys(strings):
        yield make_constant(string)


def read_attribute(value: attr_value_pb2.AttrValue) -> list[Name]:
    """The strings of an attribute of a node."""
    kind = value.WhichOneof("value")
    if kind == "s":
        return [make_constant(value.s)]
    if kind == "list":
        return [make_constant(string) for string in value.list.s]
    if kind == "placeholder":  # the caller of the function gives it
        return [Name(Source.COMPUTED, f"by attribute '{value.placeholder}' of the function")]
    return [Name(Source.COMPUTED, "by an attribute that is not a string")]


def _unpack(tensor: tensor_pb2.TensorProto) -> Iterator[bytes]:
    """Yields the strings of the packed form: the size of each, in base 128, then all of them."""
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
        sizes.append(size)
    for size in sizes:
        yield content[position : position + size]
        position += size
