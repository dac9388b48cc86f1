"""Graph surgery: protos in, protos out; no session, no default graph, no files."""
