"""Lambda itself: invocations, execution environments and logs. Knows no screen and no YAML."""
