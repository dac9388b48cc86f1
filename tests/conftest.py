"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples in each run, and no limit per example: a busy machine is no failure.
settings.register_profile(
    "hubmodule", derandomize=True, database=None, deadline=None, max_examples=60
)
settings.load_profile("hubmodule")
