"""Tests of publishing and using text embeddings."""
