"""Finds the names that ops use, over any number of steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from tensorflow.core.framework import node_def_pb2

from hubmodule import _tf
from hubmodule.auditing.components import find_components
from hubmodule.auditing.graphs import Body, Program, parse_tensor
from hubmodule.auditing.names import TOO_LONG, TOO_MANY, Name, join_names, read_attribute
from hubmodule.auditing.origins import Join, Origins, Place

# Limits for hostile graphs; names that exceed them count as computed.
_MOST_NAMES = 100  # of one tensor
_MOST_PARTS = 100  # of a joined name
_MOST_CHARACTERS = (
    5_000_000  # of all joined names, plus 8 for each name of a tensor after the first
)
_MOST_PLACES = 10_000  # plus 8 for each node


class Tracer:
    """Finds the names that tensors of a program may hold; each tensor is traced once.

    Args:
        program: The program of a graph variant.
        origins: Finds where the values of the program's tensors come from.
    """

    def __init__(self, program: Program, origins: Origins):
        self._origins = origins
        self._names: dict[Place, tuple[Name, ...]] = {}
        self._pending: dict[Place, list[Name | Place | Join]] = {}
        self._characters = 0
        self._most_places = _MOST_PLACES + 8 * sum(body.size for body in program.bodies)

    def find_names(self, body: Body, node: node_def_pb2.NodeDef, name: str) -> list[Name]:
        """Finds the names that an input or attribute of a node holds.

        Args:
            body: The body that contains the node.
            node: The node.
            name: The name of the input or attribute.
        """
        groups = body.group_inputs(node)
        if (
            name in groups
        ):  # even if an attribute has the name too: loaders may remove unknown attributes
            return self._trace(Place(body.function, parse_tensor(r)) for r in groups[name])
        if name in node.attr:
            return list(dict.fromkeys(read_attribute(node.attr[name])))
        op_def = _tf.find_op_def(node.op)
        if op_def is None:  # each input may be the one
            references = body.list_data_inputs(node)
            return self._trace(Place(body.function, parse_tensor(r)) for r in references)
        defaults = [attr.default_value for attr in op_def.attr if attr.name == name]
        return read_attribute(defaults[0]) if defaults else []

    def find_names_of_reader(self, body: Body, reader: node_def_pb2.NodeDef) -> list[Name]:
        """Finds the names of the files that a reader gets from queues."""
        return self._trace(self._origins.find_reader_origins(body, reader))

    def _trace(self, starts: Iterable[Name | Place]) -> list[Name]:
        """Returns the names among items, and the names that tensors among the items may hold."""
        items = list(starts)
        places = [item for item in items if isinstance(item, Place)]
        for component in find_components(places, self._step):
            if component[0] not in self._names:
                self._solve(component)
        return list(dict.fromkeys(self._merge(items)))

    def _step(self, place: Place) -> Iterator[Place]:
        """Yields the tensors that a tensor gets its values from, and remembers its origins."""
        if place in self._names:
            return
        if len(self._names) + len(self._pending) > self._most_places:
            items: list[Name | Place | Join] = [TOO_LONG]
        else:
            items = list(self._origins.find_origins(place))
        self._pending[place] = items
        for item in items:
            if isinstance(item, Place):
                yield item
            elif isinstance(item, Join):
                yield from (part for part in item.parts if isinstance(part, Place))

    def _solve(self, component: list[Place]) -> None:
        """Finds the names of tensors in a loop; those of all tensors they depend on are known."""
        items = [item for place in component for item in self._pending.pop(place)]
        if len(items) == 1 and isinstance(items[0], Place) and items[0] in self._names:
            names = self._names[
                items[0]
            ]  # not a copy: most chains of tensors are long and do not fork
        else:
            names = tuple(itertools.islice(dict.fromkeys(self._merge(items)), _MOST_NAMES + 1))
            if len(names) > _MOST_NAMES:
                names = (*names[:_MOST_NAMES], TOO_MANY)
            self._characters += 8 * (len(names) - 1)
            if self._characters > _MOST_CHARACTERS:
                names = (TOO_LONG,)
        self._names.update(dict.fromkeys(component, names))

    def _merge(self, items: Iterable[Name | Place | Join]) -> Iterator[Name]:
        """Yields the names that items are or may hold, as far as they are known."""
        for item in items:
            if isinstance(item, Name):
                yield item
            elif isinstance(item, Join):
                yield from self._join(item)
            else:
                yield from self._names.get(item, ())  # none for a tensor of the same loop

    def _join(self, join: Join) -> Iterator[Name]:
        """Yields the joined names for each combination of the values of the parts."""
        parts = [[part] if isinstance(part, Name) else self._names.get(part) for part in join.parts]
        if any(part is None for part in parts) or len(parts) > _MOST_PARTS:
            yield TOO_LONG  # the name grows in a loop, or has too many parts
            return
        choices = itertools.product(*(part or () for part in parts))
        for count, choice in enumerate(choices):
            name = join_names(choice, join.separator)
            self._characters += len(name.value)
            if count == _MOST_NAMES or self._characters > _MOST_CHARACTERS:
                yield TOO_MANY
                return
            yield name
