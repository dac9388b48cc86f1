"""Tests of graph surgery, on graphs of a few nodes; no sessions."""
