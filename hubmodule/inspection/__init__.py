"""Describes modules by reading their files; runs nothing and imports no graph."""
