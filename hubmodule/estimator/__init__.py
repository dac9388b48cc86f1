"""The Estimator on every supported TensorFlow, with modules in its models and exports."""
