"""Classifies sentences by ELMo embeddings, whose mix of layers is trained, too."""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import argparse
import os

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from tensorflow.contrib import rnn
from tensorflow.contrib.training import HParams

parser = argparse.ArgumentParser()
parser.add_argument("--elmo", default="/tmp/modules/elmo")
parser.add_argument("--data_dir", default="/tmp/modules/sentences")
parser.add_argument("--model_dir", default="/tmp/elmo")
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--hparams", default="", help="name=value,name=value")
args = parser.parse_args()

hparams = HParams(batch_size=8, hidden=6, learning_rate=0.01, clip=5.0, l2=1e-3)
hparams.parse(args.hparams)


def read_data(name):
  sentences, labels = [], []
  for line in tf.gfile.GFile(os.path.join(args.data_dir, name)):
    text, label = line.strip().split("\t")
    sentences.append(text.lower())
    labels.append(int(label))
  return np.array(sentences), np.array(labels, np.int32)


def tokens_and_lengths(sentences):
  split = [s.split() for s in sentences]
  longest = max(map(len, split))
  return ([words + [""] * (longest - len(words)) for words in split],
          [len(words) for words in split])


class Model(object):
  """An LSTM over the embeddings of words, and the mean embedding beside it."""

  def __init__(self, elmo, hparams):
    self.tokens = tf.placeholder(tf.string, [None, None], name="tokens")
    self.lengths = tf.placeholder(tf.int32, [None], name="lengths")
    self.sentences = tf.placeholder(tf.string, [None], name="sentences")
    self.labels = tf.placeholder(tf.int32, [None], name="labels")
    embeddings = elmo(
        inputs={"tokens": self.tokens, "sequence_len": self.lengths},
        signature="tokens", as_dict=True)
    words = tf.concat([embeddings["elmo"], embeddings["word_emb"]], -1)
    means = elmo(self.sentences, signature="default", as_dict=True)["default"]
    regularizer = tf.contrib.layers.l2_regularizer(hparams.l2)
    with tf.variable_scope(
        "classifier", regularizer=regularizer,
        initializer=tf.random_uniform_initializer(-0.2, 0.2, seed=31)):
      cell = rnn.BasicLSTMCell(hparams.hidden, forget_bias=1.0)
      _, state = tf.nn.dynamic_rnn(cell, words, sequence_length=self.lengths, dtype=tf.float32)
      hidden = tf.concat([state.h, means], axis=1)
      w = tf.get_variable("w", [hidden.get_shape()[1].value, 2])
      b = tf.get_variable("b", [2], initializer=tf.constant_initializer(0.0))
      self.logits = tf.nn.xw_plus_b(hidden, w, b)
    xent = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=self.labels, logits=self.logits)
    penalties = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    self.loss = tf.reduce_mean(xent) + tf.add_n(penalties)
    self.accuracy = tf.contrib.metrics.accuracy(
        tf.argmax(self.logits, 1, output_type=tf.int32), self.labels)
    self.global_step = tf.Variable(0, name="global_step", trainable=False)
    params = tf.trainable_variables()
    gradients, norm = tf.clip_by_global_norm(tf.gradients(self.loss, params), hparams.clip)
    self.train_op = tf.train.AdagradOptimizer(hparams.learning_rate).apply_gradients(
        zip(gradients, params), global_step=self.global_step)
    tf.summary.scalar("loss", self.loss)
    tf.summary.scalar("gradient_norm", norm)
    self.summary = tf.summary.merge_all()

  def feed(self, sentences, labels):
    tokens, lengths = tokens_and_lengths(sentences)
    return {self.tokens: tokens, self.lengths: lengths,
            self.sentences: sentences, self.labels: labels}


elmo = hub.Module(args.elmo, trainable=True)
print("Signatures: %s" % ", ".join(sorted(elmo.get_signature_names())))
for name, info in sorted(elmo.get_output_info_dict(signature="tokens").items()):
  print("  %s: %s %s" % (name, info.dtype.name, info.get_shape()))
model = Model(elmo, hparams)
saver = tf.train.Saver(max_to_keep=2)
train_sentences, train_labels = read_data("train.tsv")
dev_sentences, dev_labels = read_data("dev.tsv")

config = tf.ConfigProto(allow_soft_placement=True)
config.gpu_options.allow_growth = True
with tf.Session(config=config) as sess:
  sess.run(tf.global_variables_initializer())
  sess.run(tf.tables_initializer())
  ckpt = tf.train.get_checkpoint_state(args.model_dir)
  if ckpt and ckpt.model_checkpoint_path:
    saver.restore(sess, ckpt.model_checkpoint_path)
  writer = tf.summary.FileWriter(args.model_dir, sess.graph)
  step = sess.run(model.global_step)
  while step < args.steps:
    start = (step * hparams.batch_size) % len(train_sentences)
    batch = slice(start, start + hparams.batch_size)
    feed = model.feed(train_sentences[batch], train_labels[batch])
    _, summary, loss = sess.run([model.train_op, model.summary, model.loss], feed_dict=feed)
    writer.add_summary(summary, step)
    print("step %d: loss %.4f" % (step, loss))
    step = sess.run(model.global_step)
  writer.close()
  print("dev accuracy: %.3f" % sess.run(
      model.accuracy, feed_dict=model.feed(dev_sentences, dev_labels)))
  saver.save(sess, os.path.join(args.model_dir, "model.ckpt"), global_step=model.global_step)
