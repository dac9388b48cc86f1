"""The assets of a module: files that its graph names by constants.

On disk, the constants are blank, and the collection "saved_model_assets" says which
file in assets/ belongs to which constant.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef

from hubmodule import files
from hubmodule.errors import ModuleDefinitionError
from hubmodule.surgery import collections
from hubmodule.surgery.names import op_name

DIRECTORY = "assets"


def locate(meta_graph: MetaGraphDef, directory: str) -> None:
    """Points the asset constants of a MetaGraph off disk at the files, in place.

    Args:
        meta_graph: of the module.
        directory: the module's.

    Raises:
        ModuleFormatError: if an asset lies outside of the module's assets/.
    """
    entries = meta_graph.collection_def.pop(collections.SAVED_MODEL_ASSETS, None)
    if entries is None:
        return
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    for value in entries.any_list.value:
        asset = AssetFileDef.FromString(value.value)
        path = files.join_inside(posixpath.join(directory, DIRECTORY), asset.filename)
        node = nodes.get(op_name(asset.tensor_info.name))
        if node is not None:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(path, tf.string))


def sources(meta_graph: MetaGraphDef) -> dict[str, str]:
    """The files that the asset tensors of a MetaGraph in memory point at: tensor name -> path.

    Raises:
        ModuleDefinitionError: if an asset tensor is not a constant.
    """
    tensors = collections.names_in(meta_graph, collections.ASSET_FILEPATHS)
    nodes = {node.name: node for node in meta_graph.graph_def.node} if tensors else {}
    paths = {}
    for tensor in tensors:
        node = nodes[op_name(tensor)]
        if node.op != "Const":
            raise ModuleDefinitionError(
                f"Asset '{tensor}' is made by an op of type {node.op}. The path of an asset must "
                "be a constant, so that the file can be published with the module."
            )
        paths[tensor] = bytes(tf.make_ndarray(node.attr["value"].tensor).item()).decode()
    return paths


def named(paths: Mapping[str, None]) -> dict[str, str]:
    """A file name in assets/ for each path; equal base names get numbers."""
    names: dict[str, str] = {}
    for path in paths:
        base = posixpath.basename(path.replace("\\", "/")) or "asset"
        stem, extension = posixpath.splitext(base)
        name, count = base, 0
        while name in names.values():
            count += 1
            name = f"{stem}_{count}{extension}"
        names[path] = name
    return names


def declared(
    meta_graph: MetaGraphDef, tensors: Mapping[str, str], names: Mapping[str, str]
) -> MetaGraphDef:
    """A copy that says which file belongs to which tensor.

    Args:
        meta_graph: of the module.
        tensors: tensor name -> path, as of `sources`.
        names: path -> name in assets/, as of `named`.
    """
    result = MetaGraphDef()
    result.CopyFrom(meta_graph)
    for tensor, path in tensors.items():
        asset = AssetFileDef(filename=names[path])
        asset.tensor_info.name = tensor
        packed = any_pb2.Any()
        packed.Pack(asset)
        result.collection_def[collections.SAVED_MODEL_ASSETS].any_list.value.append(packed)
    return result


def copy(names: Mapping[str, str], directory: str) -> None:
    """Copies files (path -> name) into the assets/ of a module directory.

    Raises:
        ModuleDefinitionError: if a file cannot be read.
    """
    if not names:
        return
    target = posixpath.join(directory, DIRECTORY)
    tf.io.gfile.makedirs(target)
    for path, name in names.items():
        try:
            tf.io.gfile.copy(path, posixpath.join(target, name))
        except tf.errors.NotFoundError as error:
            raise ModuleDefinitionError(
                f"Asset {path!r} of the module does not exist any more; a module is exported "
                "with its assets, so keep them until then."
            ) from error
