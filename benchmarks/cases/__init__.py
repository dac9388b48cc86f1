"""The cases: what is measured, and what is to be reached.

Each file has a TITLE, TARGETS, and measure(), which runs with either library; those for
which TensorFlow itself takes some of the time have floor(), which does only that.
"""
