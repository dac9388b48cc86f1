"""What the graphs of a module can do beyond computing: protos in, findings out."""
