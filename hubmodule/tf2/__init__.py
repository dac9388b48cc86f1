"""TF2: modules as objects."""
