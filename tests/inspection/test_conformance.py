"""Tests of hubmodule.inspection.conformance."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection.conformance import check_common_signatures
from hubmodule.inspection.facts import Conformance, MessageFacts
from tests.inspection.modules import signature, tensor

TEXT = tensor("text", "string", (None,))
IMAGES = tensor("images", shape=(None, 8, 8, 3))
FEATURES = tensor("default", shape=(None, 5))


def check(*signatures, messages=()) -> dict[str, tuple[str, ...]]:
    return {c.name: c.missing for c in check_common_signatures(signatures, messages)}


def test_text() -> None:
    found = check_common_signatures([signature(inputs=[TEXT], outputs=[FEATURES])])
    assert found == (Conformance("text feature vector", True),)


@pytest.mark.parametrize(
    ("inputs", "outputs", "missing"),
    [
        ([TEXT, TEXT], [FEATURES], "has 2 inputs"),
        (
            [tensor("t", "string", (None, None))],
            [FEATURES],
            "Input 't' does not have the shape [batch]",
        ),
        ([tensor("t", "string", (1,))], [FEATURES], "Input 't' does not have the shape [batch]"),
        ([tensor("t", "string", (None, None), kind="sparse")], [FEATURES], "is sparse"),
        ([TEXT], [tensor("other")], "no output 'default'"),
        ([TEXT], [tensor("default", "float64")], "is of type float64, not float32"),
        ([TEXT], [tensor("default", shape=(None, None))], "is not known"),
        ([TEXT], [tensor("default", shape=None)], "does not have the shape [batch, N]"),
    ],
)
def test_what_text_lacks(inputs, outputs, missing: str) -> None:
    (found,) = check(signature(inputs=inputs, outputs=outputs))["text feature vector"]
    assert missing in found


def test_images() -> None:
    inputs, outputs = [IMAGES], [FEATURES, tensor("Net/layer")]
    both = [
        signature("default", inputs, outputs),
        signature("image_feature_vector", inputs, outputs),
    ]
    assert check(*both) == {"image feature vector": ()}
    classes = signature("image_classification", inputs, outputs)
    assert check(*both, classes) == {"image feature vector": (), "image classification": ()}


def test_the_size_of_images_may_be_attached() -> None:
    open_size = [tensor("images", shape=(None, None, None, 3))]
    classes = signature("image_classification", open_size, [FEATURES])
    (missing,) = check(classes)["image classification"]
    assert "attach an ImageModuleInfo" in missing
    message = MessageFacts("image_module_info", 6, "", {"height": 6, "width": 4})
    assert check(classes, messages=[message]) == {"image classification": ()}


def test_what_images_lack() -> None:
    gray = tensor("images", shape=(None, 8, 8, 1))
    missing = check(signature("default", [gray], [FEATURES, tensor("extra")]))
    assert missing == {
        "image feature vector": (
            "There is no signature 'image_feature_vector'; add the same under both names.",
            "Input 'images' does not have the shape [batch, height, width, 3].",
            "Output 'extra' of signature 'default' is not prefixed with the architecture, as in "
            "'InceptionV3/Mixed_5c'.",
        )
    }


def test_what_is_not_near() -> None:
    assert check(signature()) == {}
    # Strings in, but no features out: a tokenizer, and a length.
    outputs = [tensor("starts", "int64"), tensor("logits")]
    assert check(signature(inputs=[TEXT], outputs=outputs)) == {}
    assert check(signature(inputs=[TEXT], outputs=[tensor("default", "int32", (None,))])) == {}
    assert check() == {}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
