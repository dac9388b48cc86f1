"""Tests of graph mode."""
