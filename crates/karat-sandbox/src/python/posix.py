"""What is left of `posix` inside the sandbox: a name that the import machinery looks for."""
