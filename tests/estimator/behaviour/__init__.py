"""What programs expect of tf.estimator, on every TensorFlow."""
