"""From images in directories to a classifier, on the features that a module computes."""
