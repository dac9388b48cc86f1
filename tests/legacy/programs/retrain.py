"""Trains a new last layer on top of an image feature vector module.

python retrain.py --image_dir ~/flower_photos --tfhub_module /tmp/modules/image
"""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import argparse
import collections
import datetime
import hashlib
import os.path
import random
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from tensorflow.python.framework import graph_util
from tensorflow.python.platform import gfile

FLAGS = None


def create_image_lists(image_dir, testing_percentage):
  """Splits the images of each folder into training and testing ones, by a hash of the name."""
  if not gfile.Exists(image_dir):
    tf.logging.error("Image directory '" + image_dir + "' not found.")
    return None
  result = collections.OrderedDict()
  sub_dirs = sorted(x[0] for x in tf.gfile.Walk(image_dir))
  for sub_dir in sub_dirs:
    if sub_dir.rstrip("/") == image_dir.rstrip("/"):
      continue
    label_name = os.path.basename(sub_dir.rstrip("/"))
    file_list = sorted(tf.gfile.Glob(os.path.join(image_dir, label_name, "*.png")))
    training, testing = [], []
    for file_name in file_list:
      digest = hashlib.sha1(tf.compat.as_bytes(os.path.basename(file_name))).hexdigest()
      (testing if int(digest, 16) % 100 < testing_percentage else training).append(file_name)
    result[label_name] = {"training": training, "testing": testing}
  return result


def create_module_graph(module_spec):
  height, width = hub.get_expected_image_size(module_spec)
  with tf.Graph().as_default() as graph:
    resized_input_tensor = tf.placeholder(tf.float32, [None, height, width, 3])
    m = hub.Module(module_spec)
    bottleneck_tensor = m(resized_input_tensor)
  return graph, bottleneck_tensor, resized_input_tensor


def add_png_decoding(module_spec):
  input_height, input_width = hub.get_expected_image_size(module_spec)
  input_depth = hub.get_num_image_channels(module_spec)
  png_data = tf.placeholder(tf.string, name="DecodePngInput")
  decoded_image = tf.image.decode_png(png_data, channels=input_depth)
  decoded_image_as_float = tf.image.convert_image_dtype(decoded_image, tf.float32)
  decoded_image_4d = tf.expand_dims(decoded_image_as_float, 0)
  resize_shape_as_int = tf.cast(tf.stack([input_height, input_width]), dtype=tf.int32)
  resized_image = tf.image.resize_bilinear(decoded_image_4d, resize_shape_as_int)
  return png_data, resized_image


def get_or_create_bottleneck(sess, path, decoding, bottleneck_tensor, resized_input_tensor):
  name = "_".join(path.split(os.sep)[-2:]) + ".txt"
  bottleneck_path = os.path.join(FLAGS.bottleneck_dir, name)
  if not os.path.exists(bottleneck_path):
    png_data, decoded_image = decoding
    image_data = tf.gfile.GFile(path, "rb").read()
    resized = sess.run(decoded_image, {png_data: image_data})
    values = np.squeeze(sess.run(bottleneck_tensor, {resized_input_tensor: resized}))
    with open(bottleneck_path, "w") as bottleneck_file:
      bottleneck_file.write(",".join(str(x) for x in values))
  with open(bottleneck_path, "r") as bottleneck_file:
    return [float(x) for x in bottleneck_file.read().split(",")]


def get_random_bottlenecks(image_lists, bottlenecks, how_many):
  classes = list(image_lists.keys())
  values, truths = [], []
  for _ in range(how_many):
    label_index = random.randrange(len(classes))
    paths = image_lists[classes[label_index]]["training"]
    values.append(bottlenecks[paths[random.randrange(len(paths))]])
    truths.append(label_index)
  return values, truths


def variable_summaries(var):
  with tf.name_scope("summaries"):
    mean = tf.reduce_mean(var)
    tf.summary.scalar("mean", mean)
    with tf.name_scope("stddev"):
      stddev = tf.sqrt(tf.reduce_mean(tf.square(var - mean)))
    tf.summary.scalar("stddev", stddev)
    tf.summary.histogram("histogram", var)


def add_final_retrain_ops(class_count, final_tensor_name, bottleneck_tensor):
  batch_size, bottleneck_tensor_size = bottleneck_tensor.get_shape().as_list()
  assert batch_size is None, "We want to work with arbitrary batch size."
  with tf.name_scope("input"):
    bottleneck_input = tf.placeholder_with_default(
        bottleneck_tensor, shape=[batch_size, bottleneck_tensor_size],
        name="BottleneckInputPlaceholder")
    ground_truth_input = tf.placeholder(tf.int64, [batch_size], name="GroundTruthInput")
  with tf.name_scope("final_retrain_ops"):
    with tf.name_scope("weights"):
      initial_value = tf.truncated_normal(
          [bottleneck_tensor_size, class_count], stddev=0.001, seed=7)
      layer_weights = tf.Variable(initial_value, name="final_weights")
      variable_summaries(layer_weights)
    with tf.name_scope("biases"):
      layer_biases = tf.Variable(tf.zeros([class_count]), name="final_biases")
      variable_summaries(layer_biases)
    with tf.name_scope("Wx_plus_b"):
      logits = tf.matmul(bottleneck_input, layer_weights) + layer_biases
      tf.summary.histogram("pre_activations", logits)
  final_tensor = tf.nn.softmax(logits, name=final_tensor_name)
  tf.summary.histogram("activations", final_tensor)
  with tf.name_scope("cross_entropy"):
    cross_entropy_mean = tf.losses.sparse_softmax_cross_entropy(
        labels=ground_truth_input, logits=logits)
  tf.summary.scalar("cross_entropy", cross_entropy_mean)
  global_step = tf.train.get_or_create_global_step()
  with tf.name_scope("train"):
    rate = tf.train.exponential_decay(FLAGS.learning_rate, global_step, 5, 0.9, staircase=True)
    optimizer = tf.train.MomentumOptimizer(rate, 0.9)
    train_step = optimizer.minimize(cross_entropy_mean, global_step=global_step)
  return train_step, cross_entropy_mean, bottleneck_input, ground_truth_input, final_tensor


def add_evaluation_step(result_tensor, ground_truth_tensor):
  with tf.name_scope("accuracy"):
    prediction = tf.argmax(result_tensor, 1)
    correct = tf.equal(prediction, ground_truth_tensor)
    evaluation_step = tf.reduce_mean(tf.cast(correct, tf.float32))
  tf.summary.scalar("accuracy", evaluation_step)
  return evaluation_step, tf.confusion_matrix(ground_truth_tensor, prediction)


def save_graph_to_file(sess, graph_file_name):
  output_graph_def = graph_util.convert_variables_to_constants(
      sess, sess.graph.as_graph_def(), [FLAGS.final_tensor_name])
  with gfile.FastGFile(graph_file_name, "wb") as f:
    f.write(output_graph_def.SerializeToString())


def main(_):
  tf.logging.set_verbosity(tf.logging.INFO)
  random.seed(42)
  for directory in (FLAGS.summaries_dir, FLAGS.bottleneck_dir):
    tf.gfile.MakeDirs(directory)
  image_lists = create_image_lists(FLAGS.image_dir, FLAGS.testing_percentage)
  class_count = len(image_lists.keys())
  if class_count < 2:
    tf.logging.error("At least two folders of images are needed for classification.")
    return -1

  module_spec = hub.load_module_spec(FLAGS.tfhub_module)
  graph, bottleneck_tensor, resized_image_tensor = create_module_graph(module_spec)
  with graph.as_default():
    (train_step, cross_entropy, bottleneck_input, ground_truth_input,
     final_tensor) = add_final_retrain_ops(
         class_count, FLAGS.final_tensor_name, bottleneck_tensor)

  with tf.Session(graph=graph) as sess:
    sess.run(tf.global_variables_initializer())
    decoding = add_png_decoding(module_spec)
    bottlenecks = {}
    for lists in image_lists.values():
      for path in lists["training"] + lists["testing"]:
        bottlenecks[path] = get_or_create_bottleneck(
            sess, path, decoding, bottleneck_tensor, resized_image_tensor)
    tf.logging.info("%d bottleneck files read.", len(bottlenecks))

    evaluation_step, confusion = add_evaluation_step(final_tensor, ground_truth_input)
    merged = tf.summary.merge_all()
    train_writer = tf.summary.FileWriter(FLAGS.summaries_dir + "/train", sess.graph)
    train_saver = tf.train.Saver()
    checkpoint = tf.train.latest_checkpoint(FLAGS.checkpoint_dir)
    if checkpoint:
      train_saver.restore(sess, checkpoint)
    first_step = sess.run(tf.train.get_global_step(graph))

    for i in range(first_step, FLAGS.how_many_training_steps):
      train_bottlenecks, train_ground_truth = get_random_bottlenecks(
          image_lists, bottlenecks, FLAGS.train_batch_size)
      train_summary, cross_entropy_value, _ = sess.run(
          [merged, cross_entropy, train_step],
          feed_dict={bottleneck_input: train_bottlenecks,
                     ground_truth_input: train_ground_truth})
      train_writer.add_summary(train_summary, i)
      tf.logging.info("%s: Step %d: Cross entropy = %f" % (
          datetime.datetime.now(), i, cross_entropy_value))
    train_writer.close()
    train_saver.save(
        sess, os.path.join(FLAGS.checkpoint_dir, "retrain"),
        global_step=FLAGS.how_many_training_steps)

    testing = [(bottlenecks[path], label)
               for label, lists in enumerate(image_lists.values())
               for path in lists["testing"]]
    accuracy, matrix = sess.run(
        [evaluation_step, confusion],
        feed_dict={bottleneck_input: [x[0] for x in testing],
                   ground_truth_input: [x[1] for x in testing]})
    tf.logging.info("Final test accuracy = %.1f%% (N=%d)" % (accuracy * 100, len(testing)))
    tf.logging.info("Confusion matrix:\n%s", matrix)

    save_graph_to_file(sess, FLAGS.output_graph)
    with tf.gfile.FastGFile(FLAGS.output_labels, "w") as f:
      f.write("\n".join(image_lists.keys()) + "\n")
    tf.saved_model.simple_save(
        sess, os.path.join(FLAGS.saved_model_dir, str(FLAGS.how_many_training_steps)),
        inputs={"image": resized_image_tensor}, outputs={"prediction": final_tensor})


if __name__ == "__main__":
  parser = argparse.ArgumentParser()
  parser.add_argument("--image_dir", type=str, default="", help="Folders of labeled images.")
  parser.add_argument("--tfhub_module", type=str, default="", help="The module to use.")
  parser.add_argument("--output_graph", type=str, default="/tmp/output_graph.pb")
  parser.add_argument("--output_labels", type=str, default="/tmp/output_labels.txt")
  parser.add_argument("--summaries_dir", type=str, default="/tmp/retrain_logs")
  parser.add_argument("--bottleneck_dir", type=str, default="/tmp/bottleneck")
  parser.add_argument("--checkpoint_dir", type=str, default="/tmp/_retrain_checkpoint")
  parser.add_argument("--saved_model_dir", type=str, default="/tmp/saved_models")
  parser.add_argument("--final_tensor_name", type=str, default="final_result")
  parser.add_argument("--how_many_training_steps", type=int, default=4000)
  parser.add_argument("--learning_rate", type=float, default=0.1)
  parser.add_argument("--testing_percentage", type=int, default=20)
  parser.add_argument("--train_batch_size", type=int, default=10)
  FLAGS, unparsed = parser.parse_known_args()
  tf.app.run(main=main, argv=[sys.argv[0]] + unparsed)
