"""The graph variants of a module, converted for use in functions."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from hubmodule.module.spec import ModuleSpec, get_variant
from hubmodule.module.variant import Variant
from hubmodule.surgery.losses import add_loss_signatures
from hubmodule.surgery.resource_variables import convert_references


class Variants:
    """The graph variants of a spec, with resource variables, each converted when first used.

    Args:
        spec: The spec, loaded from a module's directory.
    """

    def __init__(self, spec: ModuleSpec):
        self._spec = spec
        self.get = functools.cache(self._get)
        self.get_losses = functools.cache(self._get_losses)

    @property
    def tags(self) -> list[frozenset[str]]:
        """The set of tags of each graph variant."""
        return self._spec.get_tags()

    def choose_tags(self, tags: Iterable[str] | None) -> frozenset[str]:
        """Returns the tags of a graph variant as a set.

        Args:
            tags: The tags of the graph variant, e.g. {"train"}; None means the variant without
                tags.

        Raises:
            NoSuchVariantError: If no graph variant has these tags; the message lists them.
        """
        return get_variant(self._spec, tags).tags

    def _get(self, tags: frozenset[str]) -> Variant:
        """Returns the graph variant that has some tags.

        Raises:
            ModuleFormatError: If the graph variant cannot run in a function.
        """
        variant = get_variant(self._spec, tags)
        with variant.explain_errors():
            return Variant(tags, convert_references(variant.meta_graph), variant.origin)

    def _get_losses(self, tags: frozenset[str]) -> tuple[Variant, list[str]]:
        """Returns a variant with a signature per regularisation loss, and the signatures' names."""
        variant = self.get(tags)
        with variant.explain_errors():
            graph, names = add_loss_signatures(variant.meta_graph)
        return Variant(tags, graph, variant.origin), names
