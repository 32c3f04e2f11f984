"""The Lambda API, a module for each group of operations."""
