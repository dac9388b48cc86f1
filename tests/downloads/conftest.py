"""The tests have a cache of their own, and nothing of the user's."""

from tests.resolver.conftest import cache_dir, environment, pauses

__all__ = ["cache_dir", "environment", "pauses"]
