"""Image modules: the size and the channels that they expect."""

from __future__ import annotations

import pydoc
import sys

import pytest
import tensorflow as tf

import hubmodule as hub

v1 = tf.compat.v1


def spec_of(shape, size=None, name="images", signature=None):
    def module_fn():
        images = v1.placeholder(tf.float32, shape)
        hub.add_signature(signature, inputs={name: images}, outputs=images)
        if size is not None:
            hub.attach_image_module_info(
                hub.ImageModuleInfo(default_image_size={"height": size[0], "width": size[1]})
            )

    return hub.create_module_spec(module_fn)


def test_the_shape_tells_the_size():
    spec = spec_of([None, 224, 160, 3])
    assert hub.get_expected_image_size(spec) == [224, 160]
    assert hub.get_num_image_channels(spec) == 3


def test_the_attached_size_comes_first():
    spec = spec_of([None, None, None, 1], size=(32, 48))
    assert hub.get_expected_image_size(spec) == [32, 48]
    assert hub.get_num_image_channels(spec) == 1


@pytest.mark.parametrize("size", [(32, None), (None, 48), (None, None)])
def test_half_a_size_is_none(size):
    assert hub.get_expected_image_size(spec_of([None, 8, 9, 3], size)) == [8, 9]


def test_a_module_tells_the_same():
    with tf.Graph().as_default():
        module = hub.Module(spec_of([None, 8, 9, 3], signature="image_feature_vector"))
        assert hub.get_expected_image_size(module, signature="image_feature_vector") == [8, 9]


def test_another_input_name():
    spec = spec_of([None, 8, 9, 3], name="pixels")
    assert hub.get_expected_image_size(spec, input_name="pixels") == [8, 9]
    with pytest.raises(ValueError, match=r"no input 'images'.*\['pixels'\].*input_name"):
        hub.get_expected_image_size(spec)


def test_an_unknown_size():
    with pytest.raises(ValueError, match="does not state the size"):
        hub.get_expected_image_size(spec_of([None, None, 9, 3]))


def test_unknown_channels():
    with pytest.raises(ValueError, match="how many channels"):
        hub.get_num_image_channels(spec_of([None, 8, 9, None]))


def test_no_images():
    with pytest.raises(ValueError, match=r"shape \(None, 8\), not \[batch"):
        hub.get_expected_image_size(spec_of([None, 8]))


def test_help_shows_how_to_make_the_message():
    text = pydoc.plain(pydoc.render_doc(hub.ImageModuleInfo))
    assert 'hub.ImageModuleInfo(default_image_size={"height": 224, "width": 224})' in text


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
