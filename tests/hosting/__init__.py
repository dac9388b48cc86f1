"""Tests of hubmodule.hosting."""
