"""Tests of the files of a module directory."""
