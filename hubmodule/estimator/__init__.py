"""The Estimator on every TensorFlow: bringing it back, exporting from it, feeding it modules."""
