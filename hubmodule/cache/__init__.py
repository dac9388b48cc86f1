"""Keeps modules in a directory that many processes share: what is there is whole."""
