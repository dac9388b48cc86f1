"""What the command line does, a file a subcommand.

Nothing that a subcommand needs is imported before it runs: one may have to set environment
variables before TensorFlow is imported, and those that only look at the cache do without it.
"""
