"""What a module is, read from its files: nothing is run, and no graph is imported."""
