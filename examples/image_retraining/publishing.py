"""Publishes a trained classifier, as a module and for TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

import hubmodule as hub
from examples.image_retraining.images import decode_image
from examples.image_retraining.training import add_classifier

tf1 = tf.compat.v1


def publish_features(features: str, checkpoint: str, labels: int, export_path: str) -> None:
    """Publishes the module for features, with the values that a checkpoint has.

    Args:
        features: The handle of the module before it was trained.
        checkpoint: The prefix of the classifier's checkpoint.
        labels: The number of labels.
        export_path: The directory that becomes the module.
    """
    spec = hub.load_module_spec(features)
    with tf.Graph().as_default(), tf1.Session() as session:
        images = tf1.placeholder(tf.float32, [None, *hub.get_expected_image_size(spec), 3])
        module, _ = add_classifier(spec, images, labels)
        tf1.train.Saver(tf1.global_variables()).restore(session, checkpoint)
        module.export(export_path, session)


def publish_classifier(
    features: str, checkpoint: str, names: Sequence[str], export_path: str
) -> None:
    """Publishes a classifier as a module with the common signature for image classification.

    The module has the variants of the module for features, and the names of the labels as the
    attached message `label_names`, a `tf.train.BytesList`.

    Args:
        features: The handle of the module for features.
        checkpoint: The prefix of the classifier's checkpoint.
        names: The names of the labels.
        export_path: The directory that becomes the module.
    """
    features_spec = hub.load_module_spec(features)
    height, width = hub.get_expected_image_size(features_spec)

    def module_fn(is_training: bool) -> None:
        images = tf1.placeholder(tf.float32, [None, height, width, 3], "images")
        _, logits = add_classifier(
            features_spec, images, len(names), trainable=True, is_training=is_training
        )
        for name in ("default", "image_classification"):
            hub.add_signature(name, {"images": images}, {"default": logits})
        size = {"height": height, "width": width}
        hub.attach_image_module_info(hub.ImageModuleInfo(default_image_size=size))
        hub.attach_message("label_names", tf.train.BytesList(value=[n.encode() for n in names]))

    variants = [(set(), {"is_training": False}), ({"train"}, {"is_training": True})]
    spec = hub.create_module_spec(module_fn, variants)
    spec.export(export_path, checkpoint_path=checkpoint)


def publish_servable(classifier: str, export_path: str) -> None:
    """Publishes a classifier for TensorFlow Serving: encoded images in, labels and scores out.

    The signature `serving_default` takes `image_bytes`, the contents of image files of any size;
    the signature `images` takes `images`, float32 of the size that the module expects. Both give
    `scores`, float32 of shape [batch, labels], and `label`, strings of shape [batch].

    Args:
        classifier: The handle of the module that `publish_classifier()` has written.
        export_path: The directory to make, whose name is a version for TensorFlow Serving.
    """
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(classifier)
        names = module.get_attached_message("label_names", tf.train.BytesList, required=True)
        assert names is not None  # it is required
        size = hub.get_expected_image_size(module)
        # TensorFlow Serving decodes base64 for inputs whose names end with _bytes.
        image_bytes = tf1.placeholder(tf.string, [None], "image_bytes")
        decoded = tf.map_fn(
            lambda each: decode_image(each, size), image_bytes, fn_output_signature=tf.float32
        )
        decoded.set_shape([None, *size, 3])
        images = tf1.placeholder(tf.float32, [None, *size, 3], "images")
        session.run(tf1.global_variables_initializer())
        builder = tf1.saved_model.Builder(export_path)
        builder.add_meta_graph_and_variables(
            session,
            [tf.saved_model.SERVING],
            {
                "serving_default": tf1.saved_model.predict_signature_def(
                    {"image_bytes": image_bytes}, _add_answers(module(decoded), names.value)
                ),
                "images": tf1.saved_model.predict_signature_def(
                    {"images": images}, _add_answers(module(images), names.value)
                ),
            },
            strip_default_attrs=True,
        )
        builder.save()


def _add_answers(logits: tf.Tensor, names: Sequence[bytes]) -> dict[str, tf.Tensor]:
    label = tf.gather(tf.constant(list(names)), tf.argmax(logits, 1))
    return {"scores": tf.nn.softmax(logits), "label": label}
