"""The CloudWatch Logs API."""
