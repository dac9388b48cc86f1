"""Graph surgery: functions from protos to protos, without sessions, default graph or files."""
