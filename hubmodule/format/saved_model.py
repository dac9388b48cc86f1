"""saved_model.pb: one MetaGraphDef per graph variant.

The directory of a module, or of a TF1 SavedModel:

    saved_model.pb          SavedModel; or saved_model.pbtxt, the same in text form
    tfhub_module.pb         in modules only
    assets/                 files that the graph reads
    variables/variables.*   a V2 checkpoint, if there are variables
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import tensorflow as tf
from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import files
from hubmodule.errors import ModuleFormatError, NotAModuleError
from hubmodule.format import assets, authorship
from hubmodule.surgery import portability

BINARY = "saved_model.pb"
TEXT = "saved_model.pbtxt"
VARIABLES_PREFIX = "variables/variables"

# The files and directories of a module or SavedModel; others in its directory do not belong to it.
# TensorFlow and Keras write the last four.
ENTRIES = frozenset(
    {
        BINARY,
        TEXT,
        "tfhub_module.pb",
        "variables",
        "assets",
        "assets.extra",
        "debug",
        "fingerprint.pb",
        "keras_metadata.pb",
    }
)


def read(directory: str) -> list[MetaGraphDef]:
    """Reads the graph variants in a directory; their asset constants are paths of its files.

    Raises:
        NotAModuleError: If the directory does not contain a SavedModel.
        ModuleFormatError: If the SavedModel is damaged.
    """
    saved_model = read_proto(directory)
    if not saved_model.meta_graphs:
        raise ModuleFormatError(f"The SavedModel in {directory} has no graphs; it is damaged.")
    for meta_graph in saved_model.meta_graphs:
        assets.locate_in_place(meta_graph, directory)
    return list(saved_model.meta_graphs)


def is_saved_model(directory: str) -> bool:
    """Whether a directory contains a SavedModel, alone or as a part of a module."""
    return any(tf.io.gfile.exists(posixpath.join(directory, name)) for name in (BINARY, TEXT))


@dataclass(frozen=True)
class EncodedGraphs:
    """Graph variants as they are written.

    Attributes:
        content: The content of saved_model.pb.
        assets: A dict from the paths of files to their names in assets/.
    """

    content: bytes
    assets: Mapping[str, str]


def encode(meta_graphs: Iterable[MetaGraphDef]) -> EncodedGraphs:
    """Encodes graph variants, without paths and devices of the author's machine.

    Args:
        meta_graphs: The graph variants, which are not changed. Their asset constants are paths.

    Raises:
        ModuleDefinitionError: If an asset tensor is not a constant with one string.
    """
    meta_graphs = list(meta_graphs)
    tensors = [assets.find_sources(meta_graph) for meta_graph in meta_graphs]
    names = assets.name_files(path for paths in tensors for path in paths.values())
    saved_model = saved_model_pb2.SavedModel()
    for meta_graph, paths in zip(meta_graphs, tensors, strict=True):
        graph = saved_model.meta_graphs.add()
        graph.CopyFrom(meta_graph)
        portability.remove_author_in_place(graph, paths, names)
        assets.declare_files_in_place(graph, paths, names)
        authorship.record_version(graph)
    return EncodedGraphs(saved_model.SerializeToString(deterministic=True), names)


def write(directory: str, graphs: EncodedGraphs) -> None:
    """Writes graph variants and their assets to an empty directory.

    Args:
        directory: The path of the directory.
        graphs: The graph variants, whose assets are existing files.

    Raises:
        ModuleDefinitionError: If an asset cannot be read.
    """
    assets.copy_files(graphs.assets, directory)
    files.write_bytes(posixpath.join(directory, BINARY), graphs.content)


def get_checkpoint_prefix(directory: str) -> str:
    """Returns the path prefix of a module's checkpoint; a module without variables has none."""
    return posixpath.join(directory, VARIABLES_PREFIX)


def read_proto(directory: str) -> saved_model_pb2.SavedModel:
    """Reads the SavedModel message of a directory, without changing its asset constants.

    Raises:
        NotAModuleError: If the directory does not contain a SavedModel.
        ModuleFormatError: If the SavedModel is damaged.
    """
    binary, text = (posixpath.join(directory, name) for name in (BINARY, TEXT))
    try:
        if tf.io.gfile.exists(binary):
            return saved_model_pb2.SavedModel.FromString(files.read_bytes(binary))
        if tf.io.gfile.exists(text):
            return text_format.Parse(files.read_bytes(text), saved_model_pb2.SavedModel())
    except (
        DecodeError,
        text_format.ParseError,
        UnicodeDecodeError,
        tf.errors.FailedPreconditionError,  # the file is a directory
    ) as error:
        raise ModuleFormatError(
            f"The SavedModel in {directory} is damaged: {error}. Fetch it again."
        ) from error
    raise NotAModuleError(
        f"{directory} contains neither {BINARY} nor {TEXT}: it is incomplete, or not a "
        "SavedModel. Fetch it again, or check the path."
    )
