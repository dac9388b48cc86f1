"""Tests of the Estimator, in processes where tf.keras is Keras 2."""
