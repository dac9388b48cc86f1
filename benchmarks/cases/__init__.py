"""The cases: what to measure, and the targets.

Each file has a TITLE, MODULES, TARGETS, and measure(), which runs with either library. Where
TensorFlow itself takes some of the time, measure_floor() does only that part.
"""
