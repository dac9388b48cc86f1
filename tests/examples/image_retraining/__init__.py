"""Tests of examples/image_retraining."""
