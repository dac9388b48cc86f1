"""Tests of what measures: not of times, which differ from machine to machine."""
