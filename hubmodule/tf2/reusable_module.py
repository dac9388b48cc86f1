"""A TF1 Hub module as an object that is called, trained and saved: a reusable SavedModel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.module.variant import Variant
from hubmodule.surgery.losses import list_loss_tensors
from hubmodule.tf2.application import Application
from hubmodule.tf2.signature_function import SignatureFunction, apply_signature, make_function
from hubmodule.tf2.signatures import SavedInput, Signatures
from hubmodule.tf2.state import ModuleState
from hubmodule.tf2.variants import Variants

TRAIN = frozenset({"train"})
DEFAULT = "default"


class ReusableModule(_tf.SavedObject):
    """A module of the TF1 Hub format in TF2; hub.load() makes it.

        >>> embed = hub.load("modules/text")
        >>> vectors = embed(["a text"])  # float32 of shape [1, 4]
        >>> outputs = embed.apply({"sentences": ["a text"]}, "default")  # a dict of all outputs
        >>> embed.input_specs()
        {'sentences': TensorSpec(shape=(None,), dtype=tf.string, name=None)}

    Calls with training=True run the graph variant tagged {"train"} with the same variables, and
    run its update ops; if there is none, they run the variant that was loaded. The regularisation
    losses are those of the variant for training. tf.saved_model.save() writes the object as a TF2
    SavedModel.

    Args:
        variants: The graph variants.
        state: The variables, tables and assets, which all graph variants share.
        tags: The tags of the graph variant that calls run.
        origin: The handle of the module, for its repr.

    Attributes:
        variables: A list of all variables, with each slice of a partitioned variable.
        trainable_variables: The variables that an optimiser may change.
        regularization_losses: A list of functions without arguments, each of which returns a
            scalar.
    """

    def __init__(self, variants: Variants, state: ModuleState, tags: frozenset[str], origin: str):
        super().__init__()
        self._origin = origin
        training_tags = TRAIN if not tags and TRAIN in variants.tags else tags
        variant, training_variant = variants.get(tags), variants.get(training_tags)
        variant.check_usable()
        state.add(variant)
        state.add_restorable_variables(training_variant)
        self._state = state
        self._unsaved = _Unsaved(
            variants, variant, training_variant, state, Signatures(variant, state)
        )
        self.variables = list(state.variables.values())
        self.trainable_variables = [v for v in self.variables if v.trainable]
        self.regularization_losses = [
            make_function(_compute_loss, variants, training_tags, state, index, input_signature=[])
            for index in range(len(list_loss_tensors(training_variant.meta_graph)))
        ]

    def __repr__(self) -> str:
        tags = sorted(self._unsaved.variant.tags)
        all_tags = [sorted(each) for each in self.graph_variants]
        count = len(self.variables)
        return (
            f"<hub.load({self._origin!r}): module of the TF1 Hub format, graph variant {tags} of "
            f"{all_tags}, signatures {list(self.signatures)}, "
            f"{count} variable{'' if count == 1 else 's'}>"
        )

    @tf.autograph.experimental.do_not_convert
    def __call__(self, inputs: Any = None, training: bool | tf.Tensor | None = False) -> Any:
        """Applies the default signature.

        Args:
            inputs: The value of the only input, or a dict from the names of the inputs to their
                values; None if there are no inputs. A value is a tensor, a sparse or ragged
                tensor, or can be converted to one (a list, a NumPy array).
            training: Whether to run the graph variant for training, and its update ops; a
                scalar tensor in a function decides when the function runs.

        Returns:
            The output "default"; if there is none, a dict of all outputs by name.

        Raises:
            NoSuchSignatureError: If the module has no default signature.
            SignatureMismatchError: If an input is missing or unknown, or of another type or
                shape.
        """
        outputs = self._unsaved.get_function(DEFAULT)(inputs, training)
        return outputs.get(DEFAULT, outputs)

    @tf.autograph.experimental.do_not_convert
    def apply(
        self,
        inputs: Any = None,
        signature: str | None = None,
        training: bool | tf.Tensor | None = False,
    ) -> dict[str, Any]:
        """Applies a signature.

        Args:
            inputs: The inputs, as in a call.
            signature: The name of the signature; None means "default".
            training: Whether to run the graph variant for training, as in a call.

        Returns:
            A dict of all outputs by name.

        Raises:
            NoSuchSignatureError: If no signature has this name.
            SignatureMismatchError: If an input is missing or unknown, or of another type or
                shape.
        """
        return self._unsaved.get_function(signature or DEFAULT)(inputs, training)

    def input_specs(self, signature: str | None = None) -> dict[str, tf.TypeSpec]:
        """Describes the inputs of a signature.

        Args:
            signature: The name of the signature; None means "default".

        Returns:
            A dict from the names of the inputs to their types.

        Raises:
            NoSuchSignatureError: If no signature has this name.
        """
        return self._unsaved.make_application(signature or DEFAULT).input_specs

    @property
    def signatures(self) -> Mapping[str, Any]:
        """The signatures by name: functions of named inputs that return the dict of outputs."""
        return self._unsaved.signatures

    @property
    def graph_variants(self) -> list[frozenset[str]]:
        """The set of tags of each graph variant; that of the default variant is empty."""
        return self._unsaved.variants.tags

    @tf.autograph.experimental.do_not_convert
    def with_tags(self, tags: Iterable[str] = ()) -> ReusableModule:
        """Returns an object whose calls run another graph variant, with the same variables.

        Args:
            tags: The tags of the graph variant, e.g. {"train"}.

        Raises:
            CheckpointError: If the checkpoint lacks a variable of the graph variant.
            NoSuchVariantError: If no graph variant has these tags; the message lists them.
        """
        variants = self._unsaved.variants
        return ReusableModule(variants, self._state, variants.choose_tags(tags), self._origin)

    def prepare_for_saving(self) -> None:
        """Traces the functions for a SavedModel, and sets them as attributes."""
        names = list(self.signatures)
        if DEFAULT in names and "__call__" not in vars(self):
            # tf.saved_model.save reads only the attributes of the object, not its methods.
            setattr(self, "__call__", _trace_call(self._unsaved))  # noqa: B010
        if names:
            name = DEFAULT if DEFAULT in names else names[0]
            function = self._unsaved.signatures.trace_for_saving(name)
            self._default_save_signature = _tf.DefaultSignatures(function, self.trace_signatures)

    def trace_signatures(self) -> dict[str, Any]:
        """Traces the signatures for a SavedModel.

        Returns:
            A dict from their names to ConcreteFunctions. The default signature also has the name
            "serving_default", which servers look for.
        """
        signatures = self._unsaved.signatures
        return _add_serving_default({n: signatures.trace_for_saving(n) for n in signatures})

    def list_saved_inputs(self) -> dict[str, list[SavedInput]]:
        """Lists the inputs of each signature of trace_signatures() by their names on disk."""
        signatures = self._unsaved.signatures
        return _add_serving_default({n: signatures.list_saved_inputs(n) for n in signatures})

    @property
    def state(self) -> ModuleState:
        """The variables, tables and assets, which all graph variants share."""
        return self._state


@dataclass(frozen=True)
class _Unsaved:
    """The state of a ReusableModule that is not saved with it, as its attributes would be.

    Attributes:
        variants: The graph variants.
        variant: The graph variant that calls run.
        training_variant: The graph variant that calls with training=True run.
        state: The variables, tables and assets.
        signatures: The signatures of `variant`.
        functions: The functions of signatures that were called, by name.
    """

    variants: Variants
    variant: Variant
    training_variant: Variant
    state: ModuleState
    signatures: Signatures
    functions: dict[str, SignatureFunction] = field(default_factory=dict)

    def get_function(self, signature: str) -> SignatureFunction:
        """Returns the function that applies a signature, made when it is first needed.

        Raises:
            NoSuchSignatureError: If no signature has this name.
        """
        if signature not in self.functions:
            training = Application(self.training_variant, signature, self.state, runs_updates=True)
            self.functions[signature] = SignatureFunction(
                self.make_application(signature), training
            )
        return self.functions[signature]

    def make_application(self, signature: str) -> Application:
        """Makes the application of a signature that is not for training."""
        return Application(self.variant, signature, self.state)


def _compute_loss(
    variants: Variants, tags: frozenset[str], state: ModuleState, index: int
) -> tf.Tensor:
    """Computes a regularisation loss of a graph variant in the function under construction."""
    variant, names = variants.get_losses(tags)
    return apply_signature(Application(variant, names[index], state), [])[DEFAULT]


def _trace_call(module: _Unsaved) -> Any:
    """Traces the call for each form of its arguments that a saved module accepts."""
    specs = module.make_application(DEFAULT).input_specs
    ways: list[Any] = [specs]
    if len(specs) == 1:
        ways.insert(0, next(iter(specs.values())))
    if not specs:
        ways.insert(0, None)
    trains = DEFAULT in module.training_variant.signatures

    @tf.function(autograph=False)
    def call(inputs: Any = None, training: bool = False) -> Any:
        outputs = module.get_function(DEFAULT)(inputs, bool(training))
        return outputs.get(DEFAULT, outputs)

    for way in ways:
        for training in (False, True) if trains else (False,):
            call.get_concrete_function(way, training)
    return call


def _add_serving_default(by_signature: dict[str, Any]) -> dict[str, Any]:
    """Adds the default signature under the name that servers look for."""
    if DEFAULT not in by_signature:
        return by_signature
    serving = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
    return {**by_signature, serving: by_signature[DEFAULT]}
