"""Converts the values that a caller passes to a signature to tensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from hubmodule.errors import SignatureMismatchError
from hubmodule.format.signatures import TensorInfo


def check_named(sentinel: object) -> None:
    """Checks that a caller passed only `inputs` by position.

    Args:
        sentinel: The second positional argument; None if there was none.

    Raises:
        SignatureMismatchError: If there was a second positional argument.
    """
    if sentinel is not None:
        raise SignatureMismatchError(
            "Only the inputs can be passed by position. Pass `signature` and `as_dict` by name."
        )


def name_inputs(infos: Mapping[str, TensorInfo], inputs: Any, signature: str) -> dict[str, Any]:
    """Returns the inputs of a call by name.

    Args:
        infos: The inputs of the signature by name.
        inputs: A dict from names to values; or the value of the only input; or None if the
            signature has no inputs.
        signature: The name of the signature, for error messages.

    Raises:
        SignatureMismatchError: If an input is missing or unknown.
    """
    if inputs is None:
        given: Mapping[str, Any] = {}
    elif isinstance(inputs, Mapping):
        given = inputs
    elif len(infos) == 1:
        given = {next(iter(infos)): inputs}
    elif not infos:
        raise SignatureMismatchError(f"Signature '{signature}' expects no inputs; pass none.")
    else:
        raise SignatureMismatchError(
            f"Signature '{signature}' expects multiple inputs. Use a dict with the keys "
            f"{sorted(infos)}."
        )
    missing, extra = sorted(set(infos) - set(given)), sorted(set(given) - set(infos), key=str)
    if missing or extra:
        problems = [f"lacks the inputs {missing}"] if missing else []
        problems += [f"has the unknown inputs {extra}"] if extra else []
        raise SignatureMismatchError(
            f"A call of signature '{signature}' {' and '.join(problems)}. Pass a dict with a value "
            f"for each input of the signature: {dict(infos)}."
        )
    return {name: given[name] for name in infos}


def check_default(outputs: Collection[str], signature: str, as_dict: bool | None) -> None:
    """Checks that a signature has the output "default", unless all outputs are wanted.

    Args:
        outputs: The names of the outputs.
        signature: The name of the signature, for the error message.
        as_dict: Whether the call returns all outputs as a dict.

    Raises:
        SignatureMismatchError: If the output "default" is wanted and does not exist.
    """
    if not as_dict and "default" not in outputs:
        raise SignatureMismatchError(
            f"There is no output named 'default' in signature '{signature}'. Use as_dict=True: the "
            f"outputs are {list(outputs)}."
        )


def convert_inputs(infos: Mapping[str, TensorInfo], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Converts inputs to tensors, sparse tensors or ragged tensors.

    Args:
        infos: The inputs of a signature by name.
        inputs: The values by name, as name_inputs() returns them. A value that is not a
            tensor is converted to one: in the default graph, or to an eager tensor.

    Raises:
        SignatureMismatchError: If a value has another dtype or shape than the input.
    """
    return {name: _convert_input(name, info, inputs[name]) for name, info in infos.items()}


def make_feeds(infos: Mapping[str, TensorInfo], inputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Converts inputs to a dict from the names of the module's tensors to their replacements.

    Arguments and errors are those of convert_inputs().
    """
    feeds: dict[str, tf.Tensor] = {}
    for name, value in convert_inputs(infos, inputs).items():
        parts = tf.nest.flatten(value, expand_composites=True)
        feeds.update(zip(infos[name].tensor_names, parts, strict=True))
    return feeds


def _convert_input(name: str, info: TensorInfo, value: Any) -> Any:
    try:
        converted = _CONVERTERS[info.kind](info, value)
        accepted = info.accepts(converted)
    except (TypeError, ValueError) as error:
        raise SignatureMismatchError(
            f"Can't convert input '{name}': expected {info}, got {_describe(value)}: {error}"
        ) from error
    if not accepted:
        raise SignatureMismatchError(
            f"Can't convert input '{name}': expected {info}, got {_describe(converted)}."
        )
    return converted


def _convert_dense(info: TensorInfo, value: Any) -> Any:
    if isinstance(value, (tf.SparseTensor, tf.RaggedTensor)):
        return value
    return tf.convert_to_tensor(value, info.dtype.base_dtype)


def _convert_sparse(info: TensorInfo, value: Any) -> Any:
    del info
    if isinstance(value, tf.compat.v1.SparseTensorValue):
        return tf.SparseTensor.from_value(value)
    return value


def _convert_composite(info: TensorInfo, value: Any) -> Any:
    del info
    if isinstance(value, tf.compat.v1.ragged.RaggedTensorValue):
        return tf.RaggedTensor.from_nested_row_splits(value.flat_values, value.nested_row_splits)
    return value


def _describe(value: Any) -> str:
    if isinstance(value, (tf.Tensor, tf.SparseTensor, tf.RaggedTensor)):
        return f"{type(value).__name__} of type {value.dtype.name} and shape {value.shape}"
    return f"a value of type {type(value).__name__}"


_CONVERTERS = {"dense": _convert_dense, "sparse": _convert_sparse, "composite": _convert_composite}
