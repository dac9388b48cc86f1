"""Checks modules against the common signatures, which make similar modules interchangeable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from hubmodule.inspection.facts import (
    Conformance,
    MessageFacts,
    SignatureFacts,
    TensorFacts,
)

TEXT = "text feature vector"
IMAGE = "image feature vector"
CLASSIFICATION = "image classification"

# The input for images, and the key of the message with their size.
IMAGES = "images"
IMAGE_MESSAGE = "image_module_info"

_DEFAULT = "default"
_IMAGE_SIGNATURES = {IMAGE: "image_feature_vector", CLASSIFICATION: "image_classification"}


def check_common_signatures(
    signatures: Iterable[SignatureFacts], messages: Iterable[MessageFacts] = ()
) -> tuple[Conformance, ...]:
    """Checks the default graph variant of a module against each common signature.

    Args:
        signatures: The signatures of the variant.
        messages: The messages attached to it.

    Returns:
        The result for each common signature that was checked. The text feature vector is
        checked if the default signature takes strings, and its output "default", or its only
        output, is of a floating-point type. The signatures for images are checked if the
        variant has a signature of that name; that for feature vectors, without one for
        classification, also if the default signature has an input "images".
    """
    by_name = {signature.name: signature for signature in signatures}
    sizes = [message.content for message in messages if message.key == IMAGE_MESSAGE]
    checks: list[tuple[str, Callable[[], Iterator[str]]]] = []
    if _takes_text(by_name):
        checks.append((TEXT, lambda: _check_text(by_name[_DEFAULT])))
    if _IMAGE_SIGNATURES[IMAGE] in by_name or (
        _takes_images(by_name.get(_DEFAULT)) and _IMAGE_SIGNATURES[CLASSIFICATION] not in by_name
    ):
        checks.append((IMAGE, lambda: _check_image_features(by_name, sizes)))
    if _IMAGE_SIGNATURES[CLASSIFICATION] in by_name:
        name = _IMAGE_SIGNATURES[CLASSIFICATION]
        checks.append((CLASSIFICATION, lambda: _check_images(by_name[name], sizes)))
    found = [(name, tuple(dict.fromkeys(check()))) for name, check in checks]
    return tuple(Conformance(name, not missing, missing) for name, missing in found)


def _takes_text(signatures: Mapping[str, SignatureFacts]) -> bool:
    default = signatures.get(_DEFAULT)
    if default is None or not any(info.dtype == "string" for info in default.inputs):
        return False
    outputs = {info.name: info for info in default.outputs}
    output = default.outputs[0] if len(outputs) == 1 else outputs.get(_DEFAULT)
    return output is not None and "float" in output.dtype


def _takes_images(signature: SignatureFacts | None) -> bool:
    return signature is not None and any(info.name == IMAGES for info in signature.inputs)


def _check_text(signature: SignatureFacts) -> Iterator[str]:
    if len(signature.inputs) != 1:
        yield (
            f"Signature 'default' has {len(signature.inputs)} inputs; a text feature vector "
            "takes one, of strings."
        )
    for info in signature.inputs:
        if info.dtype == "string":
            yield from _check_tensor("Input", info, "string", ("batch",))
    yield from _check_features(signature)


def _check_image_features(
    signatures: Mapping[str, SignatureFacts], sizes: list[dict[str, int] | None]
) -> Iterator[str]:
    name = _IMAGE_SIGNATURES[IMAGE]
    for required in (name, _DEFAULT):
        if required not in signatures:
            yield f"There is no signature '{required}'; add the same under both names."
    signature = signatures.get(name) or signatures[_DEFAULT]
    yield from _check_images(signature, sizes)
    default = signatures.get(_DEFAULT, signature)
    same = (default.inputs, default.outputs) == (signature.inputs, signature.outputs)
    if not same:
        yield from _check_images(default, sizes)


def _check_images(signature: SignatureFacts, sizes: list[dict[str, int] | None]) -> Iterator[str]:
    if not _takes_images(signature):
        yield f"Signature '{signature.name}' has no input '{IMAGES}'."
    if len(signature.inputs) > 1:
        yield f"Signature '{signature.name}' has inputs besides '{IMAGES}'."
    for info in signature.inputs:
        if info.name == IMAGES:
            yield from _check_tensor("Input", info, "float32", ("batch", "height", "width", 3))
            size_known = any(size and size["height"] and size["width"] for size in sizes)
            in_shape = (
                info.shape is not None and len(info.shape) == 4 and None not in info.shape[1:3]
            )
            if not size_known and not in_shape:
                yield (
                    "The size of the images is not known: attach an ImageModuleInfo, or give "
                    "the input a height and width."
                )
    yield from _check_features(signature)
    for info in signature.outputs:
        if info.name != _DEFAULT and "/" not in info.name:
            yield (
                f"Output '{info.name}' of signature '{signature.name}' is not prefixed with "
                "the architecture, as in 'InceptionV3/Mixed_5c'."
            )


def _check_features(signature: SignatureFacts) -> Iterator[str]:
    output = next((info for info in signature.outputs if info.name == _DEFAULT), None)
    if output is None:
        yield f"Signature '{signature.name}' has no output 'default'."
        return
    yield from _check_tensor("Output", output, "float32", ("batch", "N"))
    if output.shape is not None and len(output.shape) == 2 and output.shape[1] is None:
        yield "The size of the feature vectors, N of output 'default' [batch, N], is not known."


def _check_tensor(
    what: str, info: TensorFacts, dtype: str, shape: tuple[str | int, ...]
) -> Iterator[str]:
    """Yields how a tensor differs from a dense one of a type and shape.

    Args:
        what: "Input" or "Output".
        info: The tensor.
        dtype: The name of the type that it should have.
        shape: The shape that it should have. "batch" stands for an unknown dimension, any
            other word for any dimension.
    """
    if info.kind != "dense":
        yield f"{what} '{info.name}' is {info.type or info.kind}, not a dense tensor."
        return
    if info.dtype != dtype:
        yield f"{what} '{info.name}' is of type {info.dtype}, not {dtype}."
    spelled = "[" + ", ".join(map(str, shape)) + "]"
    if info.shape is None or len(info.shape) != len(shape):
        yield f"{what} '{info.name}' does not have the shape {spelled}."
        return
    for size, wanted in zip(info.shape, shape, strict=True):
        fixed_batch = wanted == "batch" and size is not None
        if fixed_batch or (isinstance(wanted, int) and size != wanted):
            yield f"{what} '{info.name}' does not have the shape {spelled}."
            return
