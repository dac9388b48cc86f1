"""The assets of a module: files whose paths are constants of its graph.

On disk the constants are empty, and the collection "saved_model_assets" maps each of them to a
file in assets/.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping

import tensorflow as tf
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef

from hubmodule import files
from hubmodule.errors import ModuleDefinitionError, ModuleFormatError
from hubmodule.surgery import collections
from hubmodule.surgery.names import get_op_name

DIRECTORY = "assets"


def locate_in_place(meta_graph: MetaGraphDef, directory: str) -> None:
    """Sets the asset constants of a MetaGraph to the paths of their files in a directory.

    Adds the constants to the collection "asset_filepaths", which find_sources() reads, because
    a SavedModel may lack that collection.

    Args:
        meta_graph: The MetaGraphDef from the file, which is changed.
        directory: The path of the module's directory.

    Raises:
        ModuleFormatError: If the path of an asset leaves assets/, or if an entry is damaged or
            belongs to an op that is not a constant.
    """
    # Not pop(): a protobuf map of messages creates each key that it is asked for.
    if collections.SAVED_MODEL_ASSETS not in meta_graph.collection_def:
        return
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    known = set(collections.list_names(meta_graph, collections.ASSET_FILEPATHS))
    for value in meta_graph.collection_def[collections.SAVED_MODEL_ASSETS].any_list.value:
        asset = _parse_asset(value)
        path = files.join_inside(posixpath.join(directory, DIRECTORY), asset.filename)
        tensor = asset.tensor_info.name
        node = nodes.get(get_op_name(tensor))
        if node is None:
            continue
        if node.op != "Const":
            raise ModuleFormatError(
                f"The module in {directory} gives op '{node.name}' of type {node.op} the file "
                f"'{asset.filename}', but only a constant can name one. Fetch the module again."
            )
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(path, tf.string))
        if tensor not in known:
            meta_graph.collection_def[collections.ASSET_FILEPATHS].node_list.value.append(tensor)
    del meta_graph.collection_def[collections.SAVED_MODEL_ASSETS]


def declare_located(meta_graph: MetaGraphDef, directory: str) -> MetaGraphDef:
    """Returns a copy of a MetaGraph in memory that declares its assets as on disk.

    This is the inverse of locate_in_place(). Entries that are not the path of a file in the
    assets/ of the directory stay as they are.

    Args:
        meta_graph: The MetaGraphDef in memory.
        directory: The path of the directory that it was read from.
    """
    folder = posixpath.join(directory, DIRECTORY, "")
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    paths = {}
    for tensor in collections.list_names(meta_graph, collections.ASSET_FILEPATHS):
        node = nodes.get(get_op_name(tensor))
        if node is None or node.op != "Const":
            continue
        values = [value.decode(errors="replace") for value in node.attr["value"].tensor.string_val]
        if len(values) == 1 and values[0].startswith(folder):
            paths[tensor] = values[0]
    result = MetaGraphDef()
    result.CopyFrom(meta_graph)
    declare_files_in_place(result, paths, {p: p.removeprefix(folder) for p in paths.values()})
    return result


def _parse_asset(value: any_pb2.Any) -> AssetFileDef:
    try:
        return AssetFileDef.FromString(value.value)
    except DecodeError as error:
        raise ModuleFormatError(
            f"An asset entry of the module is damaged: {error}. Fetch the module again."
        ) from error


def find_sources(meta_graph: MetaGraphDef) -> dict[str, str]:
    """Returns the paths of the assets of a MetaGraph in memory by the names of their tensors.

    Raises:
        ModuleDefinitionError: If an asset tensor is not a constant with one string.
    """
    tensors = collections.list_names(meta_graph, collections.ASSET_FILEPATHS)
    nodes = {node.name: node for node in meta_graph.graph_def.node} if tensors else {}
    paths = {}
    for tensor in tensors:
        node = nodes[get_op_name(tensor)]
        if node.op != "Const":
            raise ModuleDefinitionError(
                f"Asset '{tensor}' is made by an op of type {node.op}. The path of an asset must "
                "be a constant, so that the file can be published with the module."
            )
        value = node.attr["value"].tensor
        if value.dtype != tf.string.as_datatype_enum or value.tensor_shape.dim:
            raise ModuleDefinitionError(
                f"Asset '{tensor}' is a constant of type {tf.as_dtype(value.dtype).name} and shape "
                f"{tf.TensorShape(value.tensor_shape)}. The path of an asset must be one string, a "
                "scalar."
            )
        paths[tensor] = bytes(tf.make_ndarray(value).item()).decode()
    return paths


def name_files(paths: Iterable[str]) -> dict[str, str]:
    """Chooses a file name in assets/ for each path; equal base names get numbers."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    counts: Counter[str] = Counter()  # base name -> numbers tried so far
    for path in dict.fromkeys(paths):
        base = posixpath.basename(path.replace("\\", "/")) or "asset"
        stem, extension = posixpath.splitext(base)
        name = base
        while name in taken:
            counts[base] += 1
            name = f"{stem}_{counts[base]}{extension}"
        taken.add(name)
        names[path] = name
    return names


def declare_files_in_place(
    meta_graph: MetaGraphDef, tensors: Mapping[str, str], names: Mapping[str, str]
) -> None:
    """Adds the collection that maps asset tensors to files in assets/.

    Args:
        meta_graph: The MetaGraphDef of the module, which is changed.
        tensors: A dict from the names of asset tensors to paths, from find_sources().
        names: A dict from paths to file names in assets/, from name_files().
    """
    for tensor, path in tensors.items():
        asset = AssetFileDef(filename=names[path])
        asset.tensor_info.name = tensor
        packed = any_pb2.Any()
        packed.Pack(asset)
        meta_graph.collection_def[collections.SAVED_MODEL_ASSETS].any_list.value.append(packed)


def copy_files(names: Mapping[str, str], directory: str) -> None:
    """Copies files into the assets/ of a module directory.

    Args:
        names: A dict from the paths of the files to their names in assets/.
        directory: The path of the module's directory.

    Raises:
        ModuleDefinitionError: If a file cannot be read.
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
        except (tf.errors.FailedPreconditionError, tf.errors.InvalidArgumentError) as error:
            raise ModuleDefinitionError(
                f"Asset {path!r} of the module is not a file: {error.message}"
            ) from error
