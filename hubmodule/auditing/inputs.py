"""Finds what a graph variant gets from outside: from callers, objects and the loader."""

from __future__ import annotations

import copy
import functools
import posixpath
from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef

from hubmodule import files
from hubmodule.auditing.graphs import Body
from hubmodule.auditing.module_files import ModuleFiles
from hubmodule.auditing.names import Name, Source, read_constant
from hubmodule.auditing.roots import list_tensor_names
from hubmodule.errors import ModuleFormatError
from hubmodule.format import assets
from hubmodule.surgery import collections
from hubmodule.surgery.names import get_op_name

# The class of constants in the object graph of a TF2 SavedModel.
_CONSTANT_CLASS = "tf.TrackableConstant"


class Inputs:
    """What a graph variant gets from outside.

    Attributes:
        feeds: Nodes that are inputs of signatures -> a phrase that names input and signature.
        assets: Nodes whose values the loader replaces with the path of an asset -> the asset.
        checkpoint: The node that the loader feeds with the path of the checkpoint; "" if the
            variant has no saver.
        captures: Functions of objects -> the names that each captured object may hold, which are
            passed as their last arguments.
        odd_constants: Nodes that objects take as constants, although their ops are not Const.
        links: Paths outside of the module that assets link to -> the asset.
        damage: What could not be read, a sentence each.

    Args:
        meta_graph: The graph variant.
        graph: The graph of the variant.
        directory: The directory of the module.
        module_files: The files of the module.
        is_module: Whether it is a TF1 Hub module.
    """

    def __init__(
        self,
        meta_graph: MetaGraphDef,
        graph: Body,
        directory: str,
        module_files: ModuleFiles,
        is_module: bool,
    ):
        self._is_module = is_module
        self._meta_graph = meta_graph
        self._graph = graph
        self._directory = directory
        self._files = module_files
        self.links: dict[str, str] = {}
        self.damage: list[str] = []
        # Many functions may capture one asset.
        self._name_asset = functools.cache(self._make_asset_name)
        self.feeds = self._find_feeds()
        self.assets = self._find_assets()
        self.checkpoint = get_op_name(meta_graph.saver_def.filename_tensor_name)
        self.odd_constants: dict[str, node_def_pb2.NodeDef] = {}
        self.captures = self._find_captures()

    def select(self, with_checkpoint: bool, with_assets: bool) -> Inputs:
        """Returns the inputs that some nodes get.

        Args:
            with_checkpoint: Whether the loader feeds these nodes the path of the checkpoint.
            with_assets: Whether constants that these nodes use become the paths of assets.
        """
        selected = copy.copy(self)
        by_name = self._graph.by_name
        if not with_checkpoint:
            selected.checkpoint = ""
        if not with_assets:
            selected.assets = {
                name: asset for name, asset in self.assets.items() if by_name[name].op != "Const"
            }
        return selected

    def _find_assets(self) -> dict[str, Name]:
        """Finds the nodes whose values the loader replaces with the paths of assets."""
        found = {}
        for asset in self._list_assets():
            name = get_op_name(asset.tensor_info.name)
            node = self._graph.by_name.get(name)
            path = self._name_asset(asset.filename)
            if node is not None and (
                node.op == "Const" or (node.op == "Placeholder" and name not in self.feeds)
            ):
                found[name] = path
        return found

    def _list_assets(self) -> Iterable[AssetFileDef]:
        """Lists the assets whose paths every loader writes into the graph.

        Modules have them in a collection. So have SavedModels of TF1, but for these the loader of
        TensorFlow reads a field of the MetaGraphDef instead, unless it is empty.
        """
        declared, collected = self._meta_graph.asset_file_def, list(self._read_collection())
        if self._is_module or not declared:
            return collected
        if self._meta_graph.HasField("object_graph_def"):
            return declared
        files = {(asset.tensor_info.name, asset.filename) for asset in collected}
        return [asset for asset in declared if (asset.tensor_info.name, asset.filename) in files]

    def _read_collection(self) -> Iterator[AssetFileDef]:
        """Reads the assets of a TF1 SavedModel; entries that cannot be parsed are damage."""
        if collections.SAVED_MODEL_ASSETS not in self._meta_graph.collection_def:
            return
        collection = self._meta_graph.collection_def[collections.SAVED_MODEL_ASSETS]
        for value in collection.any_list.value:
            try:
                yield AssetFileDef.FromString(value.value)
            except DecodeError:
                self.damage.append("An entry of the collection of assets cannot be read.")

    def _make_asset_name(self, file_name: str) -> Name:
        """Returns an asset as a name; a constant path if its file is outside of the module."""
        try:
            files.join_inside(assets.DIRECTORY, file_name)
        except ModuleFormatError:
            self.damage.append(
                f"The file name '{file_name}' of an asset points outside of "
                f"{assets.DIRECTORY}/; the module is damaged or hostile."
            )
            path = posixpath.join(self._directory, assets.DIRECTORY, file_name)
            return Name(Source.CONSTANT, path)
        path = f"{assets.DIRECTORY}/{file_name}"
        target = self._files.find_target(posixpath.join(self._directory, path))
        if target:
            self.links[target] = path
            return Name(Source.CONSTANT, target)
        return Name(Source.ASSET, path)

    def _find_feeds(self) -> dict[str, str]:
        return {
            get_op_name(tensor): f"input '{key}' of signature '{name}'"
            for name, signature in sorted(self._meta_graph.signature_def.items())
            for key, info in sorted(signature.inputs.items())
            for tensor in list_tensor_names(info)
        }

    def _find_captures(self) -> dict[str, list[list[Name]]]:
        functions = self._meta_graph.object_graph_def.concrete_functions
        return {
            name: [self._find_capture(index) for index in function.bound_inputs]
            for name, function in functions.items()
        }

    def _find_capture(self, index: int) -> list[Name]:
        """Finds the names that a captured object may hold."""
        objects = self._meta_graph.object_graph_def.nodes
        if not 0 <= index < len(objects):
            return [Name(Source.COMPUTED, f"by object {index}, which the module lacks")]
        item = objects[index]
        kind = item.WhichOneof("kind")
        # A class that is registered by this name decides how the object is loaded.
        if kind == "constant" and item.registered_name in ("", _CONSTANT_CLASS):
            return self._read_constant(item.constant.operation)
        if kind == "asset" and not item.registered_name:
            index = item.asset.asset_file_def_index
            entries = self._meta_graph.asset_file_def
            if 0 <= index < len(entries):
                return [self._name_asset(entries[index].filename)]
        return [Name(Source.COMPUTED, f"by the object '{kind}'")]

    def _read_constant(self, name: str) -> list[Name]:
        """Reads the value of a node as the loader does: from its attribute, whatever its op is."""
        node = self._graph.by_name.get(name)
        if node is None:
            return [Name(Source.COMPUTED, f"by '{name}', which the graph lacks")]
        if node.op != "Const":
            self.odd_constants[name] = node
        return list(read_constant(node))
