"""What the operating system gives an execution environment: processes, freezing, isolation."""
