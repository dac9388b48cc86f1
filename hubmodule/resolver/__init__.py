"""Turns a handle into a directory; knows nothing of graphs."""
