"""Classifiers of sentences on text modules: as in TensorFlow 1, and with Keras."""
