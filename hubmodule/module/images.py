"""The sizes and channels of the images that image modules expect."""

from __future__ import annotations

from typing import TypeAlias

from hubmodule import image_module_info_pb2
from hubmodule.errors import ModuleDefinitionError
from hubmodule.module.builder import attach_message
from hubmodule.module.module import Module
from hubmodule.module.spec import ModuleSpec

ImageModuleInfo: TypeAlias = image_module_info_pb2.ImageModuleInfo
# The class is generated, without a docstring, and help() shows its users this name.
ImageModuleInfo.__doc__ = """The size of the images that a module expects: a protocol message.

    >>> info = hub.ImageModuleInfo(default_image_size={"height": 224, "width": 224})
    >>> info.default_image_size.width
    224

Attach it to a module with `hub.attach_image_module_info(info)` inside a module_fn. Users of the
module read the size with `hub.get_expected_image_size(module)`. Like each protocol message, it
has `SerializeToString()`, `CopyFrom()` and `HasField()`, and is equal to another one with the same
content.

Attributes:
    default_image_size: The size in pixels, as a message with the integer fields `height` and
        `width`; 0 in either means that the size is unknown.
"""

_KEY = "image_module_info"
_INPUT = "images"


def attach_image_module_info(image_module_info: ImageModuleInfo) -> None:
    """Attaches the size of the images that a module expects, inside a module_fn.

        >>> def module_fn():
        ...     images = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3])
        ...     hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(images, [1, 2]))
        ...     size = {"height": 224, "width": 299}
        ...     hub.attach_image_module_info(hub.ImageModuleInfo(default_image_size=size))
        >>> hub.get_expected_image_size(hub.create_module_spec(module_fn))
        [224, 299]

    Outside of hub.create_module_spec(), this has no effect.

    Args:
        image_module_info: The size in pixels. Its content is copied.
    """
    attach_message(_KEY, image_module_info)


def get_expected_image_size(
    module_or_spec: Module | ModuleSpec,
    signature: str | None = None,
    input_name: str | None = None,
) -> list[int]:
    """Returns the size of the images that a module expects.

        >>> spec = hub.load_module_spec("modules/images")
        >>> height, width = hub.get_expected_image_size(spec)
        >>> images = tf.image.resize(tf.zeros([2, 640, 480, 3]), [height, width])

    Args:
        module_or_spec: A Module, or a ModuleSpec, whose graph variant without tags is read.
        signature: The name of the signature that takes the images; None means "default".
        input_name: The name of the input for the images; None means "images".

    Returns:
        A list [height, width] in pixels: from the ImageModuleInfo that the author attached,
        otherwise from the static shape [batch, height, width, channels] of the input.

    Raises:
        ModuleDefinitionError: If neither the message nor the shape gives the size.
        NoSuchSignatureError: If no signature has this name.
    """
    info = module_or_spec.get_attached_message(_KEY, ImageModuleInfo)
    if info is not None and info.default_image_size.height and info.default_image_size.width:
        return [info.default_image_size.height, info.default_image_size.width]
    _, height, width, _ = _get_image_shape(module_or_spec, signature, input_name)
    if height is None or width is None:
        raise ModuleDefinitionError(
            f"{module_or_spec!r} does not state the size of its images, neither by an attached "
            "ImageModuleInfo nor by the shape of its input. See its documentation."
        )
    return [height, width]


def get_num_image_channels(
    module_or_spec: Module | ModuleSpec,
    signature: str | None = None,
    input_name: str | None = None,
) -> int:
    """Returns the number of channels of the images that a module expects, e.g. 3 for RGB.

        >>> hub.get_num_image_channels(hub.load_module_spec("modules/images"))
        3

    Args:
        module_or_spec: A Module, or a ModuleSpec, whose graph variant without tags is read.
        signature: The name of the signature that takes the images; None means "default".
        input_name: The name of the input for the images; None means "images".

    Raises:
        ModuleDefinitionError: If the static shape of the input does not give it.
        NoSuchSignatureError: If no signature has this name.
    """
    channels = _get_image_shape(module_or_spec, signature, input_name)[-1]
    if channels is None:
        raise ModuleDefinitionError(
            f"{module_or_spec!r} does not state how many channels its images have. See its "
            "documentation."
        )
    return channels


def _get_image_shape(
    module_or_spec: Module | ModuleSpec, signature: str | None, input_name: str | None
) -> list[int | None]:
    """Returns the static shape of the images: batch, height, width, channels."""
    name = input_name or _INPUT
    infos = module_or_spec.get_input_info_dict(signature)
    if name not in infos:
        raise ModuleDefinitionError(
            f"Signature '{signature or 'default'}' has no input '{name}'; it has {list(infos)}. "
            "Pass input_name."
        )
    shape = infos[name].get_shape()
    if shape.rank != 4:
        raise ModuleDefinitionError(
            f"Input '{name}' has shape {shape}, not [batch, height, width, channels], so it takes "
            "no images."
        )
    return shape.as_list()
