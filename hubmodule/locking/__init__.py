"""Lock files of modules, and bundles that carry them to machines without a network."""
