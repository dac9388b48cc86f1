"""Graph mode: specs, modules, and their applications."""
