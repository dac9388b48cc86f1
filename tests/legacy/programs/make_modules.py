"""Makes the modules and the data that the other programs use.

python make_modules.py --output_dir=/tmp/modules
"""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import os

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

flags = tf.app.flags
FLAGS = flags.FLAGS

flags.DEFINE_string("output_dir", "/tmp/modules", "Where to write modules and data.")

IMAGE_SIZE = 16
BERT_HIDDEN = 16
BERT_HEADS = 2
BERT_LAYERS = 2
WORDS = (
    "a the this movie film plot was is great good fine fun brilliant bad dull awful boring "
    "poor not very really actor music story cat dog king queen paris london rain sun"
).split()
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + WORDS + ["##s", "##ly", "##ed", "un", "."]


def numpy_init(name, shape, stddev=0.1):
  """Initial values that depend on nothing but the name."""
  seed = sum(ord(c) * (i + 1) for i, c in enumerate(name)) % 100000
  values = np.random.RandomState(seed).normal(0.0, stddev, size=shape)
  return tf.constant_initializer(values.astype(np.float32), dtype=tf.float32)


def image_module_fn(is_training):
  """A small convolutional network with batch normalization."""
  images = tf.placeholder(tf.float32, [None, IMAGE_SIZE, IMAGE_SIZE, 3], name="images")
  net = images * 2.0 - 1.0
  end_points = {}
  channels = 3
  with tf.variable_scope("TinyNet"):
    for i, filters in enumerate([8, 16]):
      scope = "conv%d" % (i + 1)
      net = tf.layers.conv2d(
          net, filters, 3, strides=2, padding="same", use_bias=False,
          kernel_initializer=numpy_init(scope, [3, 3, channels, filters], 0.3),
          kernel_regularizer=tf.contrib.layers.l2_regularizer(1e-3), name=scope)
      net = tf.layers.batch_normalization(
          net, momentum=0.9, training=is_training, name="norm%d" % (i + 1))
      net = tf.nn.relu6(net)
      end_points["TinyNet/" + scope] = net
      channels = filters
  features = tf.reduce_mean(net, [1, 2], name="global_pool")
  end_points["TinyNet/global_pool"] = features
  hub.add_signature(inputs=dict(images=images), outputs=features)
  hub.add_signature(
      name="image_feature_vector",
      inputs=dict(images=images),
      outputs=dict(end_points, default=features))
  info = hub.ImageModuleInfo()
  size = info.default_image_size
  size.height, size.width = IMAGE_SIZE, IMAGE_SIZE
  hub.attach_image_module_info(info)


def make_image_module(path):
  spec = hub.create_module_spec(
      image_module_fn,
      tags_and_args=[(set(), {"is_training": False}), ({"train"}, {"is_training": True})],
      drop_collections=[tf.GraphKeys.LOSSES])
  with tf.Graph().as_default():
    module = hub.Module(spec)
    with tf.Session() as sess:
      sess.run(tf.global_variables_initializer())
      module.export(path, sess)


def attention_layer(x, mask, scope):
  """Self attention with two heads."""
  size = BERT_HIDDEN // BERT_HEADS

  def project(name):
    y = tf.layers.dense(
        x, BERT_HIDDEN, name=name,
        kernel_initializer=numpy_init(scope + name, [BERT_HIDDEN, BERT_HIDDEN], 0.2))
    shape = tf.shape(y)
    return tf.transpose(tf.reshape(y, [shape[0], shape[1], BERT_HEADS, size]), [0, 2, 1, 3])

  with tf.variable_scope("self"):
    query, key, value = project("query"), project("key"), project("value")
    scores = tf.matmul(query, key, transpose_b=True) / np.sqrt(size)
    scores += (1.0 - tf.to_float(mask))[:, tf.newaxis, tf.newaxis, :] * -10000.0
    context = tf.transpose(tf.matmul(tf.nn.softmax(scores), value), [0, 2, 1, 3])
  shape = tf.shape(context)
  return tf.reshape(context, [shape[0], shape[1], BERT_HIDDEN])


def bert_module_fn(vocab_file):
  input_ids = tf.placeholder(tf.int32, [None, None], name="input_ids")
  input_mask = tf.placeholder(tf.int32, [None, None], name="input_mask")
  segment_ids = tf.placeholder(tf.int32, [None, None], name="segment_ids")
  with tf.variable_scope("bert"):
    with tf.variable_scope("embeddings"):
      table = tf.get_variable(
          "word_embeddings", [len(PIECES), BERT_HIDDEN],
          initializer=numpy_init("words", [len(PIECES), BERT_HIDDEN], 0.5))
      types = tf.get_variable(
          "token_type_embeddings", [2, BERT_HIDDEN],
          initializer=numpy_init("types", [2, BERT_HIDDEN], 0.5))
      positions = tf.get_variable(
          "position_embeddings", [32, BERT_HIDDEN],
          initializer=numpy_init("positions", [32, BERT_HIDDEN], 0.5))
      x = tf.gather(table, input_ids)
      x += tf.reshape(
          tf.matmul(tf.one_hot(tf.reshape(segment_ids, [-1]), 2), types), tf.shape(x))
      x += tf.slice(positions, [0, 0], [tf.shape(input_ids)[1], -1])[tf.newaxis]
      x = tf.contrib.layers.layer_norm(x, begin_norm_axis=-1, begin_params_axis=-1)
    for i in range(BERT_LAYERS):
      with tf.variable_scope("encoder/layer_%d" % i):
        with tf.variable_scope("attention"):
          y = attention_layer(x, input_mask, "layer_%d" % i)
          with tf.variable_scope("output"):
            y = tf.layers.dense(
                y, BERT_HIDDEN,
                kernel_initializer=numpy_init("out%d" % i, [BERT_HIDDEN, BERT_HIDDEN], 0.2))
            x = tf.contrib.layers.layer_norm(x + y, begin_norm_axis=-1, begin_params_axis=-1)
        with tf.variable_scope("intermediate"):
          y = tf.layers.dense(
              x, 2 * BERT_HIDDEN, activation=tf.tanh,
              kernel_initializer=numpy_init("mid%d" % i, [BERT_HIDDEN, 2 * BERT_HIDDEN], 0.2))
        with tf.variable_scope("output"):
          y = tf.layers.dense(
              y, BERT_HIDDEN,
              kernel_initializer=numpy_init("end%d" % i, [2 * BERT_HIDDEN, BERT_HIDDEN], 0.2))
          x = tf.contrib.layers.layer_norm(
              x + y, begin_norm_axis=-1, begin_params_axis=-1, scope="LayerNorm")
    with tf.variable_scope("pooler"):
      pooled = tf.layers.dense(
          tf.squeeze(x[:, 0:1, :], axis=1), BERT_HIDDEN, activation=tf.tanh,
          kernel_initializer=numpy_init("pooler", [BERT_HIDDEN, BERT_HIDDEN], 0.2))
  hub.add_signature(
      name="tokens",
      inputs=dict(input_ids=input_ids, input_mask=input_mask, segment_ids=segment_ids),
      outputs=dict(sequence_output=x, pooled_output=pooled))
  vocab = tf.constant(value=vocab_file, dtype=tf.string, name="vocab_file")
  tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, vocab)
  hub.add_signature(
      name="tokenization_info",
      inputs={},
      outputs=dict(vocab_file=vocab, do_lower_case=tf.constant(True)))


def make_bert_module(path, vocab_file):
  with tf.gfile.GFile(vocab_file, "w") as f:
    f.write("\n".join(PIECES) + "\n")
  spec = hub.create_module_spec(lambda: bert_module_fn(vocab_file))
  with tf.Graph().as_default():
    module = hub.Module(spec, trainable=True)
    with tf.Session() as sess:
      sess.run(tf.global_variables_initializer())
      module.export(path, sess)


def elmo_module_fn(vocab_file):
  sentences = tf.placeholder(tf.string, [None], name="sentences")
  tokens = tf.placeholder(tf.string, [None, None], name="tokens")
  sequence_len = tf.placeholder(tf.int32, [None], name="sequence_len")
  lookup = tf.contrib.lookup.index_table_from_file(vocab_file, num_oov_buckets=4)

  def embed(words, lengths, reuse):
    with tf.variable_scope("bilm", reuse=reuse):
      table = tf.get_variable(
          "char_embed", [len(WORDS) + 4, 8],
          initializer=numpy_init("chars", [len(WORDS) + 4, 8], 0.5), trainable=False)
      word_emb = tf.nn.embedding_lookup(table, lookup.lookup(words))
      layer, layers = word_emb, [tf.concat([word_emb, word_emb], -1)]
      for i in range(2):
        with tf.variable_scope("RNN_%d" % i):
          width = 8 if i == 0 else 16
          cells = [
              tf.nn.rnn_cell.LSTMCell(
                  8, num_proj=8, use_peepholes=False,
                  initializer=tf.random_uniform_initializer(-0.2, 0.2, seed=10 * i + j + width))
              for j in range(2)]
          outputs, _ = tf.nn.bidirectional_dynamic_rnn(
              cells[0], cells[1], layer, sequence_length=lengths, dtype=tf.float32)
          layer = tf.concat(outputs, -1)
          layers.append(layer)
    with tf.variable_scope("aggregation", reuse=reuse):
      weights = tf.get_variable("weights", [3], initializer=tf.zeros_initializer())
      scaling = tf.get_variable("scaling", [], initializer=tf.ones_initializer())
      normed = tf.split(tf.nn.softmax(weights + 1.0 / 3), 3)
      elmo = scaling * tf.add_n([w * l for w, l in zip(normed, layers)])
    mask = tf.expand_dims(tf.sequence_mask(lengths, tf.shape(words)[1], tf.float32), -1)
    total = tf.maximum(tf.reduce_sum(mask, 1), 1.0)
    return dict(
        word_emb=word_emb, lstm_outputs1=layers[1], lstm_outputs2=layers[2], elmo=elmo,
        default=tf.reduce_sum(elmo * mask, 1) / total)

  split = tf.string_split(sentences, " ")
  dense = tf.sparse_tensor_to_dense(split, default_value="")
  lengths = tf.reduce_sum(tf.to_int32(tf.not_equal(dense, "")), axis=1)
  hub.add_signature("default", dict(strings=sentences), embed(dense, lengths, reuse=False))
  hub.add_signature(
      "tokens", dict(tokens=tokens, sequence_len=sequence_len),
      embed(tokens, sequence_len, reuse=True))


def make_elmo_module(path, vocab_file):
  with tf.gfile.GFile(vocab_file, "w") as f:
    f.write("\n".join(WORDS) + "\n")
  spec = hub.create_module_spec(lambda: elmo_module_fn(vocab_file))
  with tf.Graph().as_default():
    tf.set_random_seed(1)
    module = hub.Module(spec, trainable=True)
    with tf.Session() as sess:
      sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
      module.export(path, sess)


def text_module_fn(vocab_file):
  text = tf.placeholder(tf.string, [None], name="text")
  table = tf.contrib.lookup.index_table_from_file(vocab_file, num_oov_buckets=3)
  embeddings = tf.get_variable(
      "embeddings", [len(WORDS) + 3, 12],
      initializer=tf.random_normal_initializer(stddev=0.5, seed=4),
      partitioner=tf.fixed_size_partitioner(2))
  words = tf.string_split(tf.regex_replace(text, r"[[:punct:]]", ""), " ")
  ids = tf.SparseTensor(words.indices, table.lookup(words.values), words.dense_shape)
  ids, _ = tf.sparse_fill_empty_rows(ids, tf.cast(0, tf.int64))
  hub.add_signature(
      inputs=text,
      outputs=tf.nn.embedding_lookup_sparse(embeddings, ids, None, combiner="sqrtn"))


def make_text_module(path, vocab_file):
  with tf.gfile.GFile(vocab_file, "w") as f:
    f.write("\n".join(WORDS) + "\n")
  spec = hub.create_module_spec(lambda: text_module_fn(vocab_file))
  with tf.Graph().as_default():
    module = hub.Module(spec, trainable=True)
    with tf.Session() as sess:
      sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
      module.export(path, sess)


def make_images(path):
  """Stripes, discs and noise, as PNG files in a folder for each class."""
  rng = np.random.RandomState(0)
  y, x = np.mgrid[0:20, 0:20]
  encoded = tf.placeholder(tf.uint8, [20, 20, 3])
  png = tf.image.encode_png(encoded)
  with tf.Session() as sess:
    for label in ["stripes", "discs", "noise"]:
      tf.gfile.MakeDirs(os.path.join(path, label))
      for i in range(12):
        if label == "stripes":
          pattern = (np.sin(x * rng.uniform(0.5, 1.5) + rng.uniform(0, 6)) > 0) * 1.0
        elif label == "discs":
          centre = rng.uniform(6, 14, size=2)
          radius = rng.uniform(3, 6)
          pattern = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius ** 2) * 1.0
        else:
          pattern = rng.uniform(0, 1, size=(20, 20))
        image = pattern[:, :, None] * rng.uniform(100, 255, size=3)
        with tf.gfile.FastGFile(os.path.join(path, label, "%02d.png" % i), "wb") as f:
          f.write(sess.run(png, {encoded: image.astype(np.uint8)}))


def make_sentences(path):
  """Sentences with a label, in a tab-separated file each for training and evaluation."""
  rng = np.random.RandomState(3)
  good, bad = ["great", "good", "fine", "fun", "brilliant"], ["bad", "dull", "awful", "poor"]
  tf.gfile.MakeDirs(path)
  for split, count in [("train", 48), ("dev", 16)]:
    with tf.gfile.Open(os.path.join(path, split + ".tsv"), "w") as f:
      for _ in range(count):
        label = int(rng.randint(2))
        adjective = [bad, good][label]
        words = [
            ["The", "This", "A"][rng.randint(3)], ["movie", "film", "plot"][rng.randint(3)],
            ["is", "was"][rng.randint(2)], adjective[rng.randint(len(adjective))]]
        if rng.rand() < 0.5:
          words.insert(3, ["very", "really", "zzz"][rng.randint(3)])
        f.write("%s\t%d\n" % (" ".join(words), label))


def main(_):
  out = FLAGS.output_dir
  tf.gfile.MakeDirs(out)
  make_image_module(os.path.join(out, "image"))
  make_bert_module(os.path.join(out, "bert"), os.path.join(out, "vocab.txt"))
  make_elmo_module(os.path.join(out, "elmo"), os.path.join(out, "elmo_vocab.txt"))
  make_text_module(os.path.join(out, "text"), os.path.join(out, "words.txt"))
  make_images(os.path.join(out, "images"))
  make_sentences(os.path.join(out, "sentences"))


if __name__ == "__main__":
  tf.logging.set_verbosity(tf.logging.INFO)
  tf.app.run()
