"""A TF1 Hub module as an object that is called, trained and saved: a reusable SavedModel."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf
from hubmodule.errors import NoSuchVariantError
from hubmodule.module import values
from hubmodule.module.variant import Variant
from hubmodule.surgery.losses import with_loss_signatures
from hubmodule.surgery.resource_variables import with_resources
from hubmodule.tf2 import application, functions
from hubmodule.tf2.state import State

TRAIN = frozenset({"train"})
DEFAULT = "default"


class Variants:
    """The graph variants of a module by their tags, each worked out when it is needed.

    Args:
        meta_graphs: of the module, as they are on disk.
    """

    def __init__(self, meta_graphs: Sequence[MetaGraphDef]):
        self._meta_graphs = {frozenset(m.meta_info_def.tags): m for m in meta_graphs}
        self._known: dict[frozenset[str], tuple[Variant, list[str]]] = {}

    @property
    def tags(self) -> list[frozenset[str]]:
        """The sets of tags."""
        return list(self._meta_graphs)

    def get(self, tags: frozenset[str]) -> tuple[Variant, list[str]]:
        """A variant, and those of its signatures that are its regularisation losses.

        Raises:
            ModuleFormatError: if it cannot run in a function.
            NoSuchVariantError: if there is none; it lists those there are.
        """
        if tags not in self._meta_graphs:
            raise NoSuchVariantError(
                f"No such graph variant: tags={sorted(tags)}. The module has the variants "
                f"{[sorted(known) for known in self._meta_graphs]}; pass one of them as `tags`."
            )
        if tags not in self._known:
            graph, losses = with_loss_signatures(with_resources(self._meta_graphs[tags]))
            self._known[tags] = Variant(tags, graph), losses
        return self._known[tags]


class ReusableModule(_tf.SavedObject):
    """A module of the TF1 Hub format in TF2; made by hub.load().

        embed = hub.load("/path/to/module")
        vectors = embed(["A sentence."])

    Calls with training=True run the graph variant tagged {"train"}, or else the variant
    that was loaded, over the same variables, and run its update ops; the regularisation
    losses are those of that variant. tf.saved_model.save() writes it as a TF2 SavedModel;
    pass signatures=module.signatures to keep them all (without, only "default" stays).

    Attributes:
        variables: all variables, each part of a partitioned one by itself.
        trainable_variables: those that an optimiser may change.
        regularization_losses: functions without arguments, each of one scalar.
    """

    def __init__(self, variants: Variants, state: State, tags: frozenset[str]):
        super().__init__()
        variant, _ = variants.get(tags)
        training_tags = TRAIN if not tags and TRAIN in variants.tags else tags
        training, losses = variants.get(training_tags)
        variant.check_usable()
        state.add(variant)
        if state.can_restore(training):
            state.add(training)
        self._variants = _Untracked(variants)
        self._module_variant = _Untracked(variant)
        self._state = state
        self.variables = list(state.variables.values())
        self.trainable_variables = [v for v in self.variables if v.trainable]
        self.regularization_losses = [_loss(training, name, state) for name in losses]
        self._functions = _Untracked(
            functools.cache(
                lambda signature, train: functions.function(
                    training if train else variant, signature, state, updates=train
                )
            )
        )
        self._signatures = _Untracked(Signatures(variant, losses, state))
        self._training_variant = _Untracked(training)

    def prepare_for_saving(self) -> None:
        """Traces what belongs into a SavedModel."""
        variant = self._module_variant.value
        if DEFAULT in variant.signatures and "__call__" not in vars(self):
            call = _traced_call(variant, self._training_variant.value, self._functions.value)
            setattr(self, "__call__", call)  # noqa: B010  beside the method, for the saver
            self._default_save_signature = self.signatures[DEFAULT]

    def __call__(self, inputs: Any = None, training: bool | None = False) -> Any:
        """Applies the default signature.

        Args:
            inputs: the only input, or a dict of all.
            training: whether to run the variant for training, and its update ops.

        Returns:
            The output "default"; if there is none, the dict of all outputs.

        Raises:
            NoSuchSignatureError: if the module has no default signature.
            SignatureMismatchError: if the inputs do not fit.
        """
        outputs = self.apply(inputs, training=training)
        return outputs.get(DEFAULT, outputs)

    def apply(
        self, inputs: Any = None, signature: str | None = None, training: bool | None = False
    ) -> dict[str, Any]:
        """Applies any signature; returns the dict of its outputs. Else as a call."""
        name = signature or DEFAULT
        variant = self._module_variant.value
        infos = variant.signature(name).inputs
        given = values.by_name(infos, inputs, name)
        return self._functions.value(name, bool(training))(values.converted(infos, given))

    @property
    def signatures(self) -> Mapping[str, Any]:
        """The signatures by name: functions of named inputs that give the dict of outputs."""
        return self._signatures.value

    def for_serving(self) -> _tf.AutoTrackable:
        """The state alone, to be saved with signatures of this object."""
        return self._state

    @property
    def graph_variants(self) -> list[frozenset[str]]:
        """The sets of tags that name the graph variants."""
        return self._variants.value.tags

    def with_tags(self, tags: Iterable[str] = ()) -> ReusableModule:
        """The module with another graph variant as the one that is called; over the same state.

        Raises:
            CheckpointError: if the checkpoint lacks a variable of it.
            NoSuchVariantError: if there is no such variant.
        """
        wanted = frozenset([tags] if isinstance(tags, str) else tags)
        return ReusableModule(self._variants.value, self._state, wanted)


class _Untracked:
    """Holds what is no part of the saved object, though it looks like a dict or a list."""

    def __init__(self, value: Any):
        self.value = value


class Signatures(Mapping[str, Any]):
    """The signatures of a variant, each traced when it is first used."""

    def __init__(self, variant: Variant, hidden: Iterable[str], state: State):
        self._variant = variant
        self._names = [name for name in variant.signatures if name not in set(hidden)]
        self._state = state
        self._functions: dict[str, Any] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._functions:
            function = application.wrapped(self._variant, name, self._state, updates=False)
            _tf.name_arguments(function, self._argument_names(name))
            self._functions[name] = function
        return self._functions[name]

    def _argument_names(self, signature: str) -> list[str]:
        """One for each tensor: as TensorFlow names the parts of composite inputs."""
        return [
            key if index == 0 else f"{key}_{index}"
            for key, info in self._variant.signature(signature).inputs.items()
            for index in range(len(info.tensor_names))
        ]


def _loss(variant: Variant, signature: str, state: State) -> Any:
    apply = functions.function(variant, signature, state, updates=False)

    @tf.function(autograph=False, input_signature=[])
    def loss() -> tf.Tensor:
        return apply({})[DEFAULT]

    return loss


def _traced_call(
    variant: Variant, training_variant: Variant, apply: Callable[[str, bool], Any]
) -> Any:
    """What a saved module is called with, traced for each way to pass inputs."""
    infos = variant.signature(DEFAULT).inputs
    specs = application.input_specs(variant, DEFAULT)
    ways: list[Any] = [specs]
    if len(specs) == 1:
        ways.insert(0, next(iter(specs.values())))
    if not specs:
        ways.insert(0, None)
    trains = DEFAULT in training_variant.signatures

    @tf.function(autograph=False)
    def call(inputs: Any = None, training: bool = False) -> Any:
        given = values.by_name(infos, inputs, DEFAULT)
        outputs = apply(DEFAULT, bool(training))(values.converted(infos, given))
        return outputs.get(DEFAULT, outputs)

    for way in ways:
        for mode in (False, True)[: 1 + trains]:
            call.get_concrete_function(way, mode)
    return call
