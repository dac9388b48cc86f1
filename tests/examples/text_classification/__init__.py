"""Tests of examples/text_classification."""
