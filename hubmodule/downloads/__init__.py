"""Reads the bytes of an address; knows no module and no cache."""
