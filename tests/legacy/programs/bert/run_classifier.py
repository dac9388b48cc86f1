"""Fine-tunes a BERT module to classify sentences.

python run_classifier.py --data_dir=sentences --bert_hub_module_handle=/tmp/modules/bert
"""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import collections
import csv
import os

import optimization
import tensorflow as tf
import tensorflow_hub as hub
import tokenization

flags = tf.flags
FLAGS = flags.FLAGS

flags.DEFINE_string("data_dir", None, "The directory with train.tsv and dev.tsv.")
flags.DEFINE_string("bert_hub_module_handle", None, "Handle for the BERT TF-Hub module.")
flags.DEFINE_string("output_dir", None, "Where the checkpoints are written.")
flags.DEFINE_integer("max_seq_length", 10, "Longer sentences are cut.")
flags.DEFINE_bool("do_train", True, "Whether to run training.")
flags.DEFINE_bool("do_eval", True, "Whether to run eval on the dev set.")
flags.DEFINE_integer("train_batch_size", 8, "Total batch size for training.")
flags.DEFINE_integer("eval_batch_size", 8, "Total batch size for eval.")
flags.DEFINE_float("learning_rate", 5e-3, "The initial learning rate.")
flags.DEFINE_integer("num_train_steps", 100, "Total number of steps.")
flags.DEFINE_integer("stop_at_step", 0, "Stop earlier; 0 trains all steps.")
flags.DEFINE_integer("num_warmup_steps", 3, "Steps of linear warmup.")
flags.DEFINE_bool("use_tpu", False, "Whether to use TPU or GPU/CPU.")
flags.DEFINE_string("tpu_name", None, "The Cloud TPU to use for training.")
flags.DEFINE_integer("num_tpu_cores", 8, "Only used if `use_tpu` is True.")

InputExample = collections.namedtuple("InputExample", "text label")


def read_tsv(input_file):
  with tf.gfile.Open(input_file, "r") as f:
    reader = csv.reader(f, delimiter="\t", quotechar=None, quoting=csv.QUOTE_NONE)
    return [InputExample(line[0], int(line[1])) for line in reader]


def create_tokenizer_from_hub_module(bert_hub_module_handle):
  """Get the vocab file and casing info from the Hub module."""
  with tf.Graph().as_default():
    bert_module = hub.Module(bert_hub_module_handle)
    tokenization_info = bert_module(signature="tokenization_info", as_dict=True)
    with tf.Session() as sess:
      vocab_file, do_lower_case = sess.run(
          [tokenization_info["vocab_file"], tokenization_info["do_lower_case"]])
  return tokenization.FullTokenizer(vocab_file=vocab_file, do_lower_case=do_lower_case)


def file_based_convert_examples_to_features(examples, max_seq_length, tokenizer, output_file):
  writer = tf.python_io.TFRecordWriter(output_file)
  for (ex_index, example) in enumerate(examples):
    tokens = tokenizer.tokenize(example.text)[:max_seq_length - 2]
    ids = tokenizer.convert_tokens_to_ids(["[CLS]"] + tokens + ["[SEP]"])
    padding = [0] * (max_seq_length - len(ids))
    if ex_index < 2:
      tf.logging.info("tokens: %s" % " ".join(tokens))

    def create_int_feature(values):
      return tf.train.Feature(int64_list=tf.train.Int64List(value=list(values)))

    features = collections.OrderedDict()
    features["input_ids"] = create_int_feature(ids + padding)
    features["input_mask"] = create_int_feature([1] * len(ids) + padding)
    features["segment_ids"] = create_int_feature([0] * max_seq_length)
    features["label_ids"] = create_int_feature([example.label])
    tf_example = tf.train.Example(features=tf.train.Features(feature=features))
    writer.write(tf_example.SerializeToString())
  writer.close()


def file_based_input_fn_builder(input_file, seq_length, is_training, drop_remainder):
  name_to_features = {
      "input_ids": tf.FixedLenFeature([seq_length], tf.int64),
      "input_mask": tf.FixedLenFeature([seq_length], tf.int64),
      "segment_ids": tf.FixedLenFeature([seq_length], tf.int64),
      "label_ids": tf.FixedLenFeature([], tf.int64),
  }

  def _decode_record(record, name_to_features):
    example = tf.parse_single_example(record, name_to_features)
    # tf.Example only supports tf.int64, but the TPU only supports tf.int32.
    for name in list(example.keys()):
      t = example[name]
      if t.dtype == tf.int64:
        t = tf.to_int32(t)
      example[name] = t
    return example

  def input_fn(params):
    batch_size = params["batch_size"]
    d = tf.data.TFRecordDataset(input_file)
    if is_training:
      d = d.repeat()
      d = d.shuffle(buffer_size=100, seed=5)
    d = d.apply(
        tf.contrib.data.map_and_batch(
            lambda record: _decode_record(record, name_to_features),
            batch_size=batch_size, drop_remainder=drop_remainder))
    return d

  return input_fn


def create_model(is_training, input_ids, input_mask, segment_ids, labels, num_labels,
                 bert_hub_module_handle):
  tags = set()
  bert_module = hub.Module(bert_hub_module_handle, tags=tags, trainable=True)
  bert_inputs = dict(input_ids=input_ids, input_mask=input_mask, segment_ids=segment_ids)
  bert_outputs = bert_module(inputs=bert_inputs, signature="tokens", as_dict=True)
  output_layer = bert_outputs["pooled_output"]
  hidden_size = output_layer.shape[-1].value
  output_weights = tf.get_variable(
      "output_weights", [num_labels, hidden_size],
      initializer=tf.truncated_normal_initializer(stddev=0.02, seed=11))
  output_bias = tf.get_variable("output_bias", [num_labels], initializer=tf.zeros_initializer())
  with tf.variable_scope("loss"):
    if is_training:
      output_layer = tf.nn.dropout(output_layer, keep_prob=0.9, seed=13)
    logits = tf.matmul(output_layer, output_weights, transpose_b=True)
    logits = tf.nn.bias_add(logits, output_bias)
    probabilities = tf.nn.softmax(logits, axis=-1)
    log_probs = tf.nn.log_softmax(logits, axis=-1)
    one_hot_labels = tf.one_hot(labels, depth=num_labels, dtype=tf.float32)
    per_example_loss = -tf.reduce_sum(one_hot_labels * log_probs, axis=-1)
    loss = tf.reduce_mean(per_example_loss)
  return loss, per_example_loss, logits, probabilities


def model_fn_builder(num_labels, learning_rate, num_train_steps, num_warmup_steps, use_tpu,
                     bert_hub_module_handle):

  def model_fn(features, labels, mode, params):
    tf.logging.info("*** Features ***")
    for name in sorted(features.keys()):
      tf.logging.info("  name = %s, shape = %s" % (name, features[name].shape))
    label_ids = features["label_ids"]
    is_training = mode == tf.estimator.ModeKeys.TRAIN
    (total_loss, per_example_loss, logits, probabilities) = create_model(
        is_training, features["input_ids"], features["input_mask"], features["segment_ids"],
        label_ids, num_labels, bert_hub_module_handle)
    if mode == tf.estimator.ModeKeys.TRAIN:
      train_op = optimization.create_optimizer(
          total_loss, learning_rate, num_train_steps, num_warmup_steps, use_tpu)
      return tf.contrib.tpu.TPUEstimatorSpec(mode=mode, loss=total_loss, train_op=train_op)
    if mode == tf.estimator.ModeKeys.EVAL:

      def metric_fn(per_example_loss, label_ids, logits):
        predictions = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return {
            "eval_accuracy": tf.metrics.accuracy(label_ids, predictions),
            "eval_loss": tf.metrics.mean(per_example_loss),
        }

      eval_metrics = (metric_fn, [per_example_loss, label_ids, logits])
      return tf.contrib.tpu.TPUEstimatorSpec(
          mode=mode, loss=total_loss, eval_metrics=eval_metrics)
    return tf.contrib.tpu.TPUEstimatorSpec(
        mode=mode, predictions={"probabilities": probabilities})

  return model_fn


def main(_):
  tf.logging.set_verbosity(tf.logging.INFO)
  tf.gfile.MakeDirs(FLAGS.output_dir)
  tokenizer = create_tokenizer_from_hub_module(FLAGS.bert_hub_module_handle)

  tpu_cluster_resolver = None
  if FLAGS.use_tpu and FLAGS.tpu_name:
    tpu_cluster_resolver = tf.contrib.cluster_resolver.TPUClusterResolver(FLAGS.tpu_name)
  is_per_host = tf.contrib.tpu.InputPipelineConfig.PER_HOST_V2
  run_config = tf.contrib.tpu.RunConfig(
      cluster=tpu_cluster_resolver,
      model_dir=FLAGS.output_dir,
      tf_random_seed=1,
      save_summary_steps=1,
      log_step_count_steps=1,
      save_checkpoints_steps=1000,
      tpu_config=tf.contrib.tpu.TPUConfig(
          iterations_per_loop=1000, num_shards=FLAGS.num_tpu_cores,
          per_host_input_for_training=is_per_host))
  model_fn = model_fn_builder(
      num_labels=2, learning_rate=FLAGS.learning_rate, num_train_steps=FLAGS.num_train_steps,
      num_warmup_steps=FLAGS.num_warmup_steps, use_tpu=FLAGS.use_tpu,
      bert_hub_module_handle=FLAGS.bert_hub_module_handle)
  estimator = tf.contrib.tpu.TPUEstimator(
      use_tpu=FLAGS.use_tpu, model_fn=model_fn, config=run_config,
      train_batch_size=FLAGS.train_batch_size, eval_batch_size=FLAGS.eval_batch_size)

  if FLAGS.do_train:
    examples = read_tsv(os.path.join(FLAGS.data_dir, "train.tsv"))
    train_file = os.path.join(FLAGS.output_dir, "train.tf_record")
    file_based_convert_examples_to_features(
        examples, FLAGS.max_seq_length, tokenizer, train_file)
    tf.logging.info("***** Running training *****")
    train_input_fn = file_based_input_fn_builder(
        train_file, FLAGS.max_seq_length, is_training=True, drop_remainder=True)
    estimator.train(
        input_fn=train_input_fn, max_steps=FLAGS.stop_at_step or FLAGS.num_train_steps)

  if FLAGS.do_eval:
    examples = read_tsv(os.path.join(FLAGS.data_dir, "dev.tsv"))
    eval_file = os.path.join(FLAGS.output_dir, "eval.tf_record")
    file_based_convert_examples_to_features(
        examples, FLAGS.max_seq_length, tokenizer, eval_file)
    eval_input_fn = file_based_input_fn_builder(
        eval_file, FLAGS.max_seq_length, is_training=False, drop_remainder=False)
    result = estimator.evaluate(input_fn=eval_input_fn, steps=None)
    with tf.gfile.GFile(os.path.join(FLAGS.output_dir, "eval_results.txt"), "w") as writer:
      tf.logging.info("***** Eval results *****")
      for key in sorted(result.keys()):
        tf.logging.info("  %s = %s", key, str(result[key]))
        writer.write("%s = %s\n" % (key, str(result[key])))


if __name__ == "__main__":
  flags.mark_flag_as_required("data_dir")
  flags.mark_flag_as_required("bert_hub_module_handle")
  flags.mark_flag_as_required("output_dir")
  tf.app.run()
