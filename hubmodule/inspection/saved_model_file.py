"""Reads what can be read of a saved_model.pb, and reports what cannot."""

from __future__ import annotations

import contextlib
import dataclasses
import posixpath
from collections.abc import Iterator

import tensorflow as tf
from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from hubmodule import files
from hubmodule.errors import HubModuleError, ModuleFormatError, NotAModuleError
from hubmodule.inspection.facts import ModuleFormat
from hubmodule.inspection.varint import read_varint

BINARY = "saved_model.pb"
TEXT = "saved_model.pbtxt"

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
# The levels are SavedModel, MetaGraphDef, GraphDef, and a library of functions or an object graph.
_MOST_DEPTH = 4
_MOST_PROBLEMS = 20


@dataclasses.dataclass(frozen=True)
class SavedModelFile:
    """The content of a saved_model.pb.

    Attributes:
        saved_model: The SavedModel, with the fields that could be read.
        bytes: The size of the file in bytes.
        damage: What could not be read, a sentence each.
    """

    saved_model: SavedModel
    bytes: int
    damage: tuple[str, ...] = ()


@contextlib.contextmanager
def explain_unreadable_files(directory: str) -> Iterator[None]:
    """Raises ModuleFormatError where the file system refuses to read a file of a module."""
    try:
        yield
    except HubModuleError:  # some are also errors of TensorFlow
        raise
    except tf.errors.OpError as error:
        raise ModuleFormatError(
            f"{directory} cannot be read: {error.message}. Check its permissions, or fetch the "
            "module again."
        ) from error


def read_saved_model(directory: str) -> SavedModelFile:
    """Reads the saved_model.pb of a directory, or its saved_model.pbtxt.

    Args:
        directory: The directory of the module.

    Raises:
        NotAModuleError: If the directory has neither file.
    """
    binary, text = (posixpath.join(directory, name) for name in (BINARY, TEXT))
    if tf.io.gfile.exists(binary):
        return parse_binary(files.read_bytes(binary))
    if tf.io.gfile.exists(text):
        return parse_text(files.read_bytes(text))
    raise NotAModuleError(
        f"{directory} contains neither {BINARY} nor {TEXT}: it is incomplete, or not a SavedModel. "
        "Check the path, or fetch the module again."
    )


def get_saved_model_format(saved_model: SavedModel) -> ModuleFormat:
    """Returns which generation of TensorFlow wrote a SavedModel that is not a TF1 Hub module."""
    if any(meta_graph.object_graph_def.nodes for meta_graph in saved_model.meta_graphs):
        return ModuleFormat.TF2_SAVED_MODEL
    return ModuleFormat.TF1_SAVED_MODEL


def parse_text(content: bytes) -> SavedModelFile:
    """Parses the content of a saved_model.pbtxt.

    Args:
        content: The bytes of the file.

    Returns:
        The SavedModel; an empty one if the content is damaged.
    """
    try:
        return SavedModelFile(text_format.Parse(content, SavedModel()), len(content))
    except (text_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        return SavedModelFile(SavedModel(), len(content), (f"{TEXT} is damaged: {error}.",))


def parse_binary(content: bytes) -> SavedModelFile:
    """Parses the content of a saved_model.pb.

    Args:
        content: The bytes of the file.

    Returns:
        The SavedModel; if the content is damaged, with the fields that can be read.
    """
    try:
        return SavedModelFile(SavedModel.FromString(content), len(content))
    except DecodeError:
        saved_model = SavedModel()
        problems = list(_merge_readable(saved_model, content, "", _MOST_DEPTH))
    shown = [f"{BINARY} is damaged: {problem}." for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        shown.append(f"{BINARY} is damaged in {len(problems) - _MOST_PROBLEMS} more places.")
    return SavedModelFile(saved_model, len(content), tuple(shown))


@dataclasses.dataclass(frozen=True)
class _Field:
    """A field of a serialised message.

    Attributes:
        number: Its number.
        content: All its bytes.
        payload: The bytes of its value, if its length is stated; None for other fields.
        is_complete: Whether the message has all its bytes.
    """

    number: int
    content: bytes
    payload: bytes | None
    is_complete: bool


def _merge_readable(message: Message, content: bytes, path: str, depth: int) -> Iterator[str]:
    """Adds the fields that can be read to a message; yields which fields cannot.

    Args:
        message: The message to which the function adds fields.
        content: The serialised message.
        path: The names of the fields that lead to the message, joined by "."; "" for the root.
        depth: How many levels of messages in damaged fields to read.
    """
    for field in _split_fields(content):
        descriptor = message.DESCRIPTOR.fields_by_number.get(field.number)
        name = descriptor.name if descriptor else f"field {field.number}"
        place = f"{path}.{name}" if path else name
        if field.is_complete and _merge(message, field.content):
            continue
        if depth and field.payload and descriptor and _is_message(descriptor):
            values = getattr(message, name)
            child = values if not hasattr(values, "add") else values.add()
            yield from _merge_readable(child, field.payload, place, depth - 1)
            if not field.is_complete:
                yield f"it ends within {place}"
        else:
            yield f"{place} cannot be read"


def _merge(message: Message, content: bytes) -> bool:
    try:
        # Into a new message first: a failure would leave some of the field in the message.
        message.MergeFrom(type(message).FromString(content))
    except DecodeError:
        return False
    return True


def _is_message(descriptor: FieldDescriptor) -> bool:
    inner = descriptor.message_type
    return inner is not None and not inner.GetOptions().map_entry


def _split_fields(content: bytes) -> Iterator[_Field]:
    """Yields the fields of a serialised message, up to the first byte that cannot begin one."""
    position = 0
    while position < len(content):
        start = position
        tag, position = _read_number(content, position)
        kind, size, payload_start = tag & 7, 0, position
        if kind == _LENGTH:
            size, payload_start = _read_number(content, position)
        elif kind in _FIXED_BYTES:
            size = _FIXED_BYTES[kind]
        elif kind == _VARINT:
            _, payload_start = _read_number(content, position)
        if tag < 8 or kind not in (_VARINT, _FIXED64, _LENGTH, _FIXED32):
            yield _Field(tag >> 3, content[start:], None, False)
            return
        position = payload_start + size
        payload = content[payload_start:position] if kind == _LENGTH else None
        yield _Field(tag >> 3, content[start:position], payload, position <= len(content))


def _read_number(content: bytes, position: int) -> tuple[int, int]:
    """Reads a number; returns it and the position after it, past the end if it is damaged."""
    try:
        return read_varint(content, position)
    except (IndexError, ValueError):
        return 0, len(content) + 1
