"""A TF1 Hub module as an object that is called, trained and saved: a reusable SavedModel."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.module import values
from hubmodule.module.variant import Variant
from hubmodule.surgery.losses import loss_tensors
from hubmodule.tf2 import application, functions
from hubmodule.tf2.signatures import SavedInput, Signatures
from hubmodule.tf2.state import State
from hubmodule.tf2.variants import Variants

TRAIN = frozenset({"train"})
DEFAULT = "default"


@dataclass(frozen=True)
class _Parts:
    """What a module works with, but is not saved with it; as attributes these would be.

    Attributes:
        variants: all.
        variant: the one that is called.
        training: the one that is called with training=True.
        functions: gives the function for a signature, for training or not.
        signatures: of the variant that is called.
    """

    variants: Variants
    variant: Variant
    training: Variant
    functions: Callable[[str, bool], Callable[[dict[str, Any]], dict[str, Any]]]
    signatures: Signatures


class ReusableModule(_tf.SavedObject):
    """A module of the TF1 Hub format in TF2; made by hub.load().

        embed = hub.load("/path/to/module")
        vectors = embed(["A sentence."])

    Calls with training=True run the graph variant tagged {"train"}, or else the variant
    that was loaded, over the same variables, and run its update ops; the regularisation
    losses are those of that variant. tf.saved_model.save() writes it as a TF2 SavedModel.

    Attributes:
        variables: all variables, each part of a partitioned one by itself.
        trainable_variables: those that an optimiser may change.
        regularization_losses: functions without arguments, each of one scalar.
    """

    def __init__(self, variants: Variants, state: State, tags: frozenset[str], origin: str):
        super().__init__()
        self._origin = origin
        variant = variants.get(tags)
        training_tags = TRAIN if not tags and TRAIN in variants.tags else tags
        training = variants.get(training_tags)
        variant.check_usable()
        state.add(variant)
        state.add_variables_if_there(training)
        self._state = state
        self._parts = _Parts(
            variants,
            variant,
            training,
            functools.cache(
                lambda signature, train: functions.function(
                    training if train else variant, signature, state, updates=train
                )
            ),
            Signatures(variant, state),
        )
        self.variables = list(state.variables.values())
        self.trainable_variables = [v for v in self.variables if v.trainable]
        self.regularization_losses = [
            functions.traced(_loss, variants, training_tags, index, state, input_signature=[])
            for index in range(len(loss_tensors(training.meta_graph)))
        ]

    def __repr__(self) -> str:
        tags, all_tags = sorted(self._parts.variant.tags), [sorted(t) for t in self.graph_variants]
        return (
            f"<hub.load({self._origin!r}): module of the TF1 Hub format, graph variant {tags} of "
            f"{all_tags}, signatures {list(self.signatures)}, "
            f"{len(self.variables)} variables>"
        )

    def prepare_for_saving(self) -> None:
        """Traces what belongs into a SavedModel."""
        names = list(self.signatures)
        if DEFAULT in names and "__call__" not in vars(self):
            call = _traced_call(self._parts)
            setattr(self, "__call__", call)  # noqa: B010  beside the method, for the saver
        if names:
            name = DEFAULT if DEFAULT in names else names[0]
            function = self._parts.signatures.function_to_save(name)
            self._default_save_signature = _tf.DefaultSignatures(function, self.signatures_to_save)

    @tf.autograph.experimental.do_not_convert
    def __call__(self, inputs: Any = None, training: bool | tf.Tensor | None = False) -> Any:
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

    @tf.autograph.experimental.do_not_convert
    def apply(
        self,
        inputs: Any = None,
        signature: str | None = None,
        training: bool | tf.Tensor | None = False,
    ) -> dict[str, Any]:
        """Applies any signature; returns the dict of its outputs. Else as a call."""
        name = signature or DEFAULT
        infos = self._parts.variant.signature(name).inputs
        given = values.convert_inputs(infos, values.name_inputs(infos, inputs, name))
        if tf.is_symbolic_tensor(training):
            return tf.cond(
                tf.cast(training, tf.bool),
                lambda: self._parts.functions(name, True)(given),
                lambda: self._parts.functions(name, False)(given),
            )
        return self._parts.functions(name, bool(training))(given)

    def input_specs(self, signature: str | None = None) -> dict[str, tf.TypeSpec]:
        """Describes the inputs of a signature by name; None is "default".

        Raises:
            NoSuchSignatureError: If there is no such signature.
        """
        return application.input_specs(self._parts.variant, signature or DEFAULT)

    @property
    def signatures(self) -> Mapping[str, Any]:
        """The signatures by name: functions of named inputs that give the dict of outputs."""
        return self._parts.signatures

    def signatures_to_save(self) -> dict[str, Any]:
        """The signatures to save; the default one also under the name that servers look for."""
        saved = self._parts.signatures
        signatures = {name: saved.function_to_save(name) for name in saved}
        if DEFAULT in signatures:
            signatures[tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY] = signatures[DEFAULT]
        return signatures

    def inputs_to_save(self) -> dict[str, list[SavedInput]]:
        """What a SavedModel calls the inputs of each signature to save."""
        saved = self._parts.signatures
        inputs = {name: saved.inputs_to_save(name) for name in saved}
        if DEFAULT in inputs:
            inputs[tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY] = inputs[DEFAULT]
        return inputs

    def for_serving(self) -> _tf.AutoTrackable:
        """The state alone, to be saved with signatures of this object."""
        return self._state

    @property
    def graph_variants(self) -> list[frozenset[str]]:
        """The sets of tags that name the graph variants."""
        return self._parts.variants.tags

    @tf.autograph.experimental.do_not_convert
    def with_tags(self, tags: Iterable[str] = ()) -> ReusableModule:
        """The module with another graph variant as the one that is called; over the same state.

        Raises:
            CheckpointError: if the checkpoint lacks a variable of it.
            NoSuchVariantError: if there is no such variant.
        """
        variants = self._parts.variants
        return ReusableModule(variants, self._state, variants.choose_tags(tags), self._origin)


def _loss(variants: Variants, tags: frozenset[str], index: int, state: State) -> tf.Tensor:
    variant, names = variants.get_losses(tags)
    return functions.applied(variant, names[index], state, False, [])[DEFAULT]


def _traced_call(parts: _Parts) -> Any:
    """What a saved module is called with, traced for each way to pass inputs."""
    infos = parts.variant.signature(DEFAULT).inputs
    specs = application.input_specs(parts.variant, DEFAULT)
    ways: list[Any] = [specs]
    if len(specs) == 1:
        ways.insert(0, next(iter(specs.values())))
    if not specs:
        ways.insert(0, None)
    trains = DEFAULT in parts.training.signatures

    @tf.function(autograph=False)
    def call(inputs: Any = None, training: bool = False) -> Any:
        given = values.name_inputs(infos, inputs, DEFAULT)
        outputs = parts.functions(DEFAULT, bool(training))(values.convert_inputs(infos, given))
        return outputs.get(DEFAULT, outputs)

    for way in ways:
        for mode in (False, True)[: 1 + trains]:
            call.get_concrete_function(way, mode)
    return call
