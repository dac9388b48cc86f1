"""A hub of one's own: publishes modules into a directory, and shows and serves what is there."""
