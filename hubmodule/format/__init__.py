"""What lies on disk: the files of a module directory."""
