"""Programs written for TensorFlow 1, run and read."""
