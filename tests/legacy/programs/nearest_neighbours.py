"""Finds the sentences that are next to a query, after tuning the embeddings on pairs."""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import os
import time

import numpy as np
from six.moves import range, zip
import tensorflow as tf
from tensorflow import flags
from tensorflow import gfile
from tensorflow import logging
import tensorflow_hub as hub

FLAGS = flags.FLAGS

flags.DEFINE_string("module", "/tmp/modules/text", "A module that embeds text.")
flags.DEFINE_string("corpus", "/tmp/modules/sentences/train.tsv", "One sentence a line.")
flags.DEFINE_string("logdir", "/tmp/neighbours", "Checkpoints and summaries.")
flags.DEFINE_integer("steps", 10, "Steps of training.")
flags.DEFINE_integer("k", 3, "Neighbours to show.")


class Index(object):
  """Embeddings of a corpus, in a variable."""

  def __init__(self, module, size, dim):
    self.texts = tf.placeholder(dtype=tf.string, shape=(None,), name="texts")
    self.embedded = tf.nn.l2_normalize(module(self.texts), dim=1)
    self.corpus = tf.Variable(
        tf.zeros([size, dim]), trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES])
    self.fill = tf.assign(self.corpus, self.embedded)
    similarity = tf.matmul(self.embedded, self.corpus, transpose_b=True)
    self.top = tf.nn.top_k(similarity, k=FLAGS.k, sorted=True)


def read_corpus():
  with gfile.Open(FLAGS.corpus) as f:
    lines = [line.rstrip("\n").split("\t") for line in f]
  return [line[0].lower() for line in lines], [int(line[1]) for line in lines]


def ranking_loss(module, margin):
  """Hinge loss: a positive has to be nearer to the anchor than a negative."""
  names = ["anchor", "positive", "negative"]
  inputs = [tf.placeholder(tf.string, [None], name=name) for name in names]
  vectors = [tf.nn.l2_normalize(module(x), dim=1) for x in inputs]
  near = tf.losses.cosine_distance(vectors[0], vectors[1], dim=1, reduction="none")
  far = tf.losses.cosine_distance(vectors[0], vectors[2], dim=1, reduction="none")
  return inputs, tf.reduce_mean(tf.nn.relu(margin + near - far))


def draw_triples(texts, labels, rng, count):
  groups = [[t for t, l in zip(texts, labels) if l == x] for x in (0, 1)]
  triples = []
  for _ in range(count):
    group = int(rng.randint(2))
    same, other = groups[group], groups[1 - group]
    triples.append((same[rng.randint(len(same))], same[rng.randint(len(same))],
                    other[rng.randint(len(other))]))
  return [list(column) for column in zip(*triples)]


def main(argv):
  del argv
  texts, labels = read_corpus()
  rng = np.random.RandomState(77)
  with tf.Graph().as_default():
    module = hub.Module(FLAGS.module, trainable=True)
    dim = module.get_output_info_dict()["default"].get_shape()[1].value
    inputs, loss = ranking_loss(module, 0.5)
    index = Index(module, len(texts), dim)
    step = tf.train.create_global_step()
    optimizer = tf.train.GradientDescentOptimizer(tf.train.cosine_decay(0.5, step, 50))
    train_op = tf.contrib.training.create_train_op(loss, optimizer, global_step=step)
    tf.summary.scalar("ranking_loss", loss)
    merged = tf.summary.merge_all()

    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=FLAGS.logdir, save_checkpoint_secs=None,
        save_checkpoint_steps=FLAGS.steps, save_summaries_steps=0,
        save_summaries_secs=None) as sess:
      writer = tf.summary.FileWriterCache.get(os.path.join(FLAGS.logdir, "train"))
      started = time.time()
      current = sess.run(step)
      while current < FLAGS.steps:
        triples = draw_triples(texts, labels, rng, 8)
        _, value, summary = sess.run([train_op, loss, merged], dict(zip(inputs, triples)))
        writer.add_summary(summary, current)
        logging.info("step %d: loss %.4f (%.1fs)", current, value, time.time() - started)
        current = sess.run(step)
      writer.flush()

    saver = tf.train.Saver()
    with tf.Session() as sess:
      sess.run([tf.local_variables_initializer(), tf.tables_initializer()])
      saver.restore(sess, tf.train.latest_checkpoint(FLAGS.logdir))
      sess.run(index.fill, feed_dict={index.texts: texts})
      queries = ["the film was really great", "a dull story", "rain, sun & unknown words!"]
      scores, ids = sess.run(index.top, feed_dict={index.texts: queries})
      with gfile.GFile(os.path.join(FLAGS.logdir, "neighbours.txt"), "w") as f:
        for query, row, neighbours in zip(queries, scores, ids):
          print(query)
          for score, i in zip(row, neighbours):
            print("  %.3f %s" % (score, texts[i]))
            f.write("%s\t%s\t%.4f\n" % (query, texts[i], score))


if __name__ == "__main__":
  logging.set_verbosity(logging.INFO)
  tf.app.run(main)
