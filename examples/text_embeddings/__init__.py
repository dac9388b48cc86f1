"""From a file of word embeddings to a module, and what such a module is good for."""
