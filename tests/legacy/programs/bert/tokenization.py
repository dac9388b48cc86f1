"""Splits text into the pieces of a vocabulary."""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import collections
import re

import six
import tensorflow as tf


def load_vocab(vocab_file):
  vocab = collections.OrderedDict()
  with tf.gfile.GFile(vocab_file, "r") as reader:
    for index, line in enumerate(reader.read().splitlines()):
      vocab[line.strip()] = index
  return vocab


class FullTokenizer(object):
  """Greedy longest match first."""

  def __init__(self, vocab_file, do_lower_case=True):
    self.vocab = load_vocab(vocab_file)
    self.inv_vocab = {v: k for k, v in six.iteritems(self.vocab)}
    self.do_lower_case = do_lower_case

  def tokenize(self, text):
    text = tf.compat.as_text(text)
    if self.do_lower_case:
      text = text.lower()
    pieces = []
    for word in re.findall(r"\w+|[^\w\s]", text, re.UNICODE):
      pieces.extend(self._split(word))
    return pieces

  def _split(self, word):
    start, pieces = 0, []
    while start < len(word):
      end = len(word)
      while end > start:
        piece = ("##" if start else "") + word[start:end]
        if piece in self.vocab:
          break
        end -= 1
      if end == start:
        return ["[UNK]"]
      pieces.append(piece)
      start = end
    return pieces

  def convert_tokens_to_ids(self, tokens):
    return [self.vocab[token] for token in tokens]
