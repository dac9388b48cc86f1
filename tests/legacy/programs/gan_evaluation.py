"""Trains a tiny GAN and follows the Frechet distance of its images, by an image module."""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import os

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

tf.flags.DEFINE_string("hub_module", "/tmp/modules/image", "Features are those of this module.")
tf.flags.DEFINE_string("train_dir", "/tmp/gan", "Checkpoints and summaries.")
tf.flags.DEFINE_integer("max_number_of_steps", 10, "Steps of training.")
tf.flags.DEFINE_integer("batch_size", 8, "Images per step.")
tf.flags.DEFINE_integer("noise_dims", 4, "Size of the generator's input.")

FLAGS = tf.flags.FLAGS
slim = tf.contrib.slim


def init(seed, shape):
  values = np.random.RandomState(seed).uniform(-0.3, 0.3, size=shape)
  return tf.constant_initializer(values)


def real_images():
  """An input pipeline of images with one bright corner."""
  rng = np.random.RandomState(0)
  images = rng.uniform(0, 0.3, size=(64, 16, 16, 3)).astype(np.float32)
  images[:, :8, :8, 0] += 0.6
  dataset = tf.data.Dataset.from_tensor_slices(images).repeat().batch(FLAGS.batch_size)
  return dataset.make_one_shot_iterator().get_next()


def generator_fn(noise):
  with tf.variable_scope("Generator", reuse=tf.AUTO_REUSE):
    net = slim.fully_connected(
        noise, 4 * 4 * 8, weights_initializer=init(1, [FLAGS.noise_dims, 4 * 4 * 8]), scope="fc")
    net = tf.reshape(net, [-1, 4, 4, 8])
    net = tf.layers.conv2d_transpose(
        net, 8, 4, strides=2, padding="SAME", activation=tf.nn.leaky_relu,
        kernel_initializer=init(2, [4, 4, 8, 8]), name="deconv1")
    return tf.layers.conv2d_transpose(
        net, 3, 4, strides=2, padding="SAME", activation=tf.sigmoid,
        kernel_initializer=init(3, [4, 4, 3, 8]), name="deconv2")


def discriminator_fn(images):
  with tf.variable_scope("Discriminator", reuse=tf.AUTO_REUSE):
    with slim.arg_scope([slim.conv2d], stride=2, activation_fn=tf.nn.leaky_relu):
      net = slim.conv2d(images, 8, 3, weights_initializer=init(4, [3, 3, 3, 8]), scope="conv1")
    net = slim.flatten(net)
    return tf.layers.dense(
        net, 1, kernel_initializer=init(5, [8 * 8 * 8, 1]), name="logits")


def symmetric_matrix_square_root(mat, eps=1e-10):
  s, u, v = tf.svd(mat)
  si = tf.where(tf.less(s, eps), s, tf.sqrt(s))
  return tf.matmul(tf.matmul(u, tf.diag(si)), v, transpose_b=True)


def covariance(x, mean):
  x = x - mean
  return tf.matmul(x, x, transpose_a=True) / (tf.to_float(tf.shape(x)[0]) - 1.0)


def frechet_distance(real, fake):
  m, m_w = tf.reduce_mean(real, 0), tf.reduce_mean(fake, 0)
  sigma = covariance(real, m) + 1e-3 * tf.eye(tf.shape(real)[1])
  sigma_w = covariance(fake, m_w) + 1e-3 * tf.eye(tf.shape(fake)[1])
  sqrt_sigma = symmetric_matrix_square_root(sigma)
  product = tf.matmul(sqrt_sigma, tf.matmul(sigma_w, sqrt_sigma))
  trace = tf.trace(sigma + sigma_w) - 2.0 * tf.trace(symmetric_matrix_square_root(product))
  return trace + tf.reduce_sum(tf.squared_difference(m, m_w))


def features_in_batches(module, images, num_batches):
  """Activations of many images, a part of them at a time."""
  batches = tf.stack(tf.split(images, num_batches))
  features = tf.map_fn(
      lambda x: module(x), batches, parallel_iterations=1, back_prop=False, name="RunModule")
  return tf.concat(tf.unstack(features), 0)


def main(_):
  tf.logging.set_verbosity(tf.logging.INFO)
  tf.gfile.MakeDirs(FLAGS.train_dir)
  global_step = tf.contrib.framework.get_or_create_global_step()
  real = real_images()
  noise = tf.random_normal([FLAGS.batch_size, FLAGS.noise_dims], seed=21)
  fake = generator_fn(noise)
  real_logits, fake_logits = discriminator_fn(real), discriminator_fn(fake)
  d_loss = tf.losses.sigmoid_cross_entropy(
      tf.ones_like(real_logits), real_logits, label_smoothing=0.2, scope="d_real")
  d_loss += tf.losses.sigmoid_cross_entropy(
      tf.zeros_like(fake_logits), fake_logits, scope="d_fake")
  g_loss = tf.losses.sigmoid_cross_entropy(
      tf.ones_like(fake_logits), fake_logits, scope="g")

  # The same features twice: of large sets for the distance, and as a loss of the generator.
  module = hub.Module(FLAGS.hub_module, name="features")
  matching = tf.losses.mean_squared_error(
      tf.reduce_mean(module(real), 0), tf.reduce_mean(module(fake), 0), weights=10.0)
  conv1 = module(fake, signature="image_feature_vector", as_dict=True)["TinyNet/conv1"]
  tf.summary.histogram("conv1", conv1)
  evaluated_noise = tf.constant(
      np.random.RandomState(9).normal(size=(32, FLAGS.noise_dims)), tf.float32)
  evaluated_real = tf.constant(
      np.random.RandomState(8).uniform(0, 0.5, size=(32, 16, 16, 3)), tf.float32)
  distance = frechet_distance(
      features_in_batches(module, evaluated_real, 4),
      features_in_batches(module, generator_fn(evaluated_noise), 4))

  d_vars = tf.trainable_variables("Discriminator")
  g_vars = tf.trainable_variables("Generator")
  train_d = tf.train.AdamOptimizer(1e-3, beta1=0.5).minimize(d_loss, var_list=d_vars)
  with tf.control_dependencies([train_d]):
    train_g = tf.train.RMSPropOptimizer(1e-3, decay=0.9).minimize(
        g_loss + matching, var_list=g_vars, global_step=global_step)

  tf.summary.scalar("discriminator_loss", d_loss)
  tf.summary.scalar("generator_loss", g_loss + matching)
  tf.summary.image("generated", fake, max_outputs=2)
  # Counts the images whose distance to their neighbour in the batch is small.
  _, modes = tf.while_loop(
      lambda i, n: i < FLAGS.batch_size - 1,
      lambda i, n: (i + 1, n + tf.to_int32(
          tf.reduce_mean(tf.abs(fake[i] - fake[i + 1])) < 0.05)),
      [tf.constant(0), tf.constant(0)], back_prop=False)
  tf.summary.scalar("collapsed", modes)

  hooks = [
      tf.train.StopAtStepHook(last_step=FLAGS.max_number_of_steps),
      tf.train.LoggingTensorHook(
          {"d_loss": d_loss, "g_loss": g_loss}, every_n_iter=5),
      tf.train.CheckpointSaverHook(FLAGS.train_dir, save_steps=1000, saver=tf.train.Saver()),
      tf.train.SummarySaverHook(
          save_steps=1, output_dir=os.path.join(FLAGS.train_dir, "summaries"),
          summary_op=tf.summary.merge_all()),
  ]
  with tf.train.SingularMonitoredSession(hooks=hooks, checkpoint_dir=FLAGS.train_dir) as sess:
    writer = tf.summary.FileWriterCache.get(os.path.join(FLAGS.train_dir, "summaries"))
    while not sess.should_stop():
      sess.run(train_g)
      # Without the hooks, and so beside the training step, not in it.
      step, value = sess.raw_session().run([global_step, distance])
      tf.logging.info("Step %d: Frechet distance %.4f", step, value)
      summary = tf.Summary(value=[
          tf.Summary.Value(tag="frechet_distance", simple_value=value)])
      writer.add_summary(summary, step)


if __name__ == "__main__":
  tf.app.run()
