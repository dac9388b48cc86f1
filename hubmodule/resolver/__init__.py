"""Turns a handle into a directory."""
