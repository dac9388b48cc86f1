"""The graph variants of a module, as functions can take them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.module.variant import Variant, choose_tags
from hubmodule.surgery.losses import add_loss_signatures
from hubmodule.surgery.resource_variables import convert_references


class Variants:
    """The graph variants of a module by their tags, each worked out when it is needed.

    Args:
        meta_graphs: of the module, as they are on disk.
        origin: The directory that they were read from, for people to read.
    """

    def __init__(self, meta_graphs: Sequence[MetaGraphDef], origin: str = "the module"):
        self._origin = origin
        self._meta_graphs = {frozenset(m.meta_info_def.tags): m for m in meta_graphs}
        self.get = functools.cache(self._get)
        self.losses = functools.cache(self._losses)

    @property
    def tags(self) -> list[frozenset[str]]:
        """The sets of tags."""
        return list(self._meta_graphs)

    def chosen(self, tags: Iterable[str] | None) -> frozenset[str]:
        """The tags of the variant that a caller means; as `choose_tags`.

        Raises:
            NoSuchVariantError: if there is none; it lists those there are.
        """
        return choose_tags(tags, self._meta_graphs)

    def _get(self, tags: frozenset[str]) -> Variant:
        """A variant.

        Raises:
            ModuleFormatError: if it cannot run in a function.
        """
        variant = Variant(tags, self._meta_graphs[tags], self._origin)
        with variant.blamed():
            return Variant(tags, convert_references(variant.meta_graph), self._origin)

    def _losses(self, tags: frozenset[str]) -> tuple[Variant, list[str]]:
        """A variant of which each signature is a regularisation loss, and their names."""
        with self.get(tags).blamed():
            graph, names = add_loss_signatures(self.get(tags).meta_graph)
        return Variant(tags, graph, self._origin), names
