"""Tests of hubmodule.inspection."""
